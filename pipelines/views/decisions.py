"""A decision as a card, a plan as tables."""

from __future__ import annotations

from typing import TYPE_CHECKING

from rich.markup import escape

from decisions.because import because
from decisions.eligibility.codes import TEXTS, Code
from pipelines.console import Card, table

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from rich.console import RenderableType

    from decisions.records import Alternative, Decision, Reason, ValueParts
    from pipelines.jobs.planning import PlanReport

REASONS_SHOWN = 6


def decided(
    made: Sequence[Decision], currency: str, *, dry_run: bool = False, same: bool | None = None
) -> Iterator[RenderableType]:
    """Return a card for each decision, and what it is: made, looked at, or (``same``: as it was?) recomputed."""
    yield from (card(decision, currency) for decision in made)
    if dry_run:
        yield "a dry run: nothing is reserved"
    if same is not None:
        yield "the record gives the same decision" if same else "[red]the record gives another decision"


def card(decision: Decision, currency: str) -> Card:
    """Return one decision with its reasons, as a person reads it."""
    lines = [*_headline(decision), *_value(decision.expected_value, currency, incremental=decision.incremental)]
    lines += _reasons([reason for reason in decision.reasons if reason.code != Code.PRIOR])
    lines += _assumptions([reason for reason in decision.reasons if reason.code == Code.PRIOR])
    lines += [_instead(other, currency) for other in decision.alternatives]
    lines += [f"[dim]{escape(sentence)}[/dim]" for sentence in because(decision)]
    lines.append(f"[dim]propensity {decision.propensity:.4f} · policy {decision.policy_version}[/dim]")
    colour = "green" if decision.action == "send" else "yellow"
    title = f"{escape(decision.customer_id)}: {decision.action}"
    return Card(title=title, lines=tuple(lines), foot=escape(decision.decision_id), colour=colour)


def _instead(other: Alternative, currency: str) -> str:
    what = escape(f"{other.offer_id} by {other.channel}")
    return f"  instead: {what}, worth {_money(other.value.total)} {currency}"


def _headline(decision: Decision) -> Iterator[str]:
    if decision.action == "send":
        what, by = escape(str(decision.offer_id)), escape(str(decision.channel))
        yield f"[bold]{what}[/bold] by [bold]{by}[/bold], {decision.send_at_local}"
        if decision.expires_at:
            yield f"[dim]to be confirmed before {decision.expires_at.isoformat()}[/dim]"
        if decision.displaces:
            yield f"[dim]takes the place of decision {decision.displaces}[/dim]"


def _value(value: ValueParts | None, currency: str, *, incremental: bool) -> Iterator[str]:
    if value is None:
        return
    note = "" if incremental else "  [dim](not incremental: no randomised send behind it)[/dim]"
    yield f"worth {_money(value.total)} {currency}{note}"
    yield (
        f"[dim]  = effect {value.tau:.3f} × time {value.multiplier:.3f} − send {value.send_cost:.3f} − incentive "
        f"{value.incentive:.3f} − fatigue {value.ltv_loss:.3f} − price {value.price:.3f}[/dim]"
    )


def _money(amount: float) -> str:
    """Return an amount with cents, or with a tenth of a cent where it is less than one unit."""
    return f"{amount:.2f}" if abs(amount) >= 1 else f"{amount:.3f}"


def _reasons(reasons: list[Reason]) -> Iterator[str]:
    yield from (_reason(reason) for reason in reasons[:REASONS_SHOWN])
    if (left := len(reasons) - REASONS_SHOWN) > 0:
        yield f"  … and {left} more (--json has them all)"


def _assumptions(reasons: list[Reason]) -> Iterator[str]:
    """Name the models whose part is declared, and why: ``prior:channel:email:no_labels`` and its like."""
    whys: dict[str, dict[str, None]] = {}
    for reason in reasons:
        model, *rest = str(reason.detail).removeprefix("prior:").split(":")
        whys.setdefault(model, {}).update(dict.fromkeys(part.replace("_", " ") for part in rest[-1:]))
    if whys:
        named = (f"{model} ({', '.join(why)})" if why else model for model, why in whys.items())
        yield f"[dim]· rests on declared assumptions for: {escape(', '.join(named))}[/dim]"


def _reason(reason: Reason) -> str:
    about = " ".join(word for word in (reason.offer_id, reason.channel) if word)
    until = f", until {reason.until.isoformat()}" if reason.until else ""
    detail = f" ({reason.detail})" if reason.detail else ""
    return f"· {TEXTS[reason.code]}{f' [dim]{escape(about)}[/dim]' if about else ''}{escape(detail)}{until}"


def plan_tables(plan: PlanReport, currency: str) -> Iterator[RenderableType]:
    """Return what was sent and what was held, and why."""
    known = "" if plan.incremental else ", not incremental"
    sends = [
        (channel, count, plan.budgets.get(channel), plan.prices.get(channel))
        for channel, count in plan.sends.items()
    ]
    title = (
        f"{plan.send:,} messages for {plan.asked:,} customers, expected value {plan.value:,.0f} {currency}{known}"
    )
    yield table(title, ("channel", "sends", "budget", f"price ({currency})"), sends)
    yield table("By offer", ("offer", "sends"), list(plan.offers.items()))
    holds = [(code, count, TEXTS[code]) for code, count in plan.hold.items()]
    yield table("Held, by main reason", ("reason", "customers", "meaning"), holds)
