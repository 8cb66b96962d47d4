"""The looks that are taken at one message: when it was granted, when it was confirmed, and as it stands now."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import tzinfo
from math import inf
from typing import TYPE_CHECKING

from pipelines.recount.history import CONFIRMED, ENDED, GRANTED, Message, Person
from pipelines.recount.rules import Rules
from pipelines.recount.windows import Stay
from pipelines.recount.zones import countries_of, zones_of

if TYPE_CHECKING:
    from pipelines.recount.history import History, Send
    from pipelines.recount.rulebook import Rulebook


@dataclass(frozen=True, slots=True, kw_only=True)
class View:
    """A message that may go during ``stay``, with all that was known of messages at the audit's entry ``seq``."""

    message: Message
    stay: Stay
    seq: float
    others: tuple[Message, ...]
    person: Person
    zones: Sequence[tzinfo]
    countries: tuple[str, ...]
    rules: Rules


def granted(send: Send, history: History, book: Rulebook) -> View:
    """Return the look at the grant: all of ``send_at … expires_at`` was promised."""
    message, rules = send.message, book.then(send)
    person = _then(send, history)
    stay = (message.at, message.until)
    local = None if send.person else send.local  # without a record, the promise itself tells the offset it was for
    return _view(send, history, stay, message.known, person, rules, local=local)


def confirmed(send: Send, history: History, book: Rulebook) -> list[View]:
    """Return the looks at the permission given, if one was: it goes then, or at ``send_at`` where that is later.

    A zone, a wish or a policy changed meanwhile carries no number of the audit: nobody can tell whether before or
    after. There is a look for each state of things that may have been; only what breaks in all of them is broken.
    """
    asked = send.of(CONFIRMED)
    if not asked or send.confirmed_at is None:
        return []
    at = max(send.confirmed_at, send.message.at)
    then, now = _then(send, history), history.person
    people = [then] if _same(then, now) else [then, replace(now, converted=then.converted)]
    rules = (book.then(send), book.now(send))
    local = None if send.person else send.local
    looks = [
        _view(send, history, (at, at), asked[0], who, which, local=local) for which in rules for who in people
    ]
    if local:  # the promised offset and the present one are two states of things
        looks += [_view(send, history, (at, at), asked[0], now, which) for which in rules]
    return looks


def standing(send: Send, history: History, book: Rulebook) -> View | None:
    """Return the look at a message that still counts, with everything known by now."""
    if send.state in ENDED or send.place is None or send.place_at is None:
        return None
    stay = send.message.as_known(inf) if send.place == GRANTED else (send.place_at, send.place_at)
    return _view(send, history, stay, inf, history.person, book.then(send))


def _then(send: Send, history: History) -> Person:
    """Return the customer as the decision knew them; where no record tells, of a wish nobody knows since when."""
    return send.person or replace(history.person, wish={})


def _same(then: Person, now: Person) -> bool:
    return (then.zone, then.country, dict(then.wish)) == (now.zone, now.country, dict(now.wish))


def _view(
    send: Send,
    history: History,
    stay: Stay,
    seq: float,
    person: Person,
    rules: Rules,
    *,
    local: str | None = None,
) -> View:
    others = [each.message for each in history.sends if each is not send] + history.foreign
    return View(
        message=send.message,
        stay=stay,
        seq=seq,
        others=tuple(each for each in others if each.standing(seq)),
        person=person,
        zones=zones_of(person, rules, stay[0], local=local),
        countries=countries_of(person, rules),
        rules=rules,
    )
