"""Policy and catalogue as files: what they refuse, and how they say so."""

from __future__ import annotations

from pathlib import Path

import pytest

from decisions.catalogue import Catalogue, load_catalogue
from decisions.documents import DocumentError
from decisions.eligibility import Code, code_table
from decisions.ledger import Reading
from decisions.policy import Policy, load_policy, overlaid
from tests.worlds.deciding import catalogue, offer, policy

ROOT = Path(__file__).parents[2]


def written(folder: Path, text: str) -> Path:
    path = folder / "document.yaml"
    path.write_text(text, encoding="utf-8")
    return path


def test_the_commented_example_is_a_policy():
    example = load_policy(ROOT / "examples" / "policy.yaml")
    assert example.caps[0].limit == 1
    assert {arm.name for arm in example.experiments[0].arms} == {"control", "calm"}


def test_the_table_of_reason_codes_in_the_docs_is_fresh():
    page = (ROOT / "docs" / "policy.md").read_text(encoding="utf-8")
    begin, end = "<!-- reason codes: begin -->", "<!-- reason codes: end -->"
    assert page.split(begin)[1].split(end)[0].strip() == code_table()
    assert all(code.text.endswith(".") for code in Code)


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("channels: [email]\ncups: []", r"cups = \[\]: is no key here; did you mean 'caps'\?"),
        ("channels: [email]\ncaps: [{limits: 1, window: 7d}]", r"caps.0.limits = 1: .* did you mean 'limit'\?"),
        ("channels: [email]\ncaps: [{window: 7d}]", r"yaml: caps.0.limit: is missing \(line 2\)"),
        ("channels: email", r"channels = 'email': must be a list: .* \(line 1\)"),
        ("channels: [email]\nholdback: 0.1", r"holdback = 0.1: must be keys and values"),
        ("channels: [email]\ncaps: [{limit: -1, window: 7d}]", r"caps.0.limit = -1: .*greater than or equal to 0"),
        ("channels: [email]\ncaps: [{limit: 1, window: fortnight}]", r"caps.0.window = 'fortnight': .*rolling"),
        ("channels: [email]\ncaps: [{limit: 1, window: 1d, channel: sms}]", r"\['sms'\] are used below"),
        ("channels: [email]\nchannels: [sms]", "'channels' is written more than once"),
        ("channels: [email]\ntime_zones: [Mars/Base]", "'Mars/Base' is not an IANA zone"),
        ("channels: [email]\ndays_off: {public_holidays: true}", "needs countries"),
        ("channels: [email]\nopt_in_purposes: [service]", "marketing always needs a granted consent"),
        ("channels: [email]\nchannel_gap_hours: {email: -1}", "at least 0 hours"),
        ("channels: []", "at least 1 item"),
        ("- email", "expected keys and values, got list"),
        ("channels: [email", "document.yaml: while parsing"),
    ],
)
def test_a_policy_that_cannot_be_used_says_which_key_value_and_rule(tmp_path, text, message):
    with pytest.raises(DocumentError, match=message):
        load_policy(written(tmp_path, text))


def test_a_missing_file_is_named_with_an_example_of_one(tmp_path):
    with pytest.raises(DocumentError, match=r"nowhere.yaml: .*examples/complete_journey/policy.yaml"):
        load_policy(tmp_path / "nowhere.yaml")


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"blackouts": [{"start": "2026-01-02T00:00", "end": "2026-01-01T00:00"}]}, "before it begins"),
        ({"blackouts": [{"start": 20261224, "end": 20261227}]}, "20261224 is a number, not a moment"),
        ({"blackouts": [{"start": "20261224", "end": "20261227"}]}, "is a number, not a moment"),
        ({"blackouts": [{"start": "2026-01-01T00:00Z", "end": "2026-01-02T00:00"}]}, "both carry an offset"),
        ({"experiments": [{"experiment_id": "x", "arms": [{"name": "a"}, {"name": "a"}]}]}, "different names"),
        (
            {
                "experiments": [
                    {"experiment_id": "x", "arms": [{"name": "a"}, {"name": "b", "policy": {"cups": 1}}]}
                ]
            },
            r"arm 'b' of experiment 'x': cups: is no key here; did you mean 'caps'\?",
        ),
        (
            {
                "experiments": [
                    {"experiment_id": "x", "arms": [{"name": "a"}, {"name": "b", "policy": {"experiments": []}}]}
                ]
            },
            r"cannot change \['experiments'\]",
        ),
        (
            {
                "experiments": [
                    {"experiment_id": "x", "arms": [{"name": "a"}, {"name": "b", "policy": {"daily_budget": {}}}]}
                ]
            },
            r"cannot change \['daily_budget'\]: all arms share them",
        ),
        ({"daily_budget": {"email": -1}}, "at least 0 messages"),
        (
            {
                "experiments": [
                    {"experiment_id": name, "layer": "one", "share": 0.6, "arms": [{"name": "a"}, {"name": "b"}]}
                    for name in ("x", "y")
                ]
            },
            "layer 'one' take 1.2",
        ),
    ],
)
def test_parts_of_a_policy_that_contradict_themselves_are_refused(changes, message):
    with pytest.raises(ValueError, match=message):
        policy(**changes)


@pytest.mark.parametrize(
    "changes",
    [
        {"caps": [{"limit": 1, "window": "401d"}]},
        {"caps": [{"limit": 1, "window": "58w"}]},
        {"min_gap_hours": 9601},
        {"channel_gap_hours": {"email": 9601}},
        {"smart_pause": {"days": 401}},
        {"cooldowns": {"after_sent_days": 401}},
        {"cooldowns": {"after_conversion_days": 401}},
        {"cooldowns": {"exclusivity_days": 401}},
    ],
)
def test_a_rule_that_counts_further_back_than_decisions_look_is_refused(changes):
    with pytest.raises(ValueError, match=r"400|9600"):
        policy(**changes)
    with pytest.raises(ValueError, match="400"):
        offer(cooldown_days=401)
    assert policy(caps=[{"limit": 1, "window": "400d"}]).caps[0].rolling == Reading().look_back


def test_two_experiments_of_one_name_are_refused():
    one = {"experiment_id": "x", "share": 0.1, "arms": [{"name": "a"}, {"name": "b"}]}
    with pytest.raises(ValueError, match="different ids"):
        policy(experiments=[one, one])


def test_the_version_follows_the_content_and_nothing_else():
    assert policy().version == policy().version
    assert policy(min_gap_hours=1).version != policy().version
    assert catalogue().version != catalogue(offer("coffee")).version


def test_an_overlay_merges_mappings_and_replaces_the_rest():
    base = policy(caps=[{"limit": 1, "window": "day"}], holdback={"share": 0.1, "outcome_days": 3})
    result = overlaid(base, {"caps": [], "holdback": {"share": 0.2}})
    assert (result.caps, result.holdback.share, result.holdback.outcome_days) == ((), 0.2, 3)


CATALOGUE = """
offers:
  - {offer_id: tea, category: drinks, channels: [email], margin: 5, eligibility: recency_days < 30}
campaigns:
  - {campaign_id: spring, offers: [tea]}
"""


def test_a_catalogue_names_its_categories_channels_and_rivals(tmp_path):
    stock = load_catalogue(written(tmp_path, CATALOGUE))
    assert (stock.categories, stock.channels, stock.rivals) == (("drinks",), ("email",), {"tea": ()})


@pytest.mark.parametrize(
    ("data", "message"),
    [
        ({"offers": [offer("tea"), offer("tea")]}, r"offer_id must be unique, but \['tea'\]"),
        (
            {"offers": [offer("tea")], "campaigns": [{"campaign_id": "spring", "offers": ["milk"]}]},
            r"campaign 'spring' names offers \['milk'\]",
        ),
        ({"offers": [offer(eligibility="recency_days <")]}, "eligibility of offer 'tea'"),
        ({"offers": [offer(variables={"first": " "})]}, "needs a fallback that is not blank"),
        (
            {"offers": [offer(caps=[{"limit": 1, "window": "1d", "offer_id": "milk"}])]},
            "names another offer",
        ),
    ],
)
def test_a_catalogue_that_cannot_be_used_says_why(data, message):
    with pytest.raises(ValueError, match=message):
        Catalogue.model_validate(data)


def test_a_policy_needs_channels():
    with pytest.raises(ValueError, match="channels"):
        Policy.model_validate({})
