"""``kill -9`` of the real service in the middle of concurrent requests, again and again on the same ledger."""

from __future__ import annotations

import json
import random
import socket
import threading
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import TYPE_CHECKING, Any

import httpx
from pydantic import SecretStr

from benchmarks.promises.kills import check_once, judge
from benchmarks.promises.nursery import Nursery
from benchmarks.promises.worker import STEP, Said
from benchmarks.promises.world import CATALOGUE, NOW, POLICY, PURPOSES, open_ledger, people, settle
from decisions.ledger import UnknownDecision
from runtime.settings import Settings
from serving.answers import shown
from serving.rendering import dumps

if TYPE_CHECKING:
    from benchmarks.promises.nursery import Worker
    from benchmarks.promises.stores import Store
    from benchmarks.promises.tally import Tally
    from decisions.ledger import Ledger
    from features.progress import Progress

BATCH = 10
CALLERS = 4
PEOPLE = 40
WORDS = 40
"""A service dies after so many answers at most."""

_KEY = "a-key-for-the-bench"
_OK = 200


@dataclass(slots=True)
class Heard:
    """What callers were told, in the order they heard it; ``answers`` are decisions as they came."""

    said: list[Said] = field(default_factory=list)
    answers: dict[str, dict[str, Any]] = field(default_factory=dict)
    wrong: list[str] = field(default_factory=list)
    enough: threading.Event = field(default_factory=threading.Event)
    until: int = 1

    def take(self, said: Said) -> None:
        """Take note; it is enough once so many answers came."""
        self.said.append(said)
        if len(self.said) >= self.until:
            self.enough.set()


def kill_services(store: Store, kills: int, *, seed: int, tally: Tally, progress: Progress) -> None:
    """Kill a service ``kills`` times, each time at another moment; recount after every one."""
    stage = f"kills of the service on {store.kind}"
    progress(stage, 0, kills)
    with TemporaryDirectory(prefix="kairos-service-") as folder, Nursery(Path(folder) / "nursery") as nursery:
        for first in range(0, kills, BATCH):
            siege = _Siege(Path(folder), store.fresh(), seed=seed + first, tally=tally)
            for done in range(first, min(first + BATCH, kills)):
                siege.strike(nursery)
                progress(stage, done + 1, kills)
            siege.lift()


class _Siege:
    """One ledger, and the services that die over it."""

    def __init__(self, folder: Path, url: str, *, seed: int, tally: Tally) -> None:
        self._folder = folder
        self._url = url
        self._dice = random.Random(seed)  # noqa: S311  # repeatable, not a secret
        self._tally = tally
        self._heard = Heard()
        self._run = 0
        with open_ledger(url) as ledger:
            settle(ledger, people(PEOPLE, seed=seed), refused=0.05)
        (folder / "policy.yaml").write_text(json.dumps(POLICY))  # JSON is YAML
        (folder / "catalogue.yaml").write_text(json.dumps(CATALOGUE))

    def strike(self, nursery: Nursery) -> None:
        """Start a service, let callers talk to it all at once, kill it in the middle, look at what it leaves."""
        self._run += 1
        heard = self._heard
        heard.enough.clear()
        heard.until = len(heard.said) + self._dice.randrange(CALLERS, WORDS)
        worker = nursery.start(self._settings())
        with ThreadPoolExecutor(CALLERS) as pool:
            seeds = [self._dice.randrange(2**31) for _ in range(CALLERS)]
            calls = [pool.submit(self._call, worker, seed) for seed in seeds]
            heard.enough.wait(30)
            worker.kill()
            for call in calls:
                call.result(timeout=30)
        self._tally.faults["kill -9 of the service"] += 1
        self._tally.cases["P5"] += 1
        self._tally.judge(judge(self._url))

    def _settings(self) -> Settings:
        with socket.socket() as probe:
            probe.bind(("127.0.0.1", 0))
            port = probe.getsockname()[1]
        return Settings(
            home=self._folder / "home",
            policy=self._folder / "policy.yaml",
            catalogue=self._folder / "catalogue.yaml",
            mlflow_root=self._folder / "mlruns",
            ledger_url=self._url,
            now=NOW + self._run * STEP,
            salt=SecretStr("salt for the bench"),
            api_key=SecretStr(_KEY),
            port=port,
        )

    def _call(self, worker: Worker, seed: int) -> None:
        """Ask, confirm, release and report until the service is gone."""
        caller = _Caller(self._heard, seed=seed)
        try:
            with httpx.Client(base_url=worker.url, headers={"X-API-Key": _KEY}, trust_env=False) as client:
                while True:
                    caller.step(client)
        except httpx.TransportError:
            return  # killed: what it would have said was never heard

    def lift(self) -> None:
        """Look whether everything acknowledged is there."""
        with open_ledger(self._url) as ledger:
            for said in {each.key: each for each in self._heard.said}.values():
                self._check(ledger, said)
        for wrong in self._heard.wrong:
            self._tally.broken("P5", wrong)
        self._tally.acknowledged += len(self._heard.said)
        check_once(self._heard.said, self._tally)
        self._tally.count(judge(self._url))

    def _check(self, ledger: Ledger, said: Said) -> None:
        try:
            kept = json.loads(dumps(shown(ledger.decision(said.key))))
        except UnknownDecision:
            kept = {}
        answer = self._heard.answers[said.key]
        states = {"decided": {kept.get("state")}}.get(said.what, {said.what})
        if {**kept, "state": ""} != {**answer, "state": ""} or kept["state"] not in states:
            self._tally.lost += 1
            self._tally.broken("P5", f"acknowledged by the service as {said.what}, and lost ({said.key})")


class _Caller:
    """One caller of the service, doing things by the throw of dice."""

    def __init__(self, heard: Heard, *, seed: int) -> None:
        self._heard = heard
        self._dice = random.Random(seed)  # noqa: S311  # repeatable, not a secret
        self._name = f"s{seed}"
        self._count = 0

    def step(self, client: httpx.Client) -> None:
        """Do one thing."""
        self._count += 1
        self._dice.choice((self._ask, self._ask, self._repeat, self._confirm, self._confirm, self._release))(
            client
        )

    def _ask(self, client: httpx.Client) -> None:
        purpose = self._dice.choice(PURPOSES)
        who = f"c{self._dice.randrange(PEOPLE)}"
        body = {"request_id": f"{self._name}-{self._count}", "customer_id": who, "purpose": purpose}
        self._decided(client, body)

    def _repeat(self, client: httpx.Client) -> None:
        if known := self._some():
            body = {name: known[name] for name in ("request_id", "customer_id", "purpose")}
            self._decided(client, body)

    def _decided(self, client: httpx.Client, body: dict[str, Any]) -> None:
        answer = client.post("/v1/decisions", json=body)
        if answer.status_code != _OK:
            self._heard.wrong.append(f"a good question was answered {answer.status_code}")
            return
        decision = answer.json()
        content = json.dumps({**decision, "state": ""}, sort_keys=True)
        self._heard.answers[decision["decision_id"]] = decision
        said = Said(what="decided", key=decision["decision_id"], request_id=body["request_id"], digest=content)
        self._heard.take(said)

    def _some(self) -> dict[str, Any] | None:
        known = list(self._heard.answers.values())
        return self._dice.choice(known[-60:]) if known else None

    def _confirm(self, client: httpx.Client) -> None:
        due = [each for each in list(self._heard.answers.values()) if each["action"] == "send"]
        if due:
            self._settle(client, self._dice.choice(due)["decision_id"], "confirm", "confirmed")

    def _release(self, client: httpx.Client) -> None:
        known = self._some()
        if known and known["action"] == "send" and self._dice.random() < 0.5:  # noqa: PLR2004  # half as often
            self._settle(client, known["decision_id"], "release", "released")

    def _settle(self, client: httpx.Client, key: str, verb: str, what: Any) -> None:
        if client.post(f"/v1/decisions/{key}/{verb}").status_code == _OK:
            self._heard.take(Said(what=what, key=key))
