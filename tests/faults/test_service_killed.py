"""P5: ``kill -9`` in the middle of concurrent requests loses no decision that was acknowledged."""

from __future__ import annotations

import os
import sqlite3
import threading
import time
from concurrent.futures import ThreadPoolExecutor

import httpx
import pytest

from runtime.build import build
from runtime.serve_command import serve_command
from runtime.service_process import ServiceProcess
from serving.answers import shown
from serving.rendering import dumps
from tests.worlds.service import API_KEY, ask, free_port, settings_in, settle

pytestmark = pytest.mark.slow

CALLERS = 6
ACKNOWLEDGED_BEFORE_THE_KILL = 60
LONGEST = 30.0


class Callers:
    """Ask and confirm as fast as answers come, and remember what was acknowledged, until the service is gone."""

    def __init__(self, url: str, people: list[str]) -> None:
        self.url = url
        self.people = people
        self.bodies: dict[str, dict] = {}
        self.decisions: dict[str, bytes] = {}
        self.confirmed: set[str] = set()
        self.enough = threading.Event()

    def run(self, caller: int) -> None:
        with httpx.Client(base_url=self.url, headers={"X-API-Key": API_KEY}, trust_env=False) as client:
            for person in self.people[caller::CALLERS]:
                try:
                    self._converse(client, person)
                except httpx.TransportError:
                    return

    def _converse(self, client: httpx.Client, person: str) -> None:
        body = ask(person)
        answer = client.post("/v1/decisions", json=body)
        assert answer.status_code == 200, answer.text
        decision = answer.json()
        self.bodies[decision["decision_id"]] = body
        self.decisions[decision["decision_id"]] = answer.content
        if len(self.decisions) >= ACKNOWLEDGED_BEFORE_THE_KILL:
            self.enough.set()
        if client.post(f"/v1/decisions/{decision['decision_id']}/confirm").status_code == 200:
            self.confirmed.add(decision["decision_id"])


def test_a_kill_during_requests_leaves_a_ledger_with_every_acknowledged_decision(tmp_path):
    settings = settings_in(tmp_path, port=free_port())
    people = [f"person-{number}" for number in range(3000)]
    settle(settings, people)
    command = serve_command(settings, environment=os.environ)
    callers = Callers(command.url, people)
    with (tmp_path / "output.log").open("wb") as output, ServiceProcess(command=command, output=output) as service:
        service.wait_until_ready(seconds=120)
        with ThreadPoolExecutor(CALLERS) as pool:
            futures = [pool.submit(callers.run, caller) for caller in range(CALLERS)]
            assert callers.enough.wait(LONGEST)
            service.kill()
            for future in futures:
                future.result(timeout=LONGEST)
    assert len(callers.decisions) < len(people), "it was killed in the middle"
    assert_nobody_listens(command.url)
    assert_whole(settings.ledger.removeprefix("sqlite:///"))
    with build(settings) as kairos:
        assert_kept(kairos, callers)


def assert_nobody_listens(url: str) -> None:
    deadline = time.monotonic() + 5
    while time.monotonic() < deadline:
        try:
            httpx.get(f"{url}/readyz", trust_env=False, timeout=1)
        except httpx.TransportError:
            return
        time.sleep(0.1)
    pytest.fail("a worker outlived the kill")


def assert_whole(path: str) -> None:
    with sqlite3.connect(path) as connection:
        assert connection.execute("PRAGMA integrity_check").fetchall() == [("ok",)]


def assert_kept(kairos, callers: Callers) -> None:
    for decision_id, acknowledged in callers.decisions.items():
        kept = shown(kairos.ledger.decision(decision_id))
        assert kept.pop("state") in (
            {"confirmed"} if decision_id in callers.confirmed else {"reserved", "confirmed"}
        )
        assert dumps({**kept, "state": "reserved"}) == acknowledged
    for decision_id in list(callers.decisions)[-CALLERS:]:
        (again,) = kairos.decider.decide([_asked(callers.bodies[decision_id])])
        assert again.decision_id == decision_id


def _asked(body: dict):
    from serving.schemas import AskIn

    return AskIn.model_validate(body).ask()
