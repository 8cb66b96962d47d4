"""The catalogue: every offer and campaign of a deployment, checked as a whole."""

from __future__ import annotations

from collections import Counter
from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING

from pydantic import model_validator

from decisions.documents import fingerprint, load
from features.contracts import Campaign, Cap, Offer
from features.contracts.words import Contract
from features.expressions import parse

if TYPE_CHECKING:
    from collections.abc import Iterable


class Catalogue(Contract):
    """Offers and campaigns. Ids are unique, references lead somewhere, expressions can be read.

    ``version`` names the content; ``categories`` and ``channels`` are those of the offers, sorted.
    """

    offers: tuple[Offer, ...]
    """What can be offered."""
    campaigns: tuple[Campaign, ...] = ()
    """Reasons to talk."""

    @model_validator(mode="after")
    def _ids_are_unique(self) -> Catalogue:
        _refuse_doubles("offer_id", (offer.offer_id for offer in self.offers))
        _refuse_doubles("campaign_id", (campaign.campaign_id for campaign in self.campaigns))
        return self

    @model_validator(mode="after")
    def _references_lead_somewhere(self) -> Catalogue:
        known = {offer.offer_id for offer in self.offers}
        for campaign in self.campaigns:
            if missing := sorted(set(campaign.offers) - known):
                raise ValueError(f"campaign {campaign.campaign_id!r} names offers {missing} the catalogue has not")
        for offer in self.offers:
            if any(cap.offer_id not in {None, offer.offer_id} for cap in offer.caps):
                raise ValueError(f"a cap of offer {offer.offer_id!r} names another offer: put it into the policy")
        return self

    @model_validator(mode="after")
    def _expressions_can_be_read(self) -> Catalogue:
        texts = {f"eligibility of offer {offer.offer_id!r}": offer.eligibility for offer in self.offers}
        texts |= {f"audience of campaign {each.campaign_id!r}": each.audience for each in self.campaigns}
        for what, text in texts.items():
            try:
                if text is not None:
                    parse(text)
            except ValueError as error:
                raise ValueError(f"{what}: {error}") from error
        return self

    @model_validator(mode="after")
    def _fallbacks_leave_no_gap(self) -> Catalogue:
        for offer in self.offers:
            for name, fallback in offer.variables.items():
                if not fallback.strip():
                    raise ValueError(
                        f"variable {name!r} of offer {offer.offer_id!r} needs a fallback that is not blank"
                    )
        return self

    @cached_property
    def version(self) -> str:
        """A short hash of the content."""
        return fingerprint(self)

    @cached_property
    def categories(self) -> tuple[str, ...]:
        """The categories of all offers."""
        return tuple(sorted({offer.category for offer in self.offers}))

    @cached_property
    def channels(self) -> tuple[str, ...]:
        """The channels of all offers."""
        return tuple(sorted({channel for offer in self.offers for channel in offer.channels}))

    @cached_property
    def offer(self) -> dict[str, Offer]:
        """The offers by id."""
        return {offer.offer_id: offer for offer in self.offers}

    @cached_property
    def campaign(self) -> dict[str, Campaign]:
        """The campaigns by id."""
        return {campaign.campaign_id: campaign for campaign in self.campaigns}

    @cached_property
    def own_caps(self) -> dict[str, tuple[Cap, ...]]:
        """The caps of each offer, counting that offer's own messages."""
        return {
            offer.offer_id: tuple(cap.model_copy(update={"offer_id": offer.offer_id}) for cap in offer.caps)
            for offer in self.offers
        }

    @cached_property
    def rivals(self) -> dict[str, tuple[str, ...]]:
        """The other offers of each offer's exclusivity group."""
        groups: dict[str, list[str]] = {}
        for offer in self.offers:
            groups.setdefault(offer.exclusivity_group or "", []).append(offer.offer_id)
        return {
            offer.offer_id: tuple(other for other in groups[offer.exclusivity_group] if other != offer.offer_id)
            if offer.exclusivity_group
            else ()
            for offer in self.offers
        }


def _refuse_doubles(what: str, ids: Iterable[str]) -> None:
    twice = sorted(name for name, count in Counter(ids).items() if count > 1)
    if twice:
        raise ValueError(f"{what} must be unique, but {twice} come more than once")


def load_catalogue(path: Path | str) -> Catalogue:
    """Return the catalogue written in the YAML file at ``path``.

    Raises:
        DocumentError: naming the key, the value and the rule it breaks.
    """
    return load(Catalogue, Path(path))
