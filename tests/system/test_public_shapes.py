"""Data as they lie about in public train what they can, say what they cannot, and decide: by the public commands."""

from __future__ import annotations

import pytest

from tests.worlds.shapes import mailing_list, snapshot

pytestmark = pytest.mark.slow

ROAD = (("import", "import.yaml"), ("features", "build"), ("features", "materialize"))


def trained(shop):
    """Go the road and return what `kairos train` said, by model. Only the last step is a process of its own."""
    with shop.in_process() as kairos:
        for words in ROAD:
            went = kairos(*words)
            assert went.exit_code == 0, went.output[-2000:]
    ran = shop("train", "--json")
    assert ran.code == 0, ran.err[-2000:]
    return ran.answer["models"]


def decided(shop, who):
    with shop.in_process() as kairos:
        went = kairos("decide", who, "--dry-run", "--json")
    assert went.exit_code == 0, went.output[-2000:]
    return went.stdout


@pytest.fixture(scope="module")
def letters(tmp_path_factory, mlflow_store):
    shop = mailing_list(tmp_path_factory.mktemp("letters") / "home", mlflow_store)
    return shop, trained(shop)


def test_sends_and_opens_alone_train_hours_channel_and_attention(letters):
    _, models = letters
    assert {name for name, each in models.items() if each["status"] == "measured"} == {
        "send_time",
        "channel",
        "worth",
    }
    assert all(models[name]["decides"] for name in ("send_time", "channel", "worth"))


def test_hours_that_a_sender_chose_are_declared_as_such(letters):
    _, models = letters
    said = models["send_time"]["reason"]
    assert models["send_time"]["baseline_name"] == "all_hours_alike"
    assert "hours were chosen by the sender, not drawn" in said
    assert "at 2 different local hours" in said
    assert "people's own hours cannot be told: there is no session, cart_added, purchased event" in said


def test_what_a_letter_leads_to_stays_declared_where_no_order_was_told(letters):
    shop, models = letters
    assert models["worth"]["metric"] == "seen_loss"
    assert "attention only: no order was told" in models["worth"]["reason"]
    answer = decided(shop, "s0001")
    assert "prior:worth:no_orders" in answer
    assert "prior:send_time:email:chosen_hours" in answer
    assert "prior:channel" not in answer


def test_what_a_list_cannot_teach_names_its_cause_and_what_would_do(letters):
    _, models = letters
    assert "labels: {churn: …}" in models["churn"]["reason"]
    assert "there is no purchased event" in models["offer"]["reason"]
    assert "unsubscribed or complained" in models["fatigue"]["reason"]


def test_a_horizon_that_is_asked_for_is_kept(letters):
    shop, _ = letters
    with shop.in_process() as kairos:
        went = kairos("train", "channel", "--days", "170", "--json")
    assert went.exit_code == 0
    assert "within 170 days" in went.stdout


def test_a_snapshot_with_a_label_trains_churn_without_events(tmp_path, mlflow_store):
    shop = snapshot(tmp_path / "home", mlflow_store)
    churn = trained(shop)["churn"]
    assert churn["status"] == "measured"
    assert churn["baseline_name"] == "everybody"
    assert churn["decides"].startswith(("churn", "logistic"))
    assert "learned from a declared label and attributes" in churn["reason"]
    assert "customers were held out at random" in churn["reason"]
    answer = decided(shop, "k0000")  # whose label is not known
    assert "prior:churn" not in answer
