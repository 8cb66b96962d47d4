"""A fault in the data of some customers: what is wrong is said anywhere, who they are to the operator alone."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterable

SHOWN = 3
"""Customers named of all that have the fault."""

DOUBLED = (
    "{customers} have two rows where one is asked for: the lake keeps them in two places; "
    "run `kairos lake check --repair`, then `kairos features build`"
)


class CustomerFault(RuntimeError):  # noqa: N818 - it names what is at fault
    """What is wrong, in words that name nobody, for logs and registries; ``customers`` for whoever mends it."""

    def __init__(self, said: str, *, customers: Iterable[str], feature: str | None = None) -> None:
        super().__init__(said)
        self.customers = tuple(sorted(set(customers)))
        self.feature = feature

    @property
    def named(self) -> str:
        """How many customers, and some of their ids."""
        shown = ", ".join(map(repr, self.customers[:SHOWN]))
        return f"{len(self.customers)} customers, such as {shown}"
