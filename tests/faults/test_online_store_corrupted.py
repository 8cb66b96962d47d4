"""Whatever becomes of Feast's files, a question is answered: from what can be read, else from priors that say so."""

from __future__ import annotations

import random
import shutil
from datetime import timedelta

import pytest

from features.build import build_features
from features.store import FeatureStore
from runtime.build import build
from serving.app import create_app
from tests.worlds.features import WORDS as HERE
from tests.worlds.features import MemoryLake, customer, event
from tests.worlds.service import NOW, ask, call, settings_in, settle

PEOPLE = [f"person-{number}" for number in range(8)]

pytestmark = pytest.mark.slow


@pytest.fixture(scope="module")
def built(tmp_path_factory):
    """Features of some customers, built and materialized once."""
    root = tmp_path_factory.mktemp("built") / "features"
    days = [NOW - timedelta(days=each) for each in (3, 10, 40)]
    rows = [event(who, "purchased", day, value=9.0, category="bread") for who in PEOPLE for day in days]
    lake = MemoryLake(rows, [customer(who, zone="Europe/Berlin") for who in PEOPLE])
    build_features(lake, root, vocabulary=HERE, until=NOW.date())
    FeatureStore(root, HERE).materialize()
    return root


@pytest.fixture
def home(tmp_path, built):
    """The settings of a service over a copy of them."""
    settings = settings_in(tmp_path / "home")
    shutil.copytree(built, settings.features)
    settle(settings, PEOPLE)
    return settings


def file_of(settings, name):
    (found,) = settings.features.glob(f"online/*/{name}") if name.endswith(".db") else [settings.features / name]
    return found


def answers(settings, people=PEOPLE[:2]):
    """The answers to one question about each, by a service that has just been started."""
    with build(settings) as kairos:
        app = create_app(kairos)
        found = [call(app, "POST", "/v1/decisions", json=ask(who)) for who in people]
    assert [each.status_code for each in found] == [200] * len(people), found[0].text
    return [each.json() for each in found]


def told(answer):
    return {word for reason in answer["reasons"] for word in str(reason["detail"]).split(":")} | {
        word for reason in answer["reasons"] for word in reason["code"].split(":")
    }


def test_whole_files_are_read(home):
    assert all("features_away" not in told(each) and each["features_as_of"] for each in answers(home))


def _half(file):
    file.write_bytes(file.read_bytes()[: file.stat().st_size // 2])


def _stump(file):
    file.write_bytes(file.read_bytes()[:100])


def _noise(file):
    file.write_bytes(random.Random(1).randbytes(file.stat().st_size))


def _empty(file):
    file.write_bytes(b"")


def _gone(file):
    file.unlink()


@pytest.mark.parametrize("damage", [_half, _stump, _noise, _empty, _gone])
@pytest.mark.parametrize("name", ["online.db", "online/current.json"])
def test_a_damaged_store_is_answered_for_by_priors_that_say_so(home, name, damage):
    damage(file_of(home, name))
    for answer in answers(home):
        assert answer["features_as_of"] is None
        assert "features_away" in told(answer)


@pytest.mark.parametrize("damage", [_noise, _gone])
def test_feasts_registry_is_not_needed_for_an_answer(home, damage):
    damage(file_of(home, "registry.db"))
    assert all("features_away" not in told(each) and each["features_as_of"] for each in answers(home))


def test_noise_anywhere_in_the_store_never_breaks_an_answer(home):
    """A page that was overwritten may still hold rows: they are read, or priors answer; nothing else can happen."""
    dice, file = random.Random(5), file_of(home, "online.db")
    whole = file.read_bytes()
    for _ in range(25):
        at, long = dice.randrange(len(whole)), dice.randrange(1, 400)
        file.write_bytes(whole[:at] + dice.randbytes(long) + whole[at + long :])
        for answer in answers(home, people=PEOPLE[:3]):
            assert answer["features_as_of"] or "features_away" in told(answer) or "cold_start" in str(answer)


def test_a_store_that_is_mended_is_read_again_by_the_same_service(home):
    file = file_of(home, "online.db")
    whole = file.read_bytes()
    with build(home) as kairos:
        app = create_app(kairos)
        file.write_bytes(b"")
        away = call(app, "POST", "/v1/decisions", json=ask(PEOPLE[0])).json()
        file.write_bytes(whole)
        back = call(app, "POST", "/v1/decisions", json=ask(PEOPLE[1])).json()
    assert away["features_as_of"] is None
    assert back["features_as_of"] is not None
