"""What is known of reaching a customer on a channel: what the company declares, and what bounces teach.

One JSON object per customer, by channel: ``declared`` (the contract's contact state), ``since`` (when that last
changed), ``hard``, ``soft`` and ``alive`` (the latest hard bounce, soft bounce and sign of life, as moments),
``proxied`` (a machine opens this mail: opens say nothing), and ``messages`` (the same four, from events that name
a message and no channel). The latest moment is the latest in whatever order it is told.

A hard bounce tells of a dead address; a soft one of a full one, until a later sign of life. The state that counts
is the worse of declared and learned, so that importing the same customers again cannot revive a dead address;
declaring something *new* of the channel starts over: only what came after it counts. The first declaration of a
channel is not new in that sense: what was learned before it was of the same address, told in another order.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Mapping

    from features.contracts import ContactState

Contacts = dict[str, dict[str, Any]]
Learned = dict[str, Any]
"""What events teach of one channel: any of ``hard``, ``soft``, ``alive`` and ``proxied``."""

_WORSE: tuple[ContactState, ...] = ("valid", "soft_bounced", "absent", "hard_bounced")
_BOUNCES = ("hard", "soft")
LIFE_SIGNS = frozenset({"delivered", "opened", "clicked"})
"""What shows that a message arrived, whoever opened it. ``features.tables.contact`` says the same."""
_OPENING = frozenset({"opened", "clicked"})


def taught(kind: str, at: int, *, hard: bool, automated: bool) -> Learned:
    """Return what an event of a type teaches of the channel it was on."""
    learned: Learned = {}
    if kind == "bounced":
        learned["hard" if hard else "soft"] = at
    if kind in LIFE_SIGNS:
        learned["alive"] = at
    if automated and kind in _OPENING:
        learned["proxied"] = True
    return learned


def joined(one: Mapping[str, Any], other: Mapping[str, Any]) -> Learned:
    """Return what both teach together: of each the latest."""
    latest = {name: max(value, one.get(name, value)) for name, value in other.items()}
    return {**one, **latest}


def states_of(contacts: Mapping[str, Any]) -> dict[str, ContactState]:
    """Return the contact state that counts, by channel."""
    return {channel: _worse(known) for channel, known in contacts.items()}


def _worse(known: Mapping[str, Any]) -> ContactState:
    return max(known.get("declared") or "absent", _taught_state(known), key=_WORSE.index)


def _taught_state(known: Mapping[str, Any]) -> ContactState:
    everything = joined(known, known.get("messages", {}))
    since = known.get("since")
    hard, soft = (_after(everything.get(name), since) for name in _BOUNCES)
    if hard is not None:
        return "hard_bounced"
    alive = everything.get("alive")
    return "soft_bounced" if soft is not None and (alive is None or soft >= alive) else "valid"


def _after(moment: int | None, since: int | None) -> int | None:
    return moment if moment is None or since is None or moment > since else None


def is_proxied(contacts: Mapping[str, Any], channel: str) -> bool:
    """Return whether a machine is known to open this customer's messages on the channel."""
    known = contacts.get(channel, {})
    return bool(known.get("proxied") or known.get("messages", {}).get("proxied"))


def declare(contacts: Mapping[str, Any], declared: Mapping[str, ContactState], tick: int) -> Contacts:
    """Return the contacts after the company's own statement. A channel it no longer names is absent."""
    return {
        channel: _declared(contacts.get(channel, {}), declared.get(channel), tick)
        for channel in sorted(contacts.keys() | declared.keys())
    }


def _declared(known: Mapping[str, Any], state: ContactState | None, tick: int) -> dict[str, Any]:
    if "declared" not in known:
        return {**known} if state is None else {**known, "declared": state}
    if known["declared"] == state:
        return {**known}
    # A clock that is behind what was told already starts over all the same.
    learned = joined(known, known.get("messages", {}))
    return {**known, "declared": state, "since": max(tick, *(learned.get(name, tick) for name in _BOUNCES))}


def learn(contacts: Mapping[str, Any], lessons: Mapping[str, Learned]) -> Contacts:
    """Return the contacts after what events taught of some channels."""
    return {**contacts, **{channel: joined(contacts.get(channel, {}), new) for channel, new in lessons.items()}}


def learn_by_messages(contacts: Mapping[str, Any], lessons: Mapping[str, Learned]) -> Contacts:
    """Return the contacts with ``lessons`` in place of all that was learned by way of messages before."""
    made = {}
    for channel in sorted(contacts.keys() | lessons.keys()):
        known = {name: value for name, value in contacts.get(channel, {}).items() if name != "messages"}
        if lesson := lessons.get(channel):
            known["messages"] = lesson
        if known:
            made[channel] = known
    return made
