"""What every test stands on: steady examples, quiet libraries, and shared processes started once."""

import os
import tempfile
from pathlib import Path

import pytest
from hypothesis import HealthCheck, settings

from runtime.quiet import switch_off_usage_statistics

switch_off_usage_statistics()

# The suite tries the same examples every time, so that red means changed code; `make soak` draws new ones.
settings.register_profile(
    "steady", deadline=None, derandomize=True, suppress_health_check=[HealthCheck.too_slow], database=None
)
settings.register_profile("soak", deadline=None, suppress_health_check=[HealthCheck.too_slow])
settings.load_profile(os.environ.get("KAIROS_HYPOTHESIS", "steady"))

DATABASES = ("sqlite", "postgresql")

SHARED = {"service": "one running service", "system": "one demo"}
"""Folders whose tests share something that takes long to make: one process runs all of each."""
APART = {"test_simulate", "test_demo_simulated", "test_commands", "test_news_changes_the_answer"}
"""Files of those folders that share it with nobody: they need not wait until the others are through."""


def pytest_itemcollected(item: pytest.Item) -> None:
    """Keep tests that share a fixture of the session in one process of ``pytest -n``."""
    path = Path(item.path)
    if path.parent.name in SHARED:
        item.add_marker(pytest.mark.xdist_group(path.stem if path.stem in APART else path.parent.name))


@pytest.fixture(scope="session")
def postgres():
    """One PostgreSQL server for each process of tests, started by the first that asks."""
    from tests.worlds.postgres import running

    with running() as server:
        yield server


@pytest.fixture(scope="session")
def mlflow_store(tmp_path_factory):
    """An empty, migrated MLflow store to copy, made once for all processes of tests."""
    from tests.worlds.mlflow import migrated

    mine = tmp_path_factory.getbasetemp()
    return migrated(mine.parent if "PYTEST_XDIST_WORKER" in os.environ else mine)


@pytest.fixture(params=DATABASES)
def database_url(request, tmp_path):
    """The URL of an empty ledger: each test that takes it runs on both databases."""
    yield from _one(_urls(request, tmp_path))


@pytest.fixture(params=DATABASES)
def blank_database_url(request, tmp_path):
    """The URL of a database in which no ledger was ever opened."""
    yield from _one(_urls(request, tmp_path, blank=True))


@pytest.fixture(scope="module", params=DATABASES)
def database_urls(request, tmp_path_factory):
    """Give the URL of another empty ledger at each call, for tests of a module that share them."""
    yield from _urls(request, tmp_path_factory.mktemp("ledgers"))


def _one(urls):
    for new in urls:
        yield new()


def _urls(request, folder, *, blank=False):
    from tests.worlds import ledger

    if request.param == "sqlite":
        place = ledger.url_in if blank else ledger.fresh_url
        yield lambda: place(tempfile.mkdtemp(dir=folder))
        return
    server, made = request.getfixturevalue("postgres"), []
    yield lambda: made.append(server.blank_url() if blank else server.fresh_url()) or made[-1]
    for url in made:
        server.drop(url)
