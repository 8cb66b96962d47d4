"""What is known of reaching a customer on a channel: what the company declares, and what bounces teach.

One JSON object per customer, by channel: ``declared`` (the contract's contact state), ``learned`` (null or a
bounced state), ``soft`` (soft bounces so far), ``proxied`` (a machine opens this mail: opens say nothing).
The state that counts is the worse of declared and learned, so that importing the same customers again cannot
revive a dead address; declaring something *new* of the channel starts over. The first declaration of a channel is
not new in that sense: what was learned before it was of the same address, told in another order.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Mapping

    from features.contracts import ContactState

Contacts = dict[str, dict[str, Any]]

SOFT_BOUNCES_THAT_STAY = 3
"""One soft bounce is forgotten at the next delivery; after three a delivery no longer clears them."""

_WORSE: tuple[ContactState, ...] = ("valid", "soft_bounced", "absent", "hard_bounced")


def states_of(contacts: Mapping[str, Any]) -> dict[str, ContactState]:
    """Return the contact state that counts, by channel."""
    return {channel: _worse(known) for channel, known in contacts.items()}


def _worse(known: Mapping[str, Any]) -> ContactState:
    states: tuple[ContactState, ...] = (known.get("declared") or "absent", known.get("learned") or "valid")
    return max(states, key=_WORSE.index)


def is_proxied(contacts: Mapping[str, Any], channel: str) -> bool:
    """Return whether a machine is known to open this customer's messages on the channel."""
    return bool(contacts.get(channel, {}).get("proxied"))


def declare(contacts: Mapping[str, Any], declared: Mapping[str, ContactState]) -> Contacts:
    """Return the contacts after the company's own statement. A channel it no longer names is absent."""
    made: Contacts = {}
    for channel in sorted(contacts.keys() | declared.keys()):
        old, state = contacts.get(channel, {}), declared.get(channel)
        same = old.get("declared", state) == state
        made[channel] = {**old, "declared": state} if same else {"declared": state}
        made[channel] |= {"proxied": True} if old.get("proxied") else {}
    return made


def bounce(contacts: Mapping[str, Any], channel: str, *, hard: bool) -> Contacts:
    """Return the contacts after a bounce."""
    old = contacts.get(channel, {})
    if hard or old.get("learned") == "hard_bounced":
        return {**contacts, channel: {**old, "learned": "hard_bounced"}}
    return {**contacts, channel: {**old, "learned": "soft_bounced", "soft": old.get("soft", 0) + 1}}


def deliver(contacts: Mapping[str, Any], channel: str) -> Contacts | None:
    """Return the contacts after a delivery, or None where it changes nothing."""
    old = contacts.get(channel, {})
    if old.get("learned") != "soft_bounced" or old.get("soft", 0) >= SOFT_BOUNCES_THAT_STAY:
        return None
    return {**contacts, channel: {**old, "learned": None, "soft": 0}}


def proxy(contacts: Mapping[str, Any], channel: str) -> Contacts | None:
    """Return the contacts after a machine's open or click, or None where that was known."""
    if is_proxied(contacts, channel):
        return None
    return {**contacts, channel: {**contacts.get(channel, {}), "proxied": True}}
