"""Every feature name as a page: docs/features.md, from the vocabulary that names the columns."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

from features.contracts.words import CONTACT_STATES
from features.vocabulary import LONG_WINDOW, WINDOWS, Vocabulary

if TYPE_CHECKING:
    from collections.abc import Iterator

CHANNEL = "email"
"""Stands for any channel on the page."""

_HEAD = f"""\
# Every feature name

Written by `make docs` from the vocabulary. These are the columns that `kairos features build` makes, that models
learn from and that `eligibility` and `audience` may name ([expressions.md](expressions.md)); the customers' own
attributes come under the names the import gives them, and one that is called like a feature is never read (`kairos
check` says so). `email` stands for each of the policy's `channels`. What each model needs is in
[models.md](models.md).

A daily snapshot knows what happened before its day began (00:00 UTC), and nothing that arrived later. Windows are
{WINDOWS[0]}, {WINDOWS[1]} and {WINDOWS[2]} days, for what a customer does also {LONG_WINDOW}. Null is what
cannot be said, and in a condition it is not true: write `coalesce(orders_90d, 0) < 2` to mean those without
history too.
"""

_MEANING = {
    "recency_days": "Days since the last order began. Null before the first",
    "tenure_days": "Days since the first event of any kind",
    "orders": "Orders: `purchased` events that share an `order_id` are one, on the day of the first of them",
    "spend": "Sum of `value` of `purchased` events; one without a value adds none",
    "active_days": "UTC days with an order",
    "sessions": "`session` events",
    "gap_mean_days": "Mean days between the days with an order. Null until there are two of them",
    "gap_sd_days": "Their standard deviation. Null until there are three of them",
    "overdue": "`recency_days` over `gap_mean_days`: above 1 the next order is late",
    "sent": "Messages sent on the channel, by whatever system; a send told by two sources is one",
    "opened": "Opens by people: `automated` ones are not counted",
    "clicked": "Clicks by people",
    "converted": "`converted` events on the channel",
    "bounced": "`bounced` events on the channel",
    "unsubscribed": "`unsubscribed` events on the channel",
    "days_since_sent": "Days since the last message on the channel. Null before the first",
    "contact": (
        f"One of {', '.join(f'`{state}`' for state in CONTACT_STATES)}: the more cautious of what the customer's "
        "row says and what bounced"
    ),
    "time_zone": "The IANA zone. Null where it is unknown",
    "country": "ISO 3166 code. Null where it is unknown",
    "category_share": "Share of the spend of the last year, category by category",
    "category_orders_90d": "Orders of the last 90 days that touched the category",
    "category_recency_days": "Days since the category was bought last",
    "tally_pairs": "Each `offer\\|channel` that was ever sent to the customer; `\\|channel` without an offer",
    "tally_sent": "Messages, each once however many reports tell of it",
    "tally_exposed": (
        "Messages that did not bounce and that no machine opened, each by the share of its reactions that have "
        "arrived at its age: 1 − exp(−(age / 12 h)^0.6)"
    ),
    "tally_pressed": (
        "The same, each times its pressure: the customer's earlier messages on any channel, half as heavy with "
        "every week between"
    ),
    "tally_hidden": "As `tally_exposed`, of messages that a machine opened (bounced or not)",
    "tally_hidden_pressed": "The same, each times its pressure",
    "tally_opened": "Messages, not hidden, that a person opened",
    "tally_seen": "Messages, not hidden, with an open, a click or a conversion by a person",
    "tally_clicked": "Messages, not hidden, that a person clicked",
    "tally_hidden_clicked": "Hidden messages that a person clicked",
    "tally_ordered": "Messages, not hidden, that a `converted` event names",
    "tally_hidden_ordered": "Hidden messages that a `converted` event names",
    "rhythm": "Behaviour and opens by the 168 local hours of a week, fading with a half-life",
}
_CHURN = "The probability of no purchase within the model's days (56 by default). Null without a model"
_RESTING = "Of a known customer to whom nothing was sent every count is 0."
_TALLY = """\
Arrays side by side, as of the last build, for models alone: an element a pair of offer and channel. Null where
nothing was ever sent. A message's offer, channel and moment are those of its earliest report; one without a
channel is of no pair, but presses those after it. What was done to a message is told by events that name it by
`decision_id` or `message_id`. Nobody can know whether a person opened what a machine opened: such messages are
hidden, and stand apart."""
_WINDOW = re.compile(r"_\d+d$")


def render() -> str:
    """Return the page."""
    return "\n".join([_HEAD, *_sections()]).rstrip() + "\n"


def _sections() -> Iterator[str]:
    words = Vocabulary(channels=(CHANNEL,), categories=("tea",))
    yield from _section("What a customer does", "Numbers, one snapshot a day.", words.activity)
    yield from _section(
        "What was sent, and what came back", f"Numbers, one snapshot a day. {_RESTING}", words.pressure
    )
    yield from _section("Where a customer can be reached", "Texts, as of the last build.", words.contact)
    yield "## What a decision adds\n"
    yield "| name | meaning |\n|---|---|"
    yield f"| `churn` | {_CHURN} |"
    yield "| `country`, `locale` | As the customer's row has them |\n"
    arrays = (*words.category_arrays, *words.rhythm_arrays)
    yield from _section("Arrays, for models alone", "No expression reads them.", arrays)
    yield from _section("What came of their own messages", _TALLY, words.tally_arrays)


def _section(title: str, kind: str, columns: tuple[str, ...]) -> Iterator[str]:
    yield f"## {title}\n"
    yield f"{kind}\n"
    yield "| name | meaning |\n|---|---|"
    for stem, names in _by_stem(columns).items():
        yield f"| {', '.join(f'`{name}`' for name in names)} | {_MEANING[stem]} |"
    yield ""


def _by_stem(columns: tuple[str, ...]) -> dict[str, list[str]]:
    """Return the columns by what they are about, whatever the window."""
    found: dict[str, list[str]] = {}
    for column in columns:
        stem = column if column in _MEANING else _WINDOW.sub("", column).removeprefix(f"{CHANNEL}_")
        found.setdefault(stem, []).append(column)
    return found
