"""Who may do what: one table of every endpoint below ``/v1``. What is not in it is open to admins alone.

Roles are what a program does, not ranks: a *sender* asks, confirms and reports; *ingest* brings events, consents
and wishes; an *analyst* only reads; an *admin* may do everything. *Public* endpoints carry their own credential.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Final

from starlette.routing import compile_path

from decisions.ledger.keys import ROLES, Role
from decisions.tokens import UNSUBSCRIBE_PATH

if TYPE_CHECKING:
    import re
    from collections.abc import Iterable

BODY_LIMIT = 4 * 1024 * 1024
"""Bytes. Five thousand events of ordinary size."""
SMALL = 64 * 1024
"""Bytes. Enough for what is about one customer or one decision."""

_SENDER: Final = frozenset[Role]({"sender"})
_BRINGING: Final = frozenset[Role]({"sender", "ingest"})
_READING: Final = frozenset[Role]({"sender", "analyst"})
_KNOWING: Final = frozenset[Role]({"sender", "ingest", "analyst"})
_INGEST: Final = frozenset[Role]({"ingest"})
_ADMIN: Final = frozenset[Role]()


@dataclass(frozen=True, slots=True, kw_only=True)
class Rule:
    """What one endpoint asks of its callers.

    Attributes:
        roles: Whose keys are accepted, besides an admin's.
        public: Whether no key is asked for at all.
        any_body: Whether any kind of body, or none, is taken: nothing hangs on what it says.
        limit: The largest body, in bytes, packed or not.
    """

    roles: frozenset[Role] = _ADMIN
    public: bool = False
    any_body: bool = False
    limit: int = BODY_LIMIT

    def admits(self, role: Role | None) -> bool:
        """Return whether a caller of this role may; None is a caller without a key."""
        return self.public or role == "admin" or role in self.roles

    def names(self) -> list[str]:
        """Return the roles as the OpenAPI document names them."""
        return ["public"] if self.public else [role for role in ROLES if self.admits(role)]


NOT_LISTED = Rule()
_ONE_CLICK = Rule(public=True, any_body=True, limit=SMALL)

_TABLE: tuple[tuple[str, str, Rule], ...] = (
    ("POST", "/v1/decisions", Rule(roles=_SENDER)),
    ("POST", "/v1/decisions/confirm", Rule(roles=_SENDER)),
    ("POST", "/v1/decisions/release", Rule(roles=_SENDER)),
    ("POST", "/v1/decisions/{decision_id}/confirm", Rule(roles=_SENDER, limit=SMALL)),
    ("POST", "/v1/decisions/{decision_id}/release", Rule(roles=_SENDER, limit=SMALL)),
    ("GET", "/v1/decisions/{decision_id}", Rule(roles=_READING)),
    ("GET", "/v1/outbox", Rule(roles=_SENDER)),
    ("POST", "/v1/outbox/ack", Rule(roles=_SENDER)),
    ("POST", "/v1/events", Rule(roles=_BRINGING)),
    ("GET", "/v1/customers/{customer_id:path}/timeline", Rule(roles=_READING)),
    ("GET", "/v1/customers/{customer_id:path}/consent", Rule(roles=_KNOWING)),
    ("PUT", "/v1/customers/{customer_id:path}/consent", Rule(roles=_INGEST, limit=SMALL)),
    ("GET", "/v1/customers/{customer_id:path}/preferences", Rule(roles=_KNOWING)),
    ("PUT", "/v1/customers/{customer_id:path}/preferences", Rule(roles=_INGEST, limit=SMALL)),
    ("GET", "/v1/customers/{customer_id:path}/export", Rule()),
    ("DELETE", "/v1/customers/{customer_id:path}", Rule()),
    ("GET", "/v1/status", Rule(roles=_KNOWING)),
    ("GET", UNSUBSCRIBE_PATH, _ONE_CLICK),
    ("HEAD", UNSUBSCRIBE_PATH, _ONE_CLICK),
    ("POST", UNSUBSCRIBE_PATH, _ONE_CLICK),
)


def _compiled() -> Iterable[tuple[str, re.Pattern[str], str, Rule]]:
    for method, template, rule in _TABLE:
        pattern, shown, _ = compile_path(template)
        yield method, pattern, shown, rule


_PATTERNS = tuple(_compiled())

RULES = {(method, shown): rule for method, _, shown, rule in _PATTERNS if method != "HEAD"}
"""The table by method and by path as the OpenAPI document spells it; a HEAD goes without saying."""


def rule_at(method: str, path: str) -> tuple[Rule, str | None]:
    """Return the rule of a request and the template it falls under, before any routing; None: under none.

    Whatever the method, no key is asked for at the address of a public endpoint.
    """
    nowhere = NOT_LISTED
    for verb, pattern, shown, rule in _PATTERNS:
        if not pattern.match(path):
            continue
        if verb == method:
            return rule, shown
        nowhere = rule if rule.public else nowhere
    return nowhere, None


def methods_at(path: str) -> list[str]:
    """Return the methods that are answered at an address; none where there is nothing."""
    return sorted({verb for verb, pattern, _, _ in _PATTERNS if pattern.match(path)})


def rule_of(method: str, shown: str) -> Rule:
    """Return the rule of an endpoint by its template, once it is routed."""
    return RULES.get((method, shown), NOT_LISTED)


def describe(document: dict[str, Any]) -> dict[str, Any]:
    """Say in the OpenAPI document which roles each endpoint takes, and take the key off the public ones."""
    for path, operations in document["paths"].items():
        for method, operation in operations.items():
            _describe(operation, rule_of(method.upper(), path))
    return document


def _describe(operation: dict[str, Any], rule: Rule) -> None:
    operation["x-roles"] = rule.names()
    said = "No key: the token is the credential." if rule.public else f"Roles: {', '.join(rule.names())}."
    operation["description"] = f"{operation.get('description', '')}\n\n{said}".strip()
    if rule.public:
        operation["security"] = []
        for status in ("401", "403"):
            operation["responses"].pop(status, None)
