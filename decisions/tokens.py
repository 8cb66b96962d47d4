"""The unsubscribe token of a marketing message: it carries what to withdraw, and nobody can make one up."""

from __future__ import annotations

import hmac
from base64 import urlsafe_b64decode, urlsafe_b64encode
from dataclasses import dataclass
from hashlib import sha256
from typing import TYPE_CHECKING

import orjson

if TYPE_CHECKING:
    from decisions.records import Keys


@dataclass(frozen=True, slots=True, kw_only=True)
class Unsubscribe:
    """What a token asks to withdraw."""

    customer_id: str
    channel: str
    purpose: str
    decision_id: str


def unsubscribe_token(what: Unsubscribe, keys: Keys) -> str:
    """Return ``what``, readable and signed, fit for a URL. It holds for ever, as an unsubscribe link must."""
    body = orjson.dumps([what.customer_id, what.channel, what.purpose, what.decision_id])
    return f"{_text(body)}.{_text(_signature(body, keys))}"


def read_unsubscribe_token(token: str, keys: Keys) -> Unsubscribe:
    """Return what ``token`` asks to withdraw.

    Raises:
        ValueError: for a token that these keys did not sign.
    """
    try:
        body, signature = (urlsafe_b64decode(part + "=" * (-len(part) % 4)) for part in token.split("."))
        if not hmac.compare_digest(signature, _signature(body, keys)):
            raise ValueError("wrong signature")  # noqa: TRY301 - one way out for all that can be wrong
        customer_id, channel, purpose, decision_id = orjson.loads(body)
    except ValueError as error:
        raise ValueError(
            "this unsubscribe token was not signed here, or was cut: use the link as it was sent"
        ) from error
    return Unsubscribe(customer_id=customer_id, channel=channel, purpose=purpose, decision_id=decision_id)


def _signature(body: bytes, keys: Keys) -> bytes:
    return hmac.digest(keys.token, b"unsubscribe\x00" + body, sha256)


def _text(data: bytes) -> str:
    return urlsafe_b64encode(data).rstrip(b"=").decode()
