"""A decision's value in sentences, for who writes the messages and wants to know why."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    from decisions.records import Decision, Evidence, Grade, Grounds, Pace, ValueParts

_KNOWN: Mapping[Grade, str] = {
    "measured": "measured with messages that were withheld at random",
    "ratio": "counted, and corrected by what messages withheld at random showed",
    "counted": "counted, less orders that would have come anyway (declared)",
    "declared": "declared, not learned",
}
_TITLES = {"timing": "the hour", "fatigue": "fatigue", "remaining_value": "the remaining value"}
_MATTERS = 0.02
"""A share of the gain, or a distance of the hour's factor from 1, below which a part goes without saying."""


def because(decision: Decision) -> tuple[str, ...]:
    """Return why the message is worth what it is, the strongest reasons first; nothing where nothing would go."""
    grounds, value = decision.grounds, decision.expected_value
    if grounds is None or value is None or decision.offer_id is None or decision.channel is None:
        return ()
    return (
        _on_the_channel(decision.channel, grounds.channel),
        _on_the_offer(decision.offer_id, grounds.offer),
        *_of_the_value(value),
        *_how_often(decision.pace),
        f"The effect of a message is {_KNOWN[grounds.grades['effect']]}.",
        *_declared(grounds),
    )


def _on_the_channel(channel: str, told: Evidence) -> str:
    if round(told.messages) < 1:
        return f"No message by {channel} has had time to be answered: everybody's mean says who looks at them."
    return f"Saw {told.seen:.0f} of {told.messages:.0f} messages by {channel}, as far as it shows."


def _on_the_offer(offer: str, told: Evidence) -> str:
    if round(told.messages) < 1:
        return f"Was never sent {offer}: what it does to others says what it may do."
    return f"Ordered after {told.orders:.0f} of {told.messages:.0f} messages with {offer}."


def _of_the_value(value: ValueParts) -> Iterator[str]:
    gain = value.tau * value.multiplier
    if abs(value.multiplier - 1) >= _MATTERS:
        yield f"At this hour a message does {value.multiplier:.2f} times as much as at the mean one."
    if gain > 0 and value.ltv_loss >= _MATTERS * gain:
        yield f"Of what it brings, {100 * value.ltv_loss / gain:.0f}% is lost later: people tire, and some leave."
    if gain > 0 and (paid := value.send_cost + value.incentive + value.price) >= _MATTERS * gain:
        yield f"Another {100 * paid / gain:.0f}% pays for sending it and for what is redeemed."


def _how_often(pace: Pace | None) -> Iterator[str]:
    if pace is None:
        return
    if not pace.weekly:
        yield "No number of messages a week earns anything with this customer."
        return
    drawn = "" if pace.multiplier == 1 else f"; {pace.multiplier:.2g} times the best interval was drawn, to learn"
    weekly = f"{pace.weekly:.2g} a week"
    yield f"A message every {pace.days:.3g} days by {pace.channel} ({weekly}) earns most{drawn}."


def _declared(grounds: Grounds) -> Iterator[str]:
    names = [title for part, title in _TITLES.items() if grounds.grades[part] == "declared"]
    if names:
        yield f"Declared, not learned: {', '.join(names)}."
