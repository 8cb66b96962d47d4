"""A history played to the product by its own roads: files through the importer, requests over HTTP."""

from __future__ import annotations

import asyncio
import csv
import json
import random
from typing import TYPE_CHECKING, Any
from urllib.parse import quote

import httpx
from pydantic import SecretStr

from benchmarks.lakes.history import NOW
from pipelines.jobs.building import build_tables
from pipelines.jobs.erasing import erase_customers
from pipelines.jobs.importing import import_files
from runtime.build import Kairos, build
from runtime.settings import RateLimits, Settings
from serving.app import create_app

if TYPE_CHECKING:
    from collections.abc import Sequence
    from pathlib import Path

    from benchmarks.lakes.history import Event, History, Step

BUCKETS = 6
_KEY = "a key of this home"
_ACCEPTED = 202
_OK = 200

_POLICY = """
channels: [email, sms]
currency: EUR
caps: [{limit: 3, window: 7d}]
"""
_CATALOGUE = """
offers:
  - {offer_id: tea, category: drinks, channels: [email, sms], margin: 9}
  - {offer_id: bread, category: food, channels: [email], margin: 4}
"""
_COLUMNS = ("event_id", "customer_id", "type", "occurred_at", "channel", "message_id", "value", "currency")
_EVENTS = """
sources: {{e: {file}}}
events:
  - name: told
    from: e
    event_id: "{{event_id}}"
    customer_id: "{{customer_id}}"
    type: "{{type}}"
    occurred_at: "{{occurred_at}}"
    channel: "{{channel}}"
    message_id: "{{message_id}}"
    value: {{value: "{{value}}", as: number}}
    currency: "{{currency}}"
    properties: {{order_id: "{{order_id}}", category: "{{category}}"}}
"""
_PEOPLE = """
sources: {p: people.csv}
customers:
  - {name: people, from: p, customer_id: "{who}", household_id: "{home}", contacts: {email: valid}}
"""


def settings_in(home: Path) -> Settings:
    """Return the settings of a small home below ``home``; its clock stands still."""
    home.mkdir(parents=True, exist_ok=True)
    (home / "policy.yaml").write_text(_POLICY)
    (home / "catalogue.yaml").write_text(_CATALOGUE)
    return Settings(
        home=home / "home",
        policy=home / "policy.yaml",
        catalogue=home / "catalogue.yaml",
        mlflow_root=home / "home" / "mlruns",
        now=NOW,
        buckets=BUCKETS,
        threads=1,
        salt=SecretStr("salt of this home"),
        api_key=SecretStr(_KEY),
        rate_limits=RateLimits(**dict.fromkeys(RateLimits.model_fields, "1000000/minute")),
    )


def play(history: History, folder: Path, *, seed: int) -> Settings:
    """Let the product hear every step of ``history`` in a home below ``folder``; return the settings of it."""
    settings = settings_in(folder)
    dice = random.Random(f"{seed} roads")  # noqa: S311  # repeatable, not a secret
    with build(settings) as kairos:
        app = create_app(kairos)
        for step in history.steps:
            _take(kairos, app, step, history, folder, dice)
        build_tables(kairos)
    return settings


def _take(kairos: Kairos, app: Any, step: Step, history: History, folder: Path, dice: random.Random) -> None:
    match step.verb:
        case "import":
            import_files(_events_file(step.events, folder, dice), kairos)
        case "http":
            _post(app, step.events)
        case "customers":
            import_files(_people_file(step.people, history, folder), kairos)
        case "erase":
            _erase(kairos, app, step.people[0], dice)
        case "build":
            build_tables(kairos)


def _events_file(events: Sequence[Event], folder: Path, dice: random.Random) -> Path:
    file = folder / dice.choice(("told.csv", "told.jsonl"))
    rows = [_flat(event) for event in events]
    names = (*_COLUMNS, "order_id", "category")
    if file.suffix == ".csv":
        with file.open("w", newline="", encoding="utf-8") as lines:
            writer = csv.DictWriter(lines, names)
            writer.writeheader()
            writer.writerows(rows)
    else:
        # The first line names every key: a column that no row fills is still a column.
        whole = [{name: row.get(name) for name in names} for row in rows]
        file.write_text("".join(json.dumps(row, ensure_ascii=dice.random() < 0.5) + "\n" for row in whole))  # noqa: PLR2004
    mapping = folder / "told.yaml"
    mapping.write_text(_EVENTS.format(file=file.name))
    return mapping


def _flat(event: Event) -> dict[str, Any]:
    plain = {name: value for name, value in event.items() if name != "properties"}
    return {**plain, **event["properties"], "occurred_at": event["occurred_at"].isoformat()}


def _people_file(people: Sequence[str], history: History, folder: Path) -> Path:
    with (folder / "people.csv").open("w", newline="", encoding="utf-8") as lines:
        writer = csv.writer(lines)
        writer.writerow(("who", "home"))
        writer.writerows((who, history.homes[who] or "") for who in people)
    mapping = folder / "people.yaml"
    mapping.write_text(_PEOPLE)
    return mapping


def _post(app: Any, events: Sequence[Event]) -> None:
    body = {"events": [{**event, "occurred_at": event["occurred_at"].isoformat()} for event in events]}
    answer = _call(
        app, "POST", "/v1/events", content=json.dumps(body), headers={"Content-Type": "application/json"}
    )
    if answer.status_code != _OK:
        raise AssertionError(f"POST /v1/events answered {answer.status_code}: {answer.text[:300]}")


def _erase(kairos: Kairos, app: Any, who: str, dice: random.Random) -> None:
    if dice.random() < 0.5:  # noqa: PLR2004  # over either road
        erase_customers(kairos, [who])
        return
    answer = _call(app, "DELETE", f"/v1/customers/{quote(who, safe='')}")
    if answer.status_code != _ACCEPTED:
        raise AssertionError(f"DELETE answered {answer.status_code}: {answer.text[:300]}")


def _call(
    app: Any, method: str, url: str, *, headers: dict[str, str] | None = None, **body: Any
) -> httpx.Response:
    async def request() -> httpx.Response:
        transport = httpx.ASGITransport(app)
        async with httpx.AsyncClient(transport=transport, base_url="http://home") as client:
            return await client.request(method, url, headers={"X-API-Key": _KEY, **(headers or {})}, **body)

    return asyncio.run(request())
