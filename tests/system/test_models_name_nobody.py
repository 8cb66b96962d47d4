"""P7 over MLflow: trained models and all that is kept of their training name no customer, erased or not."""

from __future__ import annotations

import json
import re
import shutil

import pytest

from tests.worlds.commands import shop_in
from tests.worlds.privacy import traces

pytestmark = pytest.mark.slow

PREFIX = "canary-7f3a9d-"
"""Every customer's id begins so: what has it in it names somebody."""
ERASED = f"{PREFIX}0003"
READ = {".db", ".json", ".lgb", ".npz", ".txt", ".yaml", ".md", ".png", ""}
"""Kinds of files that the search reads as they are, or unpacks; of a picture, what is written beside its dots."""


@pytest.fixture(scope="module")
def shop(tmp_path_factory, mlflow_store):
    """A shop whose models were trained on customers of recognisable ids."""
    folder = tmp_path_factory.mktemp("shop")
    (folder / "mlruns").mkdir()
    shutil.copy(mlflow_store, folder / "mlruns" / "mlflow.db")
    shop = shop_in(folder)
    for file in ("people.csv", "happened.csv"):
        text = (folder / file).read_text()
        (folder / file).write_text(re.sub(r"\bc(\d{4})\b", rf"{PREFIX}\1", text))
    with shop.in_process() as kairos:
        for words in (("import", "import.yaml"), ("features", "build"), ("features", "materialize")):
            done = kairos(*words)
            assert done.exit_code == 0, done.output
        trained = kairos("train", "--json")
        assert trained.exit_code == 0, trained.output
        models = json.loads(trained.stdout.splitlines()[-1])["models"]
        assert any(each["status"] == "measured" for each in models.values())
    return shop


@pytest.fixture(scope="module")
def before(shop):
    """The files that named the person before the erasure."""
    return traces(shop.folder, ERASED)


@pytest.fixture(scope="module")
def erased(shop, before):
    with shop.in_process() as kairos:
        done = kairos("customers", "erase", ERASED)
    assert done.exit_code == 0, done.output


def test_no_file_of_runs_registry_or_artefacts_names_a_customer_before_or_after_one_is_erased(
    shop, before, erased
):
    assert before
    files = [each for each in (shop.folder / "mlruns").rglob("*") if each.is_file()]
    assert {each.name for each in files} >= {"mlflow.db", "scorer.json"}
    assert {each.suffix for each in files} <= READ, "a kind of file that the search may not read"
    assert traces(shop.folder / "mlruns", PREFIX) == []


def test_the_search_finds_what_is_there(shop, tmp_path):
    copy = shutil.copytree(shop.folder / "mlruns", tmp_path / "mlruns")
    assert len(traces(copy, "churn")) > 1
    for file in copy.rglob("scorer.json"):
        file.write_text(file.read_text() + ERASED)
    assert traces(copy, PREFIX)


def test_whoever_is_erased_is_left_in_nothing_but_the_files_that_were_imported(shop, erased):
    assert set(traces(shop.folder, ERASED)) == {"people.csv", "happened.csv"}
