from __future__ import annotations

import itertools
import os

import httpx
import pytest

from runtime.build import build
from runtime.serve_command import serve_command
from runtime.service_process import ServiceProcess
from serving.app import create_app
from tests.worlds.service import API_KEY, UNBOUND, free_port, settings_in, settle

POOL = [f"person-{number}" for number in range(200)]


@pytest.fixture(scope="session")
def served(tmp_path_factory):
    """The settings of a real service, running as a process of its own."""
    home = tmp_path_factory.mktemp("served")
    limits = UNBOUND.model_copy(update={"analyst": "20/minute"})
    settings = settings_in(home, port=free_port(), rate_limits=limits)
    settle(settings, POOL)
    command = serve_command(settings, environment=os.environ)
    with (home / "output.log").open("wb") as output, ServiceProcess(command=command, output=output) as service:
        service.wait_until_ready(seconds=120)
        yield settings


@pytest.fixture(scope="session")
def http(served):
    """A client of the real service that presents its key."""
    url = f"http://127.0.0.1:{served.port}"
    with httpx.Client(base_url=url, headers={"X-API-Key": API_KEY}, trust_env=False, timeout=20) as client:
        yield client


_people = itertools.count()


@pytest.fixture
def person() -> str:
    """A customer nobody has asked about yet."""
    return POOL[next(_people)]


@pytest.fixture(scope="module")
def kairos(tmp_path_factory):
    settings = settings_in(tmp_path_factory.mktemp("in-process"))
    settle(settings, POOL)
    with build(settings) as built:
        yield built


@pytest.fixture
def app(kairos):
    """The application in this process, for what needs no real one."""
    return create_app(kairos)
