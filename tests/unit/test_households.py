"""Real households under a simulated messaging truth: what stays real, and how what is simulated shows."""

from dataclasses import replace
from datetime import UTC, datetime, timedelta

import numpy as np
import orjson
import pyarrow.compute as pc
import pytest

from features.contracts import Consent, Customer, Event
from simulation.draws import Draws
from simulation.families import FAMILIES
from simulation.households.laying import MARK, households
from simulation.people.rhythm import CURVES
from tests.worlds import households as invented


@pytest.fixture(scope="module")
def overlay():
    return invented.laid()


@pytest.fixture(scope="module")
def events(overlay):
    return overlay.events


@pytest.fixture(scope="module")
def people():
    customers = invented.customers()
    return households(
        customers,
        invented.purchases(),
        shop=invented.SHOP,
        family=FAMILIES["clusters"],
        draws=Draws("test", 1),
        start=invented.START,
    )


def test_the_same_seed_gives_the_same_overlay_in_whatever_order_the_data_come(overlay):
    turned = np.arange(invented.SIZE)[::-1]
    customers, purchases = invented.customers().take(turned), invented.purchases()
    again = invented.laid(customers=customers, purchases=purchases.take(np.arange(len(purchases))[::-1]))
    assert again.events.equals(overlay.events)
    assert again.customers.equals(overlay.customers)
    assert again.consents.equals(overlay.consents)


def test_another_seed_gives_another_overlay(events):
    assert not invented.laid(seed=4).events.equals(events)


def test_real_ids_are_kept_and_nobody_is_invented(overlay):
    assert sorted(overlay.customers["customer_id"].to_pylist()) == sorted(invented.ids())
    assert set(overlay.events["customer_id"].to_pylist()) <= set(invented.ids())


def test_every_simulated_event_message_order_and_consent_is_recognised_by_its_mark(overlay):
    for name in ("event_id", "message_id"):
        known = overlay.events[name].drop_null()
        assert pc.all(pc.starts_with(known, MARK)).as_py()
    orders = overlay.events.filter(pc.equal(overlay.events["type"], "purchased"))
    assert len(orders)
    assert all(orjson.loads(row)["order_id"].startswith(MARK) for row in orders["properties"].to_pylist())
    assert pc.all(pc.starts_with(overlay.consents["source"], MARK)).as_py()


def test_event_ids_are_unique(events):
    assert len(events["event_id"].unique()) == len(events)


def test_no_visit_is_simulated_and_every_order_follows_a_message(events):
    types = set(events["type"].to_pylist())
    assert "session" not in types
    assert {"sent", "delivered", "opened", "clicked", "purchased", "converted"} <= types
    sent = {_number(row["message_id"]) for row in _of(events, "sent")}
    assert {_number(row["message_id"]) for row in _of(events, "converted")} <= sent
    assert {_number(row["event_id"]) for row in _of(events, "purchased")} <= sent


def test_all_three_channels_are_written_on(events):
    assert set(events["channel"].drop_null().to_pylist()) == {"email", "push", "sms"}


def test_nothing_happens_outside_the_days_asked_for(events):
    last = datetime(2018, 1, 1, tzinfo=UTC)
    moments = events["occurred_at"].to_pylist()
    assert min(moments) >= last - timedelta(days=invented.DAYS)
    assert max(moments) < last


def test_contacts_and_consents_on_record_stay_and_nobody_is_written_to_without(overlay):
    before = {row["customer_id"]: orjson.loads(row["contacts"]) for row in invented.customers().to_pylist()}
    after = {row["customer_id"]: orjson.loads(row["contacts"]) for row in overlay.customers.to_pylist()}
    assert all(after[name].items() >= known.items() for name, known in before.items())
    granted = {(row["customer_id"], row["channel"]) for row in overlay.consents.to_pylist()}
    assert {channel for _, channel in granted} == {"push", "sms"}
    allowed = granted | {(name, "email") for name, known in before.items() if known["email"] == "valid"}
    assert {(row["customer_id"], row["channel"]) for row in _of(overlay.events, "sent")} <= allowed
    assert all(after[name][channel] == "valid" for name, channel in allowed)


def test_who_unsubscribed_is_not_written_to_on_that_channel_again():
    events = invented.laid(family=_everybody_leaves()).events
    left = {(row["customer_id"], row["channel"]): row["occurred_at"] for row in _of(events, "unsubscribed")}
    assert len(left) > 20
    for row in _of(events, "sent"):
        ended = left.get((row["customer_id"], row["channel"]))
        assert ended is None or row["occurred_at"].date() <= ended.date()


def test_the_order_rate_follows_the_real_orders(people):
    orders = np.array([invented.orders_of(number) for number in range(invented.SIZE)])
    assert np.allclose(people.orders / orders, people.orders[0] / orders[0])
    assert people.orders.sum() * 364 == pytest.approx(orders.sum(), rel=0.02)


def test_hours_of_the_real_orders_shape_the_rhythm(people):
    number = np.arange(invented.SIZE)
    many = invented.orders_of(number) > 25
    hours = (people.mix @ CURVES).reshape(-1, 7, 24).sum(axis=1)
    early, late = (hours[many & (number % 2 == odd)].mean(axis=0) for odd in (0, 1))
    assert early[7] > 2 * late[7]
    assert late[21] > 2 * early[21]
    assert np.allclose(people.mix.sum(axis=1), 1)


def test_taste_follows_the_money(people):
    bought = np.arange(invented.SIZE) % len(invented.CATEGORIES)
    assert (people.taste.argmax(axis=1) == bought).mean() > 0.9
    assert np.allclose(people.taste.sum(axis=1), 1)


def test_an_ordinary_order_earns_what_the_real_ones_did(people):
    values = invented.purchases()["value"].to_numpy()
    assert people.shop.order_margin == pytest.approx(0.25 * 2 * values.mean())


def test_no_message_can_undo_what_is_real(people):
    assert (people.lift >= 0).all()
    assert not people.redeem.any()
    assert not people.pushed.any()


def test_good_customers_of_the_family_are_those_who_really_order_most(people):
    most = people.orders > np.quantile(people.orders, 0.8)
    assert people.vip[most].mean() > people.vip[~most].mean()


def test_everything_is_a_contract(overlay):
    for row in overlay.events.slice(0, 200).to_pylist():
        Event.model_validate({**row, "properties": orjson.loads(row["properties"])})
    for row in overlay.consents.to_pylist():
        Consent.model_validate(row)
    for row in overlay.customers.to_pylist():
        parsed = {name: orjson.loads(row[name]) for name in ("attributes", "contacts")}
        Customer.model_validate({**row, **parsed})


def test_a_lake_without_purchases_is_refused_with_the_way_out():
    with pytest.raises(ValueError, match="import purchases first"):
        invented.laid(purchases=invented.purchases().slice(0, 0))


def _number(name):
    """Return what a message and the order that follows it share in their ids."""
    return name.removeprefix(MARK).lstrip("mp")


def _of(events, kind):
    return events.filter(pc.equal(events["type"], kind)).to_pylist()


def _everybody_leaves():
    family = FAMILIES["clusters"]
    return replace(family, attention=replace(family.attention, left=(0.1, 0.1, 0.1)))
