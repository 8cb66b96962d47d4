"""What draws said, for model cards and runs."""

from __future__ import annotations

from typing import TYPE_CHECKING

from decisions.worth.ratios import BELIEF

if TYPE_CHECKING:
    from collections.abc import Iterator

    from measures.estimate import Estimate
    from training.evidence.ratios import Evidence
    from training.evidence.shares import Proposal


def words_of(evidence: Evidence) -> Iterator[str]:
    """Give one sentence for each thing worth knowing of the evidence."""
    if not evidence.draws:
        yield "No randomised sends: the lift is as counted and its grade is declared."
    else:
        yield (
            f"{evidence.draws} randomised draws, {evidence.held} of them held, say that of the lift counted "
            f"{_said(evidence.ratios.overall)} is true (believed before: {_said(BELIEF)})."
        )
    for name, found in evidence.sources.items():
        yield f"{name} by itself: {_said(found)}."
    for pair, found in evidence.ratios.pairs.items():
        offer, _, channel = pair.rpartition("|")
        yield f"{pair}: {_said(found)}, grade {evidence.ratios.grade(offer, channel)}."
    yield from (f"{fault}." for fault in evidence.aside.values())


def words_of_share(proposal: Proposal | None) -> Iterator[str]:
    """Give the sentence that suggests how many would-be sends to hold back; none without draws of our own."""
    if proposal is not None:
        yield (
            f"Holding back {proposal.share:.1%} of would-be sends pays most until the next training: it costs "
            f"{proposal.price:.2g} a decision, and what it tells is worth {proposal.worth:.2g} (holdback.share)."
        )


def metrics_of(evidence: Evidence) -> dict[str, float]:
    """Return the ratios and their errors by name."""
    ratios = evidence.ratios
    named = {"overall": ratios.overall, **ratios.pairs, **evidence.sources} if evidence.draws else {}
    return {
        f"{what}/{name.replace('|', '/').replace(':', '/')}": value
        for name, found in named.items()
        for what, value in (("lift_ratio", found.mean), ("lift_ratio_error", found.error))
    }


def _said(found: Estimate) -> str:
    low, high = found.interval
    return f"{found.mean:.2f} (95%: {low:.2f} to {high:.2f})"
