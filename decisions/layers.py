"""Which part of its layer each experiment takes: a part once taken stays, whatever comes, goes or grows beside it.

A layer is cut into :data:`PARTS`; a keyed hash gives each customer one of them. No rule that looks at names and
shares alone can leave everybody in place: of three experiments of half a layer each, any two fit, and all three
cannot have a half of their own. So what was taken is remembered (:class:`Held`), or written down in the policy
(``places``).
"""

from __future__ import annotations

from dataclasses import dataclass
from itertools import pairwise
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Collection, Iterable, Iterator, Mapping

    from decisions.policy_parts import Experiment

PARTS = 1_000_000
"""How finely a layer is cut: a share is kept to a millionth of the customers."""

Part = tuple[int, int]
Parts = tuple[Part, ...]
"""Half-open stretches of a layer, in the order in which they were taken."""


class LayerError(ValueError):
    """A change to a layer that would move customers who need not move; the message has the way out."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Held:
    """What an experiment took of its layer, and whether it ran when the layers were looked at last."""

    layer: str
    parts: Parts
    running: bool


def placed(experiments: Collection[Experiment], before: Mapping[str, Held] | None = None) -> dict[str, Parts]:
    """Return the parts of each experiment, whatever their order.

    Who ran ``before`` keeps what it had; one that shrinks gives back what it took last; one that grows or is new
    takes what nobody has: at first what nobody ever had, so that its customers come from no other experiment.
    """
    held = before or {}
    by_name = sorted(experiments, key=lambda experiment: experiment.experiment_id)
    found: dict[str, Parts] = {}
    for layer in {experiment.in_layer for experiment in by_name}:
        inside = [experiment for experiment in by_name if experiment.in_layer == layer]
        found |= _filled(inside, {name: one for name, one in held.items() if one.layer == layer})
    return found


def remembered(
    experiments: Collection[Experiment], taken: Mapping[str, Parts], before: Mapping[str, Held]
) -> dict[str, Held]:
    """Return what is to be known of the layers the next time: who runs, and what those held that ran once."""
    ended = {
        name: Held(layer=one.layer, parts=one.parts, running=False)
        for name, one in before.items()
        if name not in taken
    }
    return ended | {
        experiment.experiment_id: Held(
            layer=experiment.in_layer, parts=taken[experiment.experiment_id], running=True
        )
        for experiment in experiments
    }


def check_moves(
    experiments: Collection[Experiment], taken: Mapping[str, Parts], before: Mapping[str, Held]
) -> None:
    """Refuse ``taken`` where a customer of an experiment that goes on would leave or change it without need.

    Raises:
        LayerError: naming the experiment and the way out.
    """
    for experiment in experiments:
        name = experiment.experiment_id
        was = before.get(name)
        if was is None or not was.running:
            continue
        if was.layer != experiment.in_layer:
            raise LayerError(
                f"experiment {name!r} ran in layer {was.layer!r} and is now in {experiment.in_layer!r}, which "
                "would draw all its customers anew: give it a new experiment_id, or its layer back"
            )
        lost, gained = minus(was.parts, taken[name]), minus(taken[name], was.parts)
        if lost and (gained or size(taken[name]) >= size(was.parts)):
            raise LayerError(
                f"experiment {name!r} holds {shown(was.parts)} of layer {was.layer!r} and would lose "
                f"{shown(lost)} of it: give it places that contain those (or lie within them, where it shrinks), "
                f"or a new experiment_id, and other experiments no part of them"
            )


def size(parts: Iterable[Part]) -> int:
    """Return how many parts there are."""
    return sum(end - start for start, end in parts)


def minus(parts: Iterable[Part], taken: Iterable[Part]) -> Parts:
    """Return what is left of ``parts``, in their order, without what is ``taken``."""
    cuts = sorted(taken)
    return tuple(left for part in parts for left in _gaps(part, cuts))


def overlap(parts: Iterable[tuple[float, float]]) -> bool:
    """Return whether any two of ``parts`` have something in common."""
    ordered = sorted(parts)
    return any(later[0] < earlier[1] for earlier, later in pairwise(ordered))


def shown(parts: Iterable[Part]) -> str:
    """Return ``parts`` as a policy writes them."""
    return ", ".join(f"[{start / PARTS:g}, {end / PARTS:g}]" for start, end in parts) or "nothing"


def _filled(inside: Collection[Experiment], held: Mapping[str, Held]) -> dict[str, Parts]:
    found: dict[str, Parts] = {each.experiment_id: each.parts for each in inside if each.places}
    open_ones = [each for each in inside if not each.places]
    for running in (True, False):  # who goes on comes before who returns
        for each in open_ones:
            was = held.get(each.experiment_id)
            if was is not None and was.running == running:
                found[each.experiment_id] = _first(minus(was.parts, _all(found)), each.wanted)
    for each in open_ones:
        kept = found.get(each.experiment_id, ())
        free = minus([(0, PARTS)], _all(found))
        fresh = minus(free, [part for one in held.values() for part in one.parts])
        used = minus(free, fresh)
        found[each.experiment_id] = _joined((*kept, *_first((*fresh, *used), each.wanted - size(kept))))
    return found


def _all(found: Mapping[str, Parts]) -> list[Part]:
    return [part for parts in found.values() for part in parts]


def _first(parts: Iterable[Part], count: int) -> Parts:
    taken = []
    for start, end in parts:
        if count <= 0:
            break
        taken.append((start, min(end, start + count)))
        count -= end - start
    return tuple(taken)


def _joined(parts: Parts) -> Parts:
    """Write two stretches as one where the second goes on where the first ends."""
    joined: list[Part] = []
    for start, end in parts:
        if joined and joined[-1][1] == start:
            joined[-1] = (joined[-1][0], end)
        else:
            joined.append((start, end))
    return tuple(joined)


def _gaps(part: Part, cuts: Iterable[Part]) -> Iterator[Part]:
    start, end = part
    for low, high in cuts:
        if high <= start or low >= end:
            continue
        if start < low:
            yield (start, low)
        start = max(start, high)
    if start < end:
        yield (start, end)
