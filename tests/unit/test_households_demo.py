"""What the half simulated demo says of itself, to people and to programs."""

import json
from dataclasses import replace
from datetime import UTC, datetime
from io import StringIO

import pytest
from rich.console import Console

from features.importing import ImportReport
from pipelines.jobs.demonstrating import DemoReport
from pipelines.jobs.learning import Changed
from pipelines.jobs.overlaying import Overlaid
from pipelines.jobs.planning import PlanReport
from pipelines.recount import Report
from pipelines.views.demo import learned, simulated

OVERLAID = Overlaid(
    family="clusters",
    seed=1,
    events={"clicked": 2, "purchased": 1, "sent": 30},
    messages={"email": 20, "push": 7, "sms": 3},
    consents=12,
)


@pytest.fixture
def report():
    counts = {"customers": 2, "consents": 0, "preferences": 0, "duplicates": 0}
    imported = ImportReport(
        **counts, events={"purchased": 9}, quarantined={}, first_occurred_at=None, last_occurred_at=None
    )
    plan = PlanReport(
        date="2018-01-01",
        days=7,
        asked=2,
        send=1,
        sends={"push": 1},
        offers={},
        hold={"not_worth_it": 1},
        value=0.1,
        incremental=False,
        prices={},
        budgets={},
        seconds=1.0,
    )
    return DemoReport(
        now=datetime(2018, 1, 1, tzinfo=UTC),
        imported=imported,
        overlaid=OVERLAID,
        households=2,
        excluded={},
        outcomes=(),
        plan=plan,
        shown=(),
        changed=Changed(
            looked_at=9, holds={"not_due": 2}, now_sent=1, other_channel=0, other_offer=3, other_time=0
        ),
        recount=Report(customers=2, sends=1, confirms=0, violations=(), overruns=()),
        seconds=1.0,
    )


def test_the_object_names_its_world_and_counts_what_is_simulated_apart(report):
    answer = json.loads(json.dumps(report.as_json()))
    assert answer["world"] == "half simulated"
    assert answer["simulated"]["messages"] == {"email": 20, "push": 7, "sms": 3}
    assert answer["events_imported"] == {"purchased": 9}


def test_what_learning_changed_is_counted_and_said_with_its_reason(report):
    assert report.changed.total == 6
    assert report.as_json()["changed_by_learning"]["holds"] == {"not_due": 2}
    console = Console(width=150, record=True, file=StringIO())
    console.print(learned(report.changed))
    said = console.export_text()
    assert "6 of 9 decisions are not what was believed" in said
    assert "nothing goes now: So soon after the messages before" in said
    assert "by another channel" not in said


def test_without_an_overlay_the_world_is_real_and_nothing_is_called_simulated(report):
    answer = replace(report, overlaid=None).as_json()
    assert answer["world"] == "real"
    assert "simulated" not in answer


def test_people_read_what_is_real_and_what_is_not():
    console = Console(record=True, width=120)
    console.print(*simulated(OVERLAID, households=2469), sep="\n")
    text = " ".join(console.export_text().split())
    assert "HALF SIMULATED" in text
    assert "Decided for 2,469 households, half simulated: purchases real, messages and reactions simulated" in text
    assert "20 by email, 7 by push, 3 by sms" in text
    assert "“simulated:”" in text
