"""Options that commands share, and the settings they make."""

from __future__ import annotations

import os
import re
from contextlib import contextmanager
from contextvars import ContextVar
from datetime import datetime
from pathlib import Path
from tomllib import TOMLDecodeError
from typing import TYPE_CHECKING, Annotated

import typer

from pipelines.light import spare_pandas

if TYPE_CHECKING:
    from collections.abc import Iterator

    from runtime.build import Kairos
    from runtime.settings import Settings

ROOT = Path(__file__).resolve().parent.parent
"""Where the examples lie."""

DEMO_SETTINGS = Path(".kairos") / "demo" / "kairos.toml"


def _moment(text: str) -> datetime:
    try:
        moment = datetime.fromisoformat(text)
    except ValueError as error:
        raise typer.BadParameter(f"{text!r} is no moment; write one like 2017-12-31T23:00:00Z") from error
    if moment.tzinfo is None:
        raise typer.BadParameter(f"{text!r} has no time zone; add Z for UTC, or an offset like -05:00")
    return moment


def _customer(text: str) -> str:
    if not re.fullmatch(r"[^\x00-\x1f\x7f]{1,200}", text):
        raise typer.BadParameter(f"{text!r} is no customer id: write 1 to 200 characters, no control characters")
    return text


_COMMAND: ContextVar[str | None] = ContextVar("kairos_command", default=None)


def _say_version(asked: bool) -> None:  # noqa: FBT001  # Typer calls it so
    if asked:
        from importlib.metadata import version

        typer.echo(f"kairos {version('kairos')}")
        raise typer.Exit


def begin(
    context: typer.Context,
    *,
    version: Annotated[  # noqa: ARG001  # its callback has ended the command by then
        bool, typer.Option("--version", is_eager=True, callback=_say_version, help="Say which version this is.")
    ] = False,
) -> None:
    """Keep the first word of the command, for the audit; its arguments may name customers."""
    _COMMAND.set(f"kairos {context.invoked_subcommand}")


Customer = Annotated[str, typer.Argument(metavar="CUSTOMER", parser=_customer, help="Customer id.")]
Customers = Annotated[
    list[str] | None, typer.Argument(metavar="[CUSTOMER]...", parser=_customer, help="Customer ids.")
]
AsJson = Annotated[bool, typer.Option("--json", help="Print one JSON object on the last line.")]
Now = Annotated[
    datetime | None,
    typer.Option(
        "--now", parser=_moment, metavar="MOMENT", help="Stand still at this moment: 2017-12-31T23:00:00Z."
    ),
]
Until = Annotated[
    datetime | None,
    typer.Option(
        "--until",
        parser=_moment,
        metavar="MOMENT",
        help="The events are complete until then (default: until the lake's last one).",
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
    """Return the settings: of the demo, of the named file, or of kairos.toml; the environment lies above each."""
    from runtime.settings import CONFIG_VARIABLE, Settings

    if demo:
        config = DEMO_SETTINGS
        if not config.exists():
            raise typer.BadParameter("there is no demo here yet; run `kairos demo` first", param_hint="--demo")
    if config is not None:
        os.environ[CONFIG_VARIABLE] = str(config)  # the service, a process of its own, reads the same file
    try:
        return Settings() if now is None else Settings(now=now)
    except (TOMLDecodeError, UnicodeDecodeError) as error:
        raise ValueError(f"{config or 'kairos.toml'} cannot be read as TOML: {error}; mend it") from error


@contextmanager
def acting_settings(*, config: Path | None = None, demo: bool = False) -> Iterator[Settings]:
    """Lend the settings for one command, whose name stands in the audit of what it changes."""
    from decisions.ledger.actor import acting

    with acting(_COMMAND.get()):
        yield settings_of(config=config, demo=demo)


@contextmanager
def kairos_of(
    *, now: datetime | None = None, config: Path | None = None, demo: bool = False, small: bool = False
) -> Iterator[Kairos]:
    """Build Kairos for one command, and close it; for a ``small`` one without what takes long to import."""
    if small:
        spare_pandas()
    from decisions.ledger.actor import acting
    from runtime.build import build

    with acting(_COMMAND.get()), build(settings_of(now=now, config=config, demo=demo)) as kairos:
        yield kairos
