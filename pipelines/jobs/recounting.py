"""The independent recount of a deployment's own ledger."""

from __future__ import annotations

from typing import TYPE_CHECKING

from pipelines.recount import Report, Rules, recount

if TYPE_CHECKING:
    from runtime.build import Kairos


def recount_ledger(kairos: Kairos) -> Report:
    """Judge every decision to send in the ledger against the policy and catalogue in force."""
    offers = [offer.model_dump() for offer in kairos.catalogue.offers]
    return recount(kairos.settings.ledger, Rules.of(kairos.policy.model_dump(), offers))
