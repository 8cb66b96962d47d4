"""`kairos keys` and `kairos audit`: who may call the service, and who changed what."""

from __future__ import annotations

from dataclasses import asdict
from datetime import UTC, datetime
from enum import StrEnum
from typing import TYPE_CHECKING, Annotated, Any

import typer

from pipelines.options import AsJson, Config, Demo, acting_settings

if TYPE_CHECKING:
    from decisions.ledger import ApiKey, NewKey


class RoleName(StrEnum):
    """The four roles, as they are typed."""

    SENDER = "sender"
    INGEST = "ingest"
    ANALYST = "analyst"
    ADMIN = "admin"


_SHOWN = ("key_id", "role", "label", "standing")

KeyId = Annotated[str, typer.Argument(metavar="KEY_ID", help="Which key: its id (kairos keys list), not the key.")]
keys = typer.Typer(
    name="keys", help="Keys of callers of the service: add, list, rotate, revoke.", no_args_is_help=True
)


def register(app: typer.Typer) -> None:
    """Add the commands to ``app``."""
    app.add_typer(keys)
    app.command()(audit)


@keys.command()
def add(
    role: Annotated[RoleName, typer.Argument(help="What its bearer may do (docs/security.md).")],
    *,
    label: Annotated[str, typer.Option(help="What the key is for: 'mail gateway'.")],
    expires: Annotated[
        str | None, typer.Option(metavar="SPAN|MOMENT", help="90d, 12h or a moment; by default never.")
    ] = None,
    config: Config = None,
    demo: Demo = False,
    as_json: AsJson = False,
) -> None:
    """Make a key and show it, this once: only a digest of it is kept.

    A running service takes it within five seconds.

    Example: kairos keys add sender --label 'mail gateway' --expires 90d
    """
    from pipelines.jobs.access import add_key

    with acting_settings(config=config, demo=demo) as settings:
        _show_new(add_key(settings, role.value, label=label, expires=expires), as_json=as_json)


@keys.command(name="list")
def list_(*, config: Config = None, demo: Demo = False, as_json: AsJson = False) -> None:
    """List every key ever made: its id, role, label and whether it still opens anything. No key is shown.

    The first key, an admin's, is not among them: it lies below home, or in the settings.

    Example: kairos keys list
    """
    from pipelines.console import answer, table
    from pipelines.jobs.access import list_keys

    with acting_settings(config=config, demo=demo) as settings:
        found = [_plain(key) for key in list_keys(settings)]
    rows = [(*(key[name] for name in _SHOWN), _minute(key["expires_at"])) for key in found]
    answer([table("Keys", (*_SHOWN, "expires"), rows)], {"keys": found}, as_json=as_json)


@keys.command()
def rotate(
    key_id: KeyId,
    *,
    overlap: Annotated[
        str, typer.Option(metavar="SPAN", help="For how long the old key goes on: 0h, 24h, 7d.")
    ] = "24h",
    config: Config = None,
    demo: Demo = False,
    as_json: AsJson = False,
) -> None:
    """Make the successor of a key, with its role, label and length of life; both open until the overlap is over.

    Example: kairos keys rotate 3f9a1c0b77e2 --overlap 7d
    """
    from pipelines.jobs.access import rotate_key

    with acting_settings(config=config, demo=demo) as settings:
        _show_new(rotate_key(settings, key_id, overlap=overlap), as_json=as_json)


@keys.command()
def revoke(key_id: KeyId, *, config: Config = None, demo: Demo = False, as_json: AsJson = False) -> None:
    """End a key for good. A running service refuses it within five seconds.

    Example: kairos keys revoke 3f9a1c0b77e2
    """
    from rich.text import Text

    from pipelines.console import answer
    from pipelines.jobs.access import revoke_key

    with acting_settings(config=config, demo=demo) as settings:
        key = revoke_key(settings, key_id)
    answer([Text(f"{key.key_id} ({key.label}) is revoked")], {"key": _plain(key)}, as_json=as_json)


def audit(
    *,
    last: Annotated[int, typer.Option(min=1, max=100_000, help="Show the last so many.")] = 50,
    customer: Annotated[
        str, typer.Option(metavar="ID", help="Show the changes of one customer instead of the installation's.")
    ] = "",
    config: Config = None,
    demo: Demo = False,
    as_json: AsJson = False,
) -> None:
    """List what was changed, when, and by which key or command: keys, policies, models in use, imports.

    Example: kairos audit --last 20
    """
    from pipelines.console import answer, table
    from pipelines.jobs.access import list_changes

    with acting_settings(config=config, demo=demo) as settings:
        found = list_changes(settings, last=last, customer=customer)
    rows = [(_minute(each.at), each.what, each.detail, each.actor) for each in found]
    told = {"changes": [asdict(each) for each in found]}
    answer([table("Changes", ("at", "what", "detail", "actor"), rows)], told, as_json=as_json)


def _show_new(new: NewKey, *, as_json: bool) -> None:
    from pipelines.console import Screen, tell

    until = f" until {_minute(new.key.expires_at)}" if new.key.expires_at else ""
    Screen().say(f"{new.key.role} key {new.key.key_id}{until}, shown this once:")
    if as_json:
        tell({"key": _plain(new.key), "secret": new.secret})
    else:
        print(new.secret)  # alone, so that a script may keep it


def _minute(moment: datetime | None) -> str | None:
    return f"{moment:%Y-%m-%d %H:%M} UTC" if moment else None


def _plain(key: ApiKey) -> dict[str, Any]:
    """Return the key without its digest, and with its standing."""
    return {
        **{name: value for name, value in asdict(key).items() if name != "digest"},
        "standing": key.standing(datetime.now(UTC)),
    }
