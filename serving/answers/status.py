"""The answer about the service itself."""

from __future__ import annotations

from datetime import datetime

from serving.answers.base import Answer


class BudgetOut(Answer):
    """A channel's budget of today (UTC): places `spent`, `leased` to workers and not spent, and `left`."""

    limit: int
    spent: int
    leased: int
    left: int


class StatusOut(Answer):
    """What this service decides with. `model_versions` says `prior` where there is no champion.

    `budgets` are by channel; a channel without a limit is not among them.
    """

    now: datetime
    policy_version: str
    catalogue_version: str
    model_versions: dict[str, str]
    budgets: dict[str, BudgetOut]
