from __future__ import annotations

import json
import shutil

import pytest

from decisions.scorers.artefact import Artefact
from decisions.scorers.base import KINDS
from runtime import champions as copies
from runtime import promoted
from runtime.champions import NO_CHAMPION, POINTER, UNREADABLE, Champion, Champions
from runtime.promoted import MlflowRegistry, Registered, RegistryAwayError, refresh


class Plain:
    """A scorer that knows its version, and why it is a prior."""

    def __init__(self, version, why=None):
        self.version, self.why = version, why

    @classmethod
    def prior(cls, why):
        return cls("prior", why)


@pytest.fixture(autouse=True)
def plain_scorers(monkeypatch):
    """Boosters take seconds to import, and what they answer is not in question here."""

    def load(kind, directory):
        return Plain(Artefact.read(directory, kind=kind).version)

    monkeypatch.setattr(copies, "load_scorer", load)
    monkeypatch.setattr(promoted, "load_scorer", load)
    monkeypatch.setattr(copies, "scorer_class", lambda _: Plain)


def artefact_of(kind, directory, fact):
    Artefact(kind=kind, facts={"fact": fact}).write(directory)


@pytest.fixture
def champions(tmp_path):
    return Champions(tmp_path / "champions")


class FakeRegistry:
    """Holds artefacts by kind; ``away`` is raised instead of an answer."""

    def __init__(self, folder):
        self.folder = folder
        self.held: dict[str, tuple[str, object]] = {}
        self.away: Exception | None = None
        self.tags: dict[str, str] = {}
        self.downloads = 0
        self.questions = 0

    def promote(self, kind, version, fact):
        path = self.folder / f"{kind}-{version}"
        artefact_of(kind, path, fact)
        self.held[kind] = (version, path)

    def champion(self, kind):
        self.questions += 1
        if self.away:
            raise self.away
        if kind not in self.held:
            return None
        return Registered(
            name=f"kairos-{kind}", version=self.held[kind][0], run_id=kind, content=self.tags.get(kind)
        )

    def download(self, registered, into):
        self.downloads += 1
        return shutil.copytree(self.held[registered.run_id][1], into / "scorer")


@pytest.fixture
def registry(tmp_path):
    return FakeRegistry(tmp_path)


def test_without_champions_every_model_is_its_prior(champions):
    scorers = champions.current()
    assert set(scorers.versions) == set(KINDS)
    assert set(scorers.versions.values()) == {"prior"}
    assert scorers.offer.why == NO_CHAMPION


def test_a_refresh_brings_the_champions_and_names_them_by_registered_version(champions, registry):
    registry.promote("churn", "3", fact=1)
    refreshed = refresh(champions, registry)
    assert refreshed.champions["churn"].label == "kairos-churn/3"
    assert champions.current().versions["churn"] == "kairos-churn/3"
    assert champions.current().versions["offer"] == "prior"


def test_a_promotion_is_seen_without_a_restart(champions, registry):
    registry.promote("churn", "3", fact=1)
    refresh(champions, registry)
    before = champions.current()
    assert champions.current() is before, "nothing is loaded twice"
    registry.promote("churn", "4", fact=2)
    refresh(champions, registry)
    assert champions.current().versions["churn"] == "kairos-churn/4"


def test_a_champion_that_lost_its_alias_gives_way_to_the_prior(champions, registry):
    registry.promote("churn", "3", fact=1)
    refresh(champions, registry)
    registry.held.clear()
    refresh(champions, registry)
    assert champions.current().versions["churn"] == "prior"


def test_while_the_registry_is_away_the_last_good_copies_serve(champions, registry):
    registry.promote("churn", "3", fact=1)
    refresh(champions, registry)
    registry.away, registry.questions = RegistryAwayError("no answer"), 0
    refreshed = refresh(champions, registry)
    assert registry.questions == 1, "who does not answer once is not asked five times"
    assert champions.current().versions["churn"] == "kairos-churn/3"
    assert "churn: kept kairos-churn/3: no answer" in refreshed.notes
    assert "offer: kept the prior: no answer" in refreshed.notes


def test_a_copy_that_was_altered_is_not_used(champions, registry, tmp_path):
    registry.promote("churn", "3", fact=1)
    champion = refresh(champions, registry).champions["churn"]
    head = champions.root / champion.folder / "scorer.json"
    head.write_text(head.read_text().replace('"fact": 1', '"fact": 2'))
    found = Champions(champions.root).current()
    assert found.versions["churn"] == "prior"
    assert found.churn.why == UNREADABLE


def test_a_damaged_copy_is_mended_by_the_next_refresh(champions, registry):
    registry.promote("churn", "3", fact=1)
    champion = refresh(champions, registry).champions["churn"]
    shutil.rmtree(champions.root / champion.folder)
    refresh(champions, registry)
    assert Champions(champions.root).current().versions["churn"] == "kairos-churn/3"


def test_a_copy_under_another_content_hash_is_refused(champions, tmp_path):
    artefact_of("churn", tmp_path / "a", fact=1)
    champion = Champion(kind="churn", name="kairos-churn", version="1", content="0" * 16)
    with pytest.raises(ValueError, match="kairos-churn/1 should hold"):
        champions.keep(champion, tmp_path / "a")


def test_an_artefact_that_is_not_what_its_version_says_is_refused_and_the_last_one_kept(champions, registry):
    registry.promote("churn", "3", fact=1)
    refresh(champions, registry)
    registry.promote("churn", "4", fact=2)
    registry.tags["churn"] = "0" * 16
    refreshed = refresh(champions, registry)
    assert refreshed.champions["churn"].version == "3"
    assert any("changed in the registry" in note for note in refreshed.notes)


def test_a_copy_that_is_here_already_is_not_fetched_again(champions, registry):
    registry.promote("churn", "3", fact=1)
    registry.tags["churn"] = refresh(champions, registry).champions["churn"].content
    refresh(champions, registry)
    assert registry.downloads == 1


def test_an_unreadable_pointer_means_priors_and_no_error(champions):
    champions.root.mkdir()
    (champions.root / POINTER).write_text("{")
    assert set(champions.current().versions.values()) == {"prior"}


def test_the_pointer_is_plain_and_holds_no_path(champions, registry):
    registry.promote("churn", "3", fact=1)
    refresh(champions, registry)
    entries = json.loads((champions.root / POINTER).read_text())
    assert set(entries) == {"churn"}
    content = Artefact.read(registry.held["churn"][1], kind="churn").version
    assert entries["churn"] == {"name": "kairos-churn", "version": "3", "content": content}


def test_an_embedded_registry_that_was_never_made_is_not_made_by_asking(tmp_path):
    registry = MlflowRegistry(f"sqlite:///{tmp_path}/mlflow.db", prefix="kairos")
    assert registry.champion("churn") is None
    assert not (tmp_path / "mlflow.db").exists()
