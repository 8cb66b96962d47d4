"""What came of a customer's own messages, counted by offer and channel: what their value can be learned from.

A reaction takes its time, so a message counts as :func:`ripe` as its age; it is met with less attention the more
was sent before it, so its pressure is summed beside it. Nobody can know whether a person opened what a machine
opened: such messages are hidden, and stand apart.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import ibis
import ibis.expr.types as ir

from features.contracts.words import FIRST_PLAUSIBLE
from features.tables.messages import about, of_reports, told_before
from features.tables.moments import CUSTOMER, dated, days_between, exact, local_time, midnight
from features.vocabulary import (
    PRESSURE_HALF_LIFE_DAYS,
    RIPE_SCALE_DAYS,
    RIPE_SHAPE,
    TALLY_COUNTS,
    TALLY_PAIRS,
)

if TYPE_CHECKING:
    from datetime import date

_BLOCK_WEEKS = 40
_BLOCK = round(_BLOCK_WEEKS * PRESSURE_HALF_LIFE_DAYS * 86_400_000_000)
_SCALED = "decimal(38, 20)"
"""Holds 2^40 a message and 900,000 messages a block, exactly: a sum is the same whatever the order of rows."""

_REACTIONS = ("opened", "clicked", "converted", "bounced")


def tally(events: ir.Table, *, until: date, told: ir.Table | None = None) -> ir.Table:
    """Return the counts of :func:`counts` as arrays, one row a customer who was sent a message on some channel.

    Columns: ``customer_id``, ``event_timestamp`` (``until`` 00:00 UTC) and ``Vocabulary.tally_arrays``, which
    run side by side, sorted by ``tally_pairs``.
    """
    counted = counts(events, until=until, told=told)
    arrays = {name: counted[name].collect(order_by=counted.pair) for name in TALLY_COUNTS}
    pairs = {TALLY_PAIRS: counted.pair.collect(order_by=counted.pair)}
    rows = counted.group_by(CUSTOMER).agg(**pairs, **arrays)
    return rows.mutate(event_timestamp=midnight(until))


def counts(events: ir.Table, *, until: date, told: ir.Table | None = None) -> ir.Table:
    """Return what came of each customer's messages before ``until`` 00:00 UTC: one row a customer and ``pair``.

    ``pair`` is ``"offer|channel"`` of the message (:mod:`features.tables.messages`), ``"|channel"`` where it names
    no offer; one without a channel is left out, and weighs on those after it all the same. Columns, each message
    at most once in each, all float:

    - ``tally_sent``: messages;
    - ``tally_exposed``, ``tally_pressed``: how ripe those are together that no machine opened and that did
      not bounce, and the same times each one's pressure;
    - ``tally_hidden``, ``tally_hidden_pressed``: the same of those that a machine opened, bounced or not;
    - ``tally_opened``, ``tally_clicked``, ``tally_seen`` (any of open, click and conversion): those not
      hidden to which a person did that; ``tally_ordered``: those that a ``converted`` event names;
    - ``tally_hidden_clicked``, ``tally_hidden_ordered``: the same of the hidden.

    A message's pressure is the sum, over the customer's messages before it on any channel, of half to the power of
    the weeks between. Messages of one moment follow each other by event id. What is more than forty weeks older
    may be left out: less than 1e-12 a message. ``told`` are the reports before ``until``, where they are at hand.
    """
    told = told_before(events, until) if told is None else told
    each = _outcomes(_pressed(of_reports(told)), events, until, told)
    each = each.mutate(pair=each.offer_id.fill_null("") + "|" + each.channel)
    return each.group_by([CUSTOMER, "pair"]).agg(**_summed(each))


def outcomes(events: ir.Table, *, until: date) -> ir.Table:
    """Return each message before ``until`` 00:00 UTC that names its channel, and what came of it by then.

    Columns: ``customer_id``, ``message``, ``occurred_at``, ``channel``, ``offer_id``, ``pressure`` (see
    :func:`counts`), ``ripe`` (:func:`ripe`), and whether it was opened by a ``machine``, ``bounced``, or by a
    person ``opened``, ``clicked``, ``seen`` (opened, clicked or followed by an order) or ``converted``.
    """
    told = told_before(events, until)
    return _outcomes(_pressed(of_reports(told)), events, until, told)


def _outcomes(sends: ir.Table, events: ir.Table, until: date, told: ir.Table) -> ir.Table:
    reacted = _reacted(dated(events, until=until), told)
    each = sends.left_join(reacted, [CUSTOMER, "message"]).drop(f"{CUSTOMER}_right", "message_right")
    each = each.filter(each.channel.notnull()).fill_null(dict.fromkeys(_FLAGS, False))
    age = days_between(ibis.date(until).cast("timestamp"), local_time("UTC", each.occurred_at))
    return each.mutate(ripe=ripe(age))


def ripe(age_days: ir.FloatingValue) -> ir.FloatingValue:
    """Return the share of a message's reactions that have arrived at its age: 1 − exp(−(age / 12 h)^0.6)."""
    return 1.0 - (-((age_days / RIPE_SCALE_DAYS) ** RIPE_SHAPE)).exp()


_FLAGS = ("machine", "bounced", "opened", "clicked", "converted", "seen")


def _reacted(known: ir.Table, told: ir.Table) -> ir.Table:
    """Say of each message that an event names what was done to it."""
    happened = known.filter(known.type.isin(_REACTIONS))
    # Few columns: what an event is about is told apart by all of them.
    named = about(happened.select(CUSTOMER, "type", "automated", "decision_id", "message_id"), told)
    person = ~named.automated
    opened, clicked, converted = (named.type == what for what in ("opened", "clicked", "converted"))
    flags = {
        "machine": opened & named.automated,
        "bounced": named.type == "bounced",
        "opened": opened & person,
        "clicked": clicked & person,
        "converted": converted,
        "seen": (opened | clicked | converted) & person,
    }
    return named.group_by([CUSTOMER, "message"]).agg(**{name: flags[name].any() for name in _FLAGS})


def _summed(each: ir.Table) -> dict[str, ir.Value]:
    plain, hidden = ~each.machine, each.machine
    reached = plain & ~each.bounced
    aged, pressed = exact(each.ripe), exact(each.ripe * each.pressure)
    totals = {
        "tally_sent": each.count(),
        "tally_exposed": aged.sum(where=reached),
        "tally_pressed": pressed.sum(where=reached),
        "tally_hidden": aged.sum(where=hidden),
        "tally_hidden_pressed": pressed.sum(where=hidden),
        "tally_opened": (plain & each.opened).sum(),
        "tally_seen": (plain & each.seen).sum(),
        "tally_clicked": (plain & each.clicked).sum(),
        "tally_hidden_clicked": (hidden & each.clicked).sum(),
        "tally_ordered": (plain & each.converted).sum(),
        "tally_hidden_ordered": (hidden & each.converted).sum(),
    }
    return {name: total.cast("float64").fill_null(0.0) for name, total in totals.items()}


def _pressed(sends: ir.Table) -> ir.Table:
    """Add each message's ``pressure``, in time that grows with the messages alone.

    Half to the power of the weeks between two is one power over another, so that a running sum gives them all. No
    number holds such powers over years: a message's moment is told from the start of its block of forty weeks, and
    only the block before is carried over.
    """
    since = ibis.timestamp(FIRST_PLAUSIBLE.replace(tzinfo=None))
    ticks = local_time("UTC", sends.occurred_at).delta(since, unit="microsecond")
    half_lives = (ticks % _BLOCK) / (PRESSURE_HALF_LIFE_DAYS * 86_400_000_000)
    placed = sends.mutate(block=ticks // _BLOCK, power=ibis.literal(2.0) ** half_lives)
    placed = placed.mutate(scaled=placed.power.cast(_SCALED))
    before = ibis.cumulative_window(group_by=[CUSTOMER, placed.block], order_by=["occurred_at", "message"])
    placed = placed.mutate(run=placed.scaled.sum().over(before) - placed.scaled)
    carried = placed.group_by([CUSTOMER, "block"]).agg(carried=placed.scaled.sum())
    carried = carried.mutate(block=carried.block + 1)
    joined = placed.left_join(carried, [CUSTOMER, "block"])
    earlier = joined.carried.cast("float64").fill_null(0.0) / 2.0**_BLOCK_WEEKS
    pressure = (joined.run.cast("float64") + earlier) / joined.power
    return joined.select(CUSTOMER, "message", "occurred_at", "channel", "offer_id", pressure=pressure)
