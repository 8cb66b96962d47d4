"""The figures that a release is held to, for people: rows of :mod:`benchmarks.world.bars` and their sentences."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from benchmarks.world.bars import COMPOSITE, STATIC
from simulation.families import CORE

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence

    Row = tuple[object, ...]
    Table = tuple[str, tuple[str, ...], list[Row], str | None]

_OF_FAMILIES = (
    "*Bound*: the lower end of a one-sided 95% interval, those of the core judged together (Holm), those of each "
    "other family by themselves. *Own hand*: what comes after day 60 is played on by the policy itself instead of "
    "reckoned by the planning oracle's values. Families after the core are in no mean."
)
_OF_STATIC = (
    "`best_static` is tuned in another world of the family, `static_for_all` once for all families, "
    "`static_of_history` is read off the world's own log, `static_after_looking` is the best of them all in the "
    "very world that is scored: no shop can choose it."
)


def barred(answer: Mapping[str, Any], bars: Mapping[str, Any]) -> Iterator[Table]:
    """Return tables: what Kairos has to show overall, by family, and beside static rules."""
    yield (
        "What Kairos has to show, over the core families",
        ("what", "value", "interval"),
        _overall(answer, bars),
        None,
    )
    columns = ("family", "Kairos", "own hand", "exact posterior", "− composite", "bound", "− best static", "bound")
    yield (
        "Kairos by family",
        columns,
        [_family(answer, bars, family) for family in bars["by_family"]],
        _OF_FAMILIES,
    )
    rows: list[Row] = [(name, row["value"], row["own_value"], row["sent"]) for name, row in _static(answer)]
    yield "Static rules", ("rule", "€ per customer", "own hand", "sent"), rows, _OF_STATIC


def _overall(answer: Mapping[str, Any], bars: Mapping[str, Any]) -> list[Row]:
    rows = [
        ("value, € per customer", bars["value"]),
        *((f"in its own hand: {name}", row) for name, row in bars["own_hand"].items()),
        *((f"Kairos − {name}{_how(row)}", row) for name, row in bars["ahead_of"].items()),
        *((f"{family}: Kairos − silence", row) for family, row in bars["above_silence"].items()),
        ("share of the exact posterior's value", bars["share_of_exact"]),
        *((f"slope of truth on V, {channel}", row) for channel, row in bars["slopes"].items()),
    ]
    told: list[Row] = [(words, row["value"], _span(row["interval"])) for words, row in rows]
    for unit in ("per_message", "per_customer"):
        lost = {name: row[unit] for name, row in bars["unsubscribes"].items()}
        told += [(f"unsubscribes {unit.replace('_', ' ')}: {name}", value, "–") for name, value in lost.items()]
    for family, row in bars["wrong_priors"].items():
        told.append(
            (f"{family}: right beliefs − declared", row["price"]["value"], _span(row["price"]["interval"]))
        )
    return told + _loop(answer.get("loop"))


def _how(row: Mapping[str, Any]) -> str:
    return " (Holm)" if row.get("p_adjusted") is not None else ""


def _loop(loop: Mapping[str, Any] | None) -> list[Row]:
    if loop is None:
        return [("the whole product", "not played", "–")]
    seeds = ", ".join(str(seed) for seed in loop["seeds"])
    return [
        (f"the whole product, seeds {seeds}", loop["value"], "–"),
        ("its value model in the same worlds", loop["arena_value"], "–"),
        ("the product's share of it", loop["share"], "–"),
    ]


def _family(answer: Mapping[str, Any], bars: Mapping[str, Any], family: str) -> Row:
    found, less = answer["by_family"][family], bars["by_family"][family]
    kairos = found["policies"]["kairos"]
    return (
        family if family in CORE else f"({family})",
        kairos["value"],
        kairos["own_value"],
        found["oracles"]["attainable"]["value"],
        *(less[name][part] for name in (COMPOSITE, STATIC) for part in ("value", "bound")),
    )


def _static(answer: Mapping[str, Any]) -> list[tuple[str, Mapping[str, Any]]]:
    return [(name, row) for name, row in answer["policies"].items() if "static" in name]


def _span(interval: Sequence[float] | None) -> str:
    return "–" if interval is None else f"{interval[0]:.3f} to {interval[1]:.3f}"
