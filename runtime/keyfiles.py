"""Secrets that nobody gave: generated once below ``home``, readable by their owner only, and kept.

The salt of the draws must outlive every process: with another salt a replay, an arm and a holdback change.
"""

from __future__ import annotations

import os
import secrets
from typing import TYPE_CHECKING

from pydantic import SecretStr

if TYPE_CHECKING:
    from pathlib import Path

_BYTES = 32
_OWNER_ONLY = 0o600


def kept_secret(path: Path, *, given: SecretStr | None = None) -> SecretStr:
    """Return ``given``, or else the secret kept at ``path``, generated there the first time.

    Several processes may ask at once: the first one to link its file into place wins, and all read that one.

    Raises:
        ValueError: naming the file, when it is there but empty.
    """
    if given is not None:
        return given
    if not path.exists():
        _generate(path)
    text = path.read_text(encoding="ascii").strip()
    if not text:
        raise ValueError(f"the secret file {path} is empty; restore it from a backup or delete it")
    return SecretStr(text)


def _generate(path: Path) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    draft = path.with_name(f".{path.name}.{secrets.token_hex(8)}")
    descriptor = os.open(draft, os.O_WRONLY | os.O_CREAT | os.O_EXCL, _OWNER_ONLY)
    with os.fdopen(descriptor, "w", encoding="ascii") as file:
        file.write(secrets.token_urlsafe(_BYTES) + "\n")
        file.flush()
        os.fsync(file.fileno())
    _link_unless_there(draft, path)


def _link_unless_there(draft: Path, path: Path) -> None:
    try:
        os.link(draft, path)  # unlike a rename, a link never replaces the file of whoever came first
    except FileExistsError:
        pass
    finally:
        draft.unlink()
