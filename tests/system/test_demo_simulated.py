"""The half simulated demo on invented households: what is laid over them, and that the plan uses every channel."""

from collections import Counter
from contextlib import closing

import pyarrow.compute as pc
import pytest

from decisions.catalogue import load_catalogue
from decisions.policy import load_policy
from features.lake import connect
from pipelines.jobs.demonstrating import EXAMPLE
from pipelines.jobs.everywhere import Everywhere
from pipelines.jobs.overlaying import overlay
from pipelines.jobs.planning import plan_day
from pipelines.jobs.recounting import recount_ledger
from runtime.build import build
from runtime.lake import lake_of
from simulation.households.laying import MARK
from tests.worlds import households as invented
from tests.worlds.service import settings_in

CHANNELS = {"email", "push", "sms"}


@pytest.fixture(scope="module")
def shop(tmp_path_factory):
    """Bring the invented households into lake and ledger, as the demo's import brings the real ones."""
    declared = {name: EXAMPLE / f"{name}_simulated.yaml" for name in ("policy", "catalogue")}
    settings = settings_in(tmp_path_factory.mktemp("half_simulated"), **declared, now=invented.NOW, buckets=2)
    with closing(build(settings)) as kairos:
        sink = Everywhere(lake_of(kairos.settings), kairos.ledger, invented.NOW)
        sink.customers(invented.customers())
        sink.consents(invented.consents())
        sink.events(invented.purchases())
        yield kairos


@pytest.fixture(scope="module")
def laid(shop):
    return overlay(shop, history=40)


@pytest.fixture(scope="module")
def lake_events(shop, laid):
    lake, connection = lake_of(shop.settings), connect()
    tables = [lake.events(connection, bucket).to_pyarrow() for bucket in range(lake.buckets)]
    connection.disconnect()
    return [row for table in tables for row in table.to_pylist()]


def test_messages_of_every_channel_lie_in_the_lake_beside_untouched_purchases(laid, lake_events):
    real = [row for row in lake_events if not row["event_id"].startswith(MARK)]
    assert len(real) == len(invented.purchases())
    sent = Counter(row["channel"] for row in lake_events if row["type"] == "sent")
    assert sent == laid.messages
    assert set(sent) == CHANNELS


def test_the_ledger_feels_the_simulated_messages(shop, laid, lake_events):
    sent = next(row for row in lake_events if row["type"] == "sent")
    timeline = shop.ledger.timeline(sent["customer_id"])
    assert ("sent", sent["channel"], sent["occurred_at"]) in {(row.what, row.channel, row.at) for row in timeline}


def test_laying_it_over_again_changes_nothing(shop, laid, lake_events):
    again = overlay(shop, history=40)
    assert again.events == laid.events
    lake, connection = lake_of(shop.settings), connect()
    count = sum(lake.events(connection, bucket).count().execute() for bucket in range(lake.buckets))
    connection.disconnect()
    assert count == len(lake_events)


def test_the_plan_writes_on_every_channel_and_breaks_no_promise(shop, laid):
    report = plan_day(shop, days=7)
    assert set(report.sends) >= CHANNELS
    assert not any(recount_ledger(shop).counts.values())


def test_nobody_is_written_to_on_a_channel_they_left(shop, laid, lake_events):
    left = {(row["customer_id"], row["channel"]) for row in lake_events if row["type"] == "unsubscribed"}
    made = shop.ledger.decisions_table().filter(pc.field("action") == "send").to_pylist()
    assert not left & {(row["customer_id"], row["channel"]) for row in made}


def test_the_simulated_shop_sells_what_the_real_one_does():
    real, simulated = (load_catalogue(EXAMPLE / f"catalogue{kind}.yaml").offers for kind in ("", "_simulated"))
    for one, other in zip(real, simulated, strict=True):
        assert set(other.channels) <= {*one.channels, "push", "sms"}
        assert other.send_cost.items() >= one.send_cost.items()
        widened = {"channels": other.channels, "send_cost": other.send_cost}
        assert one.model_copy(update=widened) == other


def test_the_simulated_policy_differs_by_channels_and_beliefs_alone():
    real, simulated = (load_policy(EXAMPLE / f"policy{kind}.yaml") for kind in ("", "_simulated"))
    about_channels = {"channels", "caps", "daily_budget", "priors"}
    differing = {name for name in type(real).model_fields if getattr(real, name) != getattr(simulated, name)}
    assert differing <= about_channels
    assert set(simulated.caps) >= set(real.caps)


def test_the_real_demo_holds_nothing_simulated(demo):
    assert demo.answer["world"] == "real"
    assert "simulated" not in demo.answer
    assert "HALF SIMULATED" not in demo.err


def test_a_world_that_does_not_exist_is_refused(kairos):
    ran = kairos("demo", "--world", "imaginary")
    assert ran.code == 2
    assert "imaginary" in ran.err
