"""`kairos check`: what can be read and cannot be meant is said before anything runs, with the nearest name."""

from __future__ import annotations

import json

import pytest
from typer.testing import CliRunner

from decisions.checking import Seen, look
from decisions.documents import DocumentError
from features.lake import Lake
from pipelines.cli import app
from pipelines.jobs.checking import check_files, kind_of
from pipelines.jobs.serving import serve_until_stopped
from runtime.checking import refuse_unsound, seen_in
from tests.worlds.deciding import catalogue, offer, policy
from tests.worlds.lake import customer, customers, event, events
from tests.worlds.service import settings_in

SOMEBODY = Seen(attributes=frozenset({"tier"}), anybody=True)


def found(*, seen=SOMEBODY, stock=None, **changes):
    return [(each.level, each.what) for each in look(policy(**changes), stock or catalogue(), seen)]


def told(*, level, what, **given):
    return any(each == level and what in said for each, said in found(**given))


def test_what_is_meant_says_nothing():
    stock = catalogue(offer(eligibility="tier = 'gold' and recency_days < 30 and country = 'DE' and churn < 0.5"))
    assert found(stock=stock) == []


@pytest.mark.parametrize(
    ("text", "seen", "level", "what"),
    [
        ("recency_dayz < 30", SOMEBODY, "error", "holds for nobody. did you mean 'recency_days'?"),
        ("teir = 'gold'", SOMEBODY, "error", "did you mean 'tier'?"),
        ("email_sent_8d < 3", SOMEBODY, "error", "did you mean 'email_sent_"),
        ("recency_dayz < 30", Seen(), "error", "did you mean 'recency_days'?"),
        ("tier = 'gold'", Seen(), "warning", "no customer is imported yet"),
        ("country < 3", SOMEBODY, "error", "compares a string (country) with a number"),
        ("category_share > 3", SOMEBODY, "error", "neither a feature nor an attribute"),
        ("recency_days < 3", Seen(attributes=frozenset({"recency_days"}), anybody=True), "error", "never the"),
        ("fax_sent_7d < 3", Seen(attributes=frozenset({"fax_sent_7d"}), anybody=True), "error", "never the"),
        (
            "tier = 'x'",
            Seen(attributes=frozenset({"tier", "churn"}), anybody=True),
            "warning",
            "no condition can read it",
        ),
    ],
)
def test_a_name_that_leads_nowhere_is_said_with_the_nearest(text, seen, level, what):
    assert told(level=level, what=what, seen=seen, stock=catalogue(offer(eligibility=text)))


@pytest.mark.parametrize(
    ("changes", "level", "what"),
    [
        ({"caps": [{"limit": 1, "window": "1d", "category": "drink"}]}, "error", "no category 'drink', so the cap binds"),
        ({"caps": [{"limit": 1, "window": "1d", "offer_id": "te"}]}, "error", "no offer_id 'te'"),
        ({"caps": [{"limit": 1, "window": "1d", "campaign_id": "autumn"}]}, "error", "no campaign_id 'autumn'"),
        ({"channels": ["fax"]}, "warning", "so it can never be sent"),
        ({"priors": {"channels": {"fax": {}}}}, "warning", "no channel 'fax'"),
        ({"quiet_hours": [{"from_hour": 0, "until_hour": 24}]}, "warning", "leave no minute on email"),
        ({"quiet_hours": [{"from_hour": "8:10", "until_hour": 8}]}, "warning", "leave 10 minutes in a row on email"),
        (
            {"experiments": [{"experiment_id": "x", "arms": [{"name": "a"}, {"name": "b"}]}]},
            "warning",
            "arms ['a', 'b'] are alike",
        ),
        (
            {
                "min_gap_hours": 5,
                "experiments": [
                    {"experiment_id": "x", "arms": [{"name": "a"}, {"name": "b", "policy": {"min_gap_hours": 5.0}}]}
                ],
            },
            "warning",
            "arm 'b' changes ['min_gap_hours'] to what the policy says anyway",
        ),
    ],
)  # fmt: skip
def test_a_rule_that_binds_nothing_or_leaves_nothing_is_said(changes, level, what):
    assert told(level=level, what=what, **changes)


def test_a_night_of_half_hours_over_midnight_leaves_the_day():
    assert found(quiet_hours=[{"from_hour": "21:30", "until_hour": "7:45"}]) == []


def test_a_category_that_nobody_bought_is_said_with_the_nearest():
    seen = Seen(attributes=frozenset(), anybody=True, categories=frozenset({"drink", "food"}))
    assert told(level="warning", what="nobody bought anything of", seen=seen)


POLICY = """
channels: [email]
countries: [DE]
experiments: [{experiment_id: calm, arms: [{name: a}, {name: b, policy: {min_gap_hours: 48}}]}]
"""
PLAN = """
experiment_id: calm
control: a
arms: {a: 0.5, b: 0.5}
metrics: [{name: clicks, kind: rate, numerator: {events: [clicked]}}]
"""
MAPPING = """
sources: {file: people.csv}
customers:
  - {name: people, from: file, customer_id: "{id}", attributes: {tier: "{tier}"}}
"""
CATALOGUE = "offers: [{offer_id: tea, category: drinks, channels: [email], margin: 5, eligibility: tier = 'gold'}]"


@pytest.fixture(name="deployment")
def _deployment(tmp_path):
    settings = settings_in(tmp_path)
    for name, text in {"policy": POLICY, "catalogue": CATALOGUE, "plan": PLAN, "mapping": MAPPING}.items():
        (tmp_path / f"{name}.yaml").write_text(text)
    (tmp_path / "people.csv").write_text("id,tier,at\n1,gold,2024-01-01T00:00:00Z\n")
    return settings


def said(settings, *names):
    return [(each.level, each.what) for each in check_files(settings, [settings.home / name for name in names])]


def test_each_file_is_known_by_its_keys(deployment):
    names = ("policy", "catalogue", "plan", "mapping")
    assert [kind_of(deployment.home / f"{name}.yaml") for name in names] == list(names)


def test_files_are_checked_together_a_mapping_saying_which_attributes_there_will_be(deployment):
    assert said(deployment, "mapping.yaml", "plan.yaml") == []
    ((level, what),) = said(deployment)
    assert level == "warning"
    assert "'tier' is no feature, and no customer is imported yet" in what


def test_an_attribute_that_is_called_like_a_feature_is_an_error(deployment):
    (deployment.home / "mapping.yaml").write_text(MAPPING.replace("tier:", "recency_days:"))
    assert any("no condition can read it" in what for _, what in said(deployment, "mapping.yaml"))


EVENTS = """
events:
  - {name: told, from: file, event_id: "{id}", customer_id: "{id}", type: viewed, occurred_at: "{at}", channel: email}
"""


@pytest.mark.parametrize(
    ("old", "new", "level", "what"),
    [
        ("people.csv", "poeple.csv", "error", "file 'poeple.csv' is not there"),
        ("people.csv", "peo*.txt", "error", "the pattern matches no file"),
        ("type: viewed", "type: veiwed", "error", "no row passes with 'veiwed': type is one of the event types"),
        ("type: viewed", "type: {value: '{id}', map: {'1': bougth}}", "error", "no row passes with 'bougth'"),
        (
            "channel: email",
            "channel: E-Mail",
            "error",
            "no row passes with 'E-Mail': channel is a short lower-case",
        ),
        (
            "channel: email",
            "channel: emial",
            "warning",
            "the policy has no channel 'emial': did you mean 'email'?",
        ),
        ('occurred_at: "{at}"', "occurred_at: soon", "error", "no row passes with 'soon': a time in ISO 8601"),
        ('occurred_at: "{at}"', "occurred_at: 2999-01-01T00:00:00Z", "error", "occurred_at lies between 1970 and"),
        ('occurred_at: "{at}"', "occurred_at: 7", "error", "say what it counts since 1970, with unit"),
        ("channel: email", "currency: euro", "error", "currency is three capitals"),
    ],
)
def test_files_that_are_missing_and_constants_that_no_row_passes_with_are_told(deployment, old, new, level, what):
    (deployment.home / "mapping.yaml").write_text((MAPPING + EVENTS).replace(old, new))
    assert [(each, what in text) for each, text in said(deployment, "mapping.yaml")] == [(level, True)]


@pytest.mark.parametrize("more", ["type: unsubscribed, occurred_at: soon", "type: '{tier}', occurred_at: soon"])
def test_a_constant_date_that_cannot_be_is_no_error_where_withdrawals_may_come(deployment, more):
    (deployment.home / "mapping.yaml").write_text(
        (MAPPING + EVENTS).replace('type: viewed, occurred_at: "{at}"', more)
    )
    assert said(deployment, "mapping.yaml") == []


@pytest.mark.parametrize(
    ("old", "new", "level", "what"),
    [
        ("b: 0.5", "c: 0.5", "error", "arm 'b' is in the policy alone; the plan has a, c"),
        ("a: 0.5", "a: 1.5", "error", "the plan means {'a': 0.75, 'b': 0.25}, the policy's weights make"),
        ("experiment_id: calm", "experiment_id: calmer", "warning", "did you mean 'calm'?"),
        ("control: a", "control: z", "error", "control 'z' is none of the arms"),
    ],
)
def test_a_plan_that_does_not_fit_its_experiment_is_said(deployment, old, new, level, what):
    (deployment.home / "plan.yaml").write_text(PLAN.replace(old, new))
    assert any(each == level and what in text for each, text in said(deployment, "plan.yaml"))


def test_whatever_is_unreadable_is_said_beside_the_rest(deployment):
    home = deployment.home
    (home / "mapping.yaml").write_text(MAPPING.replace("from: file", "form: file"))
    (home / "plan.yaml").write_text("arms: 010")
    files = [home / name for name in ("mapping.yaml", "plan.yaml", "nowhere.yaml")]
    texts = [f"{each.where}: {each.what}" for each in check_files(deployment, files)]
    for what in ("customers[0].form: is no key here", "line 1: arms: 010", "there is no such file"):
        assert any(what in text for text in texts)
    assert not any(str(home) in text for text in texts)


def test_names_are_looked_up_among_the_customers_of_the_lake(deployment):
    lake = Lake(deployment.lake)
    lake.put_customers(customers(customer("a", attributes='{"tier": "gold"}'), customer("b")))
    lake.append(events(event("e", "a", properties='{"category": "drinks"}')))
    assert seen_in(deployment.lake, {"tier"}) == Seen(
        attributes=frozenset({"tier"}), anybody=True, categories=frozenset({"drinks"})
    )
    assert said(deployment) == []
    (deployment.catalogue).write_text(CATALOGUE.replace("tier", "teir"))
    assert [level for level, _ in said(deployment)] == ["error"]


def test_the_command_says_each_finding_on_a_line_and_ends_with_1_on_errors(deployment, monkeypatch):
    monkeypatch.setenv("KAIROS_HOME", str(deployment.home))
    deployment.catalogue.write_text(CATALOGUE.replace("tier", "recency_dayz"))
    files = [str(deployment.policy), str(deployment.catalogue)]
    shown = CliRunner().invoke(app, ["check", *files])
    assert (shown.exit_code, shown.stdout.splitlines()[-1]) == (1, "errors: 1, warnings: 0")
    assert f"error: {deployment.catalogue}: eligibility of offer 'tea'" in shown.stdout
    told = CliRunner().invoke(app, ["check", *files, "--json"])
    (finding,) = json.loads(told.stdout.splitlines()[-1])["findings"]
    assert finding["level"] == "error"


def test_neither_plan_nor_service_begins_with_what_cannot_be_meant(deployment):
    deployment.catalogue.write_text(CATALOGUE.replace("tier", "recency_dayz"))
    with pytest.raises(DocumentError, match=r"did you mean 'recency_days'\?\nmend this first"):
        serve_until_stopped(deployment)
    deployment.catalogue.write_text(CATALOGUE)
    from decisions.catalogue import load_catalogue
    from decisions.policy import load_policy

    warnings = refuse_unsound(deployment, load_policy(deployment.policy), load_catalogue(deployment.catalogue))
    assert [each.level for each in warnings] == ["warning"]
