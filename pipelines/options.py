"""Options that every command shares, and the settings they make."""

from __future__ import annotations

import os
from datetime import datetime
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

if TYPE_CHECKING:
    from runtime.settings import Settings

ROOT = Path(__file__).resolve().parent.parent
"""Where the examples lie."""


def _moment(text: str) -> datetime:
    try:
        moment = datetime.fromisoformat(text)
    except ValueError as error:
        raise typer.BadParameter(f"{text!r} is no moment; write one like 2017-12-31T23:00:00Z") from error
    if moment.tzinfo is None:
        raise typer.BadParameter(f"{text!r} has no time zone; add Z for UTC, or an offset like -05:00")
    return moment


AsJson = Annotated[bool, typer.Option("--json", help="Print one JSON object on the last line.")]
Now = Annotated[
    datetime | None,
    typer.Option(
        "--now", parser=_moment, metavar="MOMENT", help="Stand still at this moment: 2017-12-31T23:00:00Z."
    ),
]
Config = Annotated[
    Path | None,
    typer.Option(
        "--config", exists=True, dir_okay=False, help="Settings file (default: kairos.toml, then KAIROS_*)."
    ),
]
Demo = Annotated[bool, typer.Option("--demo", help="Use the demo's data and policy (after `kairos demo`).")]


def settings_of(*, now: datetime | None = None, config: Path | None = None, demo: bool = False) -> Settings:
    """Read the settings: the demo's own file, a named one, or kairos.toml with the environment above it."""
    from runtime.settings import CONFIG_VARIABLE, Settings

    if demo:
        config = DEMO_HOME / "kairos.toml"
        if not config.exists():
            raise typer.BadParameter("there is no demo yet; run `kairos demo` first", param_hint="--demo")
    if config is not None:
        os.environ[CONFIG_VARIABLE] = str(config)
    given = {} if now is None else {"now": now}
    return Settings(**given)  # type: ignore[arg-type]  # pydantic checks the value


DEMO_HOME = Path(".kairos/demo")
