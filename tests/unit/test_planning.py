"""The plan of a day spends its budgets once, however often it is killed, run again or run twice at a time."""

from __future__ import annotations

from collections import Counter
from dataclasses import replace
from datetime import timedelta

import pyarrow as pa
import pyarrow.compute as pc
import pytest

from decisions.records import Ask
from features.contracts import CUSTOMER_SCHEMA
from pipelines.jobs import planning
from runtime.build import build
from runtime.lake import lake_of
from tests.worlds.service import NOW, settings_in, settle

BLOCK = 20
CUSTOMERS = [f"c{number}" for number in range(3 * BLOCK)]
PLACES = 2 * BLOCK // 3
"""Fewer than one block would send."""
POLICY = f"""
channels: [email]
quiet_hours: []
min_gap_hours: 0
daily_budget: {{email: {PLACES}}}
"""
TOMORROW = (NOW + timedelta(days=1)).date()


class KilledError(Exception):
    """The run is over, between two blocks."""


def after(blocks, act):
    """Progress that does ``act`` once so many blocks are decided."""
    return lambda _stage, done, _of: act() if done == blocks * BLOCK else None


def die():
    raise KilledError


@pytest.fixture
def settings(tmp_path, monkeypatch, database_url):
    monkeypatch.setattr(planning, "BLOCK", BLOCK)
    settings = settings_in(tmp_path, ledger_url=database_url)
    (tmp_path / "policy.yaml").write_text(POLICY)
    settle(settings, CUSTOMERS)
    empty = dict.fromkeys(CUSTOMER_SCHEMA.names)
    rows = [{**empty, "customer_id": each, "attributes": "{}", "contacts": "{}"} for each in CUSTOMERS]
    lake_of(settings).put_customers(pa.Table.from_pylist(rows, schema=CUSTOMER_SCHEMA))
    return settings


def plan(settings, *, day=TOMORROW, **options):
    with build(settings) as kairos:
        return planning.plan_day(kairos, day=day, **options)


def reserved(settings) -> int:
    with build(settings) as kairos:
        return Counter(kairos.ledger.decisions_table()["action"].to_pylist())["send"]


def test_a_plan_spends_its_budget_and_no_more(settings):
    assert plan(settings).send == PLACES == reserved(settings)


def test_the_price_of_a_place_is_not_taken_from_the_value_of_a_plan(settings):
    with build(settings) as kairos:
        report = planning.plan_day(kairos, day=TOMORROW)
        made = kairos.ledger.decisions_table().filter(pc.field("action") == "send")["decision_id"].to_pylist()
        parts = [kairos.ledger.decision(each).expected_value for each in made]
    assert all(each.price > 0 for each in parts)
    assert report.value == pytest.approx(sum(replace(each, price=0).total for each in parts))


def test_a_plan_for_tomorrow_killed_and_run_again_later_keeps_its_budget(settings):
    with pytest.raises(KilledError):
        plan(settings, progress=after(1, die))
    later = settings.model_copy(update={"now": NOW + timedelta(hours=1)})
    assert plan(later).send == PLACES == reserved(settings)


def test_two_runs_of_a_plan_at_the_same_time_keep_its_budget_together(settings):
    def another_goes_ahead():
        with pytest.raises(KilledError):
            plan(settings, progress=after(2, die))

    assert plan(settings, progress=after(1, another_goes_ahead)).send == PLACES == reserved(settings)


def test_a_plan_run_again_has_the_prices_of_its_first_run(settings):
    first = plan(settings)
    assert first.prices["email"] > 0
    assert plan(settings).prices == first.prices


def test_a_plan_of_two_days_and_the_plan_of_the_second_share_its_places(settings):
    assert plan(settings).send == PLACES
    assert plan(settings, day=NOW.date(), days=2).send == PLACES
    assert plan(settings, day=NOW.date()).send == 0


def test_single_questions_find_what_the_plan_of_their_day_has_left(settings):
    asks = [Ask(request_id=f"one-{each}", customer_id=each) for each in CUSTOMERS[: PLACES // 2]]
    with build(settings) as kairos:
        taken = [each.action for each in kairos.decider.decide(asks)].count("send")
    assert taken > 0
    assert plan(settings, day=NOW.date()).send == PLACES - taken


class Listening:
    """A decider that keeps the request ids it is asked under."""

    def __init__(self, decider):
        self.decider, self.previewed, self.decided = decider, set(), set()

    def preview(self, asks, **options):
        self.previewed |= {ask.request_id for ask in asks}
        return self.decider.preview(asks, **options)

    def decide_block(self, asks, **options):
        self.decided |= {ask.request_id for ask in asks}
        return self.decider.decide_block(asks, **options)


def test_prices_are_set_by_other_draws_than_those_that_decide(settings):
    with build(settings) as kairos:
        heard = Listening(kairos.decider)
        planning.plan_day(replace(kairos, decider=heard), day=TOMORROW)
    assert heard.previewed
    assert heard.decided
    assert heard.previewed.isdisjoint(heard.decided)
