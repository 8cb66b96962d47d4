"""The unsubscribe token of a message: it carries what to withdraw and until when, and nobody can make one up.

Tokens are signed with a key derived from the salt. A link in a mail outlives its message by a year, so the salt
has to as well: after a change of salt, links sent before it are refused.
"""

from __future__ import annotations

import hmac
from base64 import urlsafe_b64decode, urlsafe_b64encode
from dataclasses import dataclass
from datetime import UTC, datetime
from hashlib import sha256
from typing import TYPE_CHECKING, cast
from urllib.parse import quote

import orjson

from features.contracts import Purpose

if TYPE_CHECKING:
    from collections.abc import Mapping

    from decisions.records import Decision, Keys

UNSUBSCRIBE_PATH = "/v1/unsubscribe"
ONE_CLICK = ("List-Unsubscribe", "One-Click")
"""What a mail client posts, by RFC 8058."""


class TokenError(ValueError):
    """A token that withdraws nothing. The message says why and holds nothing of the token."""


class ForgedToken(TokenError):  # noqa: N818  # named for what it is
    """Not signed here, or cut on its way."""

    def __init__(self) -> None:
        super().__init__("this unsubscribe link was not made here, or was cut: use the link as it was sent")


class ExpiredToken(TokenError):  # noqa: N818  # as above
    """Signed here, too long ago."""

    def __init__(self, expired: datetime) -> None:
        super().__init__(f"this unsubscribe link expired on {expired:%Y-%m-%d}: use the link of a newer message")


@dataclass(frozen=True, slots=True, kw_only=True)
class Unsubscribe:
    """What a token asks to withdraw, and until when it may (to the second)."""

    customer_id: str
    channel: str
    purpose: Purpose
    decision_id: str
    expires_at: datetime


def unsubscribe_token(what: Unsubscribe, keys: Keys) -> str:
    """Return ``what``, readable and signed, fit for a URL."""
    until = int(what.expires_at.timestamp())
    return _signed(orjson.dumps([what.customer_id, what.channel, what.purpose, what.decision_id, until]), keys)


def read_unsubscribe_token(token: str, keys: Keys, *, now: datetime) -> Unsubscribe:
    """Return what ``token`` asks to withdraw.

    Raises:
        ForgedToken: for a token that these keys did not sign, to the letter.
        ExpiredToken: for one whose time is over at ``now``.
    """
    customer_id, channel, purpose, decision_id, until = orjson.loads(_verified(token, keys))
    expires_at = datetime.fromtimestamp(until, UTC)
    if now >= expires_at:
        raise ExpiredToken(expires_at)
    return Unsubscribe(
        customer_id=customer_id,
        channel=channel,
        purpose=cast("Purpose", purpose),
        decision_id=decision_id,
        expires_at=expires_at,
    )


def unsubscribe_headers(decision: Decision, base_url: str | None) -> Mapping[str, str]:
    """Return the two headers of RFC 8058 for a message; none for one without a token, or without an address.

    ``base_url`` is where customers reach this service. Clients post there only over HTTPS, and only where the
    message's DKIM signature covers both headers.
    """
    if decision.unsubscribe_token is None or base_url is None:
        return {}
    link = f"{base_url}{UNSUBSCRIBE_PATH}?token={quote(decision.unsubscribe_token)}"
    return {"List-Unsubscribe": f"<{link}>", "List-Unsubscribe-Post": "=".join(ONE_CLICK)}


def _verified(token: str, keys: Keys) -> bytes:
    """Return the token's body. The whole text is compared: base64 alone would let stray letters through."""
    try:
        body = _bytes(token.partition(".")[0])
        if hmac.compare_digest(token.encode(), _signed(body, keys).encode()):
            return body
    except ValueError as error:
        raise ForgedToken from error
    raise ForgedToken


def _signed(body: bytes, keys: Keys) -> str:
    signature = hmac.digest(keys.token, b"unsubscribe\x00" + body, sha256)
    return f"{_text(body)}.{_text(signature)}"


def _bytes(text: str) -> bytes:
    return urlsafe_b64decode(text + "=" * (-len(text) % 4))


def _text(data: bytes) -> str:
    return urlsafe_b64encode(data).rstrip(b"=").decode()
