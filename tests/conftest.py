"""What every test stands on: steady examples, quiet libraries, and shared processes started once."""

import os
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

SHARED = {"service": "one running service", "system": "one demo"}
"""Folders whose tests share something that takes long to make: one process runs all of each."""


def pytest_itemcollected(item: pytest.Item) -> None:
    """Keep tests that share a fixture of the session in one process of ``pytest -n``."""
    folder = Path(item.path).parent.name
    if folder in SHARED:
        item.add_marker(pytest.mark.xdist_group(folder))


@pytest.fixture(scope="session")
def postgres():
    """One PostgreSQL server for each process of tests, started by the first that asks."""
    from tests.worlds.postgres import running

    with running() as server:
        yield server


@pytest.fixture(params=["sqlite", "postgresql"])
def database_url(request, tmp_path):
    """The URL of an empty ledger: each test that takes it runs on both databases."""
    from tests.worlds.ledger import fresh_url

    if request.param == "sqlite":
        yield fresh_url(tmp_path)
    else:
        server = request.getfixturevalue("postgres")
        url = server.fresh_url()
        yield url
        server.drop(url)
