"""The closed list of reason codes, each with one line a marketer understands."""

from __future__ import annotations

from enum import StrEnum
from typing import Self


class Code(StrEnum):
    """Why a decision is what it is. The order is that of the reasons in a decision: the broadest first."""

    text: str

    def __new__(cls, value: str, text: str) -> Self:
        """Make a member that carries its ``text``."""
        member = str.__new__(cls, value)
        member._value_ = value
        member.text = text
        return member

    __hash__ = str.__hash__
    """As the text that it equals. An enumeration's own is not, and takes ten times as long."""

    # What was chosen.
    BEST_VALUE = "best_value", "The best that could be said, at the best permitted time."
    EXPLORED = "explored", "Not the best on present knowledge: drawn to learn, within the loss budget."
    PROMPT = "prompt", "A service or transactional message goes at the first permitted moment."
    NOT_WORTH_IT = "not_worth_it", "No message is expected to earn more than it costs."
    EXPLORED_HOLD = (
        "explored_hold",
        "A message was worth sending; silence was drawn to learn, within the loss budget.",
    )
    HELD_BACK = "held_back", "A message would have gone, and was withheld at random to measure its effect."

    KEPT = (
        "kept",
        "A much better message could have taken a reserved place; it was kept, to learn what that costs.",
    )
    DISPLACES = "displaces", "It takes the place of a message that was reserved, not yet confirmed and worth less."

    # About the customer.
    CUSTOMER_UNKNOWN = "customer_unknown", "Nothing is known of this customer yet."
    HOLDOUT = "holdout", "The customer is in the share that never gets marketing, for the long-run effect."
    HOLDBACK_RUNNING = (
        "holdback_running",
        "A message was held back; until its outcome is in, nothing takes its place.",
    )
    NOT_IN_AUDIENCE = (
        "not_in_audience",
        "The campaign's audience does not hold (or cannot be judged) for this customer.",
    )
    PREFERENCE_PAUSE = "preference_pause", "The customer asked for a pause."

    NO_OFFER = "no_offer", "Nothing in the catalogue fits the request and its campaign."

    # About a channel.
    CHANNEL_NOT_ALLOWED = "channel_not_allowed", "The policy or the request does not allow this channel."
    CONSENT_WITHDRAWN = "consent_withdrawn", "The customer withdrew consent for this channel and purpose."
    CONSENT_MISSING = "consent_missing", "There is no consent for this channel and purpose."
    CONTACT_ABSENT = "contact_absent", "There is no contact for this channel."
    CONTACT_HARD_BOUNCED = "contact_hard_bounced", "The contact is dead: a message bounced for good."
    CONTACT_SOFT_BOUNCED = "contact_soft_bounced", "The contact bounced lately and is not tried for this purpose."
    PREFERENCE_CHANNEL_OFF = "preference_channel_off", "The customer does not want this channel."
    BUDGET_EXHAUSTED = "budget_exhausted", "The channel's budget is spent."

    # About an offer.
    NOT_IN_CATALOGUE = "not_in_catalogue", "The catalogue no longer has the offer, its channel or its campaign."
    OFFER_RULE = "offer_rule", "The offer's eligibility does not hold (or cannot be judged) for this customer."
    NO_SCORE = "no_score", "No model and no prior gives this offer on this channel a value."

    # About time: these pass.
    OFFER_NOT_VALID = "offer_not_valid", "The offer has not begun, or is over."
    CAP = "cap", "A cap on the number of messages is reached."
    PREFERENCE_CAP = "preference_cap", "The customer's own limit per week is reached."
    NOT_DUE = "not_due", "So soon after the messages before, one more would earn less than a later one."
    MIN_GAP = "min_gap", "Too close to another message, sent or reserved."
    COOLDOWN = "cooldown", "The offer was sent or taken up lately."
    EXCLUSIVITY = "exclusivity", "An offer that excludes this one was sent lately or is reserved."
    SMART_PAUSE = "smart_pause", "Too many messages in a row went unanswered."
    ZONE_UNKNOWN = "zone_unknown", "The time zone is unknown and it may be night where the customer is."
    QUIET_HOURS = "quiet_hours", "It is night for this channel and purpose."
    PREFERENCE_QUIET_HOURS = "preference_quiet_hours", "The customer asked for quiet at these hours."
    DAY_OFF = "day_off", "It is a weekend or public holiday where the customer lives."
    BLACKOUT = "blackout", "The policy's calendar forbids messages now."
    NO_ROOM = "no_room", "Between all the rules, no stretch of permitted time is long enough."

    # Where numbers come from.
    PRIOR = "prior", "A part of the value is a declared assumption, for want of data."


RANK: dict[str, int] = {code: place for place, code in enumerate(Code)}
"""The place of each code in the order above."""


TEXTS: dict[str, str] = {code.value: code.text for code in Code}
"""The line for a person, by code as a decision's record spells it."""


def code_table() -> str:
    """Return the codes as a Markdown table (docs/policy.md holds it)."""
    rows = (f"| `{code}` | {code.text} |" for code in Code)
    return "\n".join(("| code | meaning |", "|---|---|", *rows))
