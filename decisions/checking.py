"""What is wrong with policy and catalogue though each can be read: names that lead nowhere, rules that bind none.

An *error* is something that cannot be meant: a name that nobody has, a cap on what is never sent. A *warning* may
be meant, and costs something where it is not. Nothing is decided here, and nothing but values is looked at.
"""

from __future__ import annotations

import difflib
from dataclasses import dataclass
from typing import TYPE_CHECKING, Literal

from decisions.policy import overlaid
from decisions.timing.zones import countries
from features.contracts import PURPOSES
from features.expressions import ExpressionError, parse
from features.nearest import nearest
from features.vocabulary import Vocabulary, is_own_name

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Mapping

    from decisions.catalogue import Catalogue
    from decisions.policy import Policy
    from decisions.policy_parts import Experiment

Level = Literal["error", "warning"]

_DAY_MINUTES = 24 * 60
_NEAR = 0.8
"""How alike a name must be to a known one to be taken for a slip of the pen."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Finding:
    """One thing that is wrong: in which file and where in it, what, and the way out."""

    level: Level
    file: str
    where: str
    what: str

    def __str__(self) -> str:
        """Return it as one line."""
        return f"{self.level}: {self.file}: {self.where}: {self.what}"


@dataclass(frozen=True, slots=True, kw_only=True)
class Seen:
    """What was seen of customers: their attributes, whether there is anybody, what they bought (None: nothing)."""

    attributes: frozenset[str] = frozenset()
    anybody: bool = False
    categories: frozenset[str] | None = None


def look(policy: Policy, catalogue: Catalogue, seen: Seen) -> list[Finding]:
    """Return what is wrong, errors first."""
    findings = [
        *_expressions(policy, catalogue, seen),
        *_categories(catalogue, seen),
        *_channels(policy, catalogue),
        *_caps(policy, catalogue),
        *_countries(policy),
        *_quiet_hours(policy),
        *_experiments(policy),
    ]
    return sorted(findings, key=lambda each: each.level)


def features_of(policy: Policy, catalogue: Catalogue) -> dict[str, str]:
    """Return every name that an expression may read without an attribute, and its type."""
    vocabulary = Vocabulary(channels=tuple(sorted(set(policy.channels))), categories=catalogue.categories)
    return {
        **dict.fromkeys((*vocabulary.activity, *vocabulary.pressure, "churn"), "double"),
        **dict.fromkeys((*vocabulary.contact, "country", "locale"), "string"),
    }


def named_in(catalogue: Catalogue) -> frozenset[str]:
    """Return every name that the catalogue's expressions read."""
    return frozenset(name for text in _texts(catalogue).values() for name in parse(text).names)


def open_names(policy: Policy, catalogue: Catalogue) -> frozenset[str]:
    """Return those of the names that only an attribute can be."""
    return named_in(catalogue) - set(features_of(policy, catalogue))


def _texts(catalogue: Catalogue) -> dict[str, str]:
    offers = {f"eligibility of offer {offer.offer_id!r}": offer.eligibility for offer in catalogue.offers}
    campaigns = {f"audience of campaign {each.campaign_id!r}": each.audience for each in catalogue.campaigns}
    return {where: text for where, text in {**offers, **campaigns}.items() if text is not None}


def _expressions(policy: Policy, catalogue: Catalogue, seen: Seen) -> Iterator[Finding]:
    features = features_of(policy, catalogue)
    for where, text in _texts(catalogue).items():
        expression = parse(text)
        for name in sorted(expression.names):
            yield from _name(name, where, features, seen)
        if expression.names <= set(features):
            try:
                expression.check(features)
            except ExpressionError as error:
                yield Finding(level="error", file="catalogue", where=where, what=str(error))
    for name in sorted(filter(is_own_name, seen.attributes - named_in(catalogue))):
        what = f"the customers' attribute {name!r} has a name of Kairos' own, so that no condition can read it"
        yield Finding(level="warning", file="catalogue", where="as a whole", what=f"{what}; give it another name")


def _name(name: str, where: str, features: Mapping[str, str], seen: Seen) -> Iterator[Finding]:
    if name in seen.attributes and is_own_name(name):
        what = f"{name!r} is what Kairos itself knows, never the customers' attribute of that name"
        yield Finding(level="error", file="catalogue", where=where, what=f"{what}: import it under another name")
        return
    if name in features or name in seen.attributes:
        return
    hint = nearest(name, sorted({*features, *seen.attributes}))
    if seen.anybody:
        what = (
            f"{name!r} is neither a feature nor an attribute that any customer has, so it holds for nobody. {hint}"
        )
        yield Finding(level="error", file="catalogue", where=where, what=what)
        return
    slip = bool(difflib.get_close_matches(name, features, n=1, cutoff=_NEAR))
    what = f"{name!r} is no feature, and no customer is imported yet whose attribute it could be. {hint}"
    yield Finding(level="error" if slip else "warning", file="catalogue", where=where, what=what)


def _categories(catalogue: Catalogue, seen: Seen) -> Iterator[Finding]:
    if seen.categories is None:
        return
    for category in catalogue.categories:
        if category not in seen.categories:
            what = f"nobody bought anything of {category!r} yet. {nearest(category, sorted(seen.categories))}"
            yield Finding(level="warning", file="catalogue", where="categories", what=what)


def _channels(policy: Policy, catalogue: Catalogue) -> Iterator[Finding]:
    for offer in catalogue.offers:
        missing = sorted(set(offer.channels) - set(policy.channels))
        if missing:
            never = "it can never be sent" if len(missing) == len(set(offer.channels)) else "it is not sent there"
            what = f"the policy has no channels {missing}, so {never}. {nearest(missing[0], policy.channels)}"
            yield Finding(level="warning", file="catalogue", where=f"offer {offer.offer_id!r}", what=what)
        strange = sorted(set(offer.send_cost) - set(offer.channels))
        if strange:
            what = (
                f"send_cost names {strange}, which are none of its channels. {nearest(strange[0], offer.channels)}"
            )
            yield Finding(level="warning", file="catalogue", where=f"offer {offer.offer_id!r}", what=what)
    for channel in sorted(set(policy.priors.channels) - set(policy.channels)):
        what = f"the policy has no channel {channel!r}. {nearest(channel, policy.channels)}"
        yield Finding(level="warning", file="policy", where="priors.channels", what=what)


def _caps(policy: Policy, catalogue: Catalogue) -> Iterator[Finding]:
    known: dict[str, Iterable[str]] = {
        "category": catalogue.categories,
        "offer_id": catalogue.offer,
        "campaign_id": catalogue.campaign,
    }
    for at, cap in enumerate(policy.caps):
        for key, names in known.items():
            name = getattr(cap, key)
            if name is not None and name not in names:
                what = f"the catalogue has no {key} {name!r}, so the cap binds nothing. {nearest(name, names)}"
                yield Finding(level="error", file="policy", where=f"caps.{at}", what=what)
    for offer in catalogue.offers:
        for at, cap in enumerate(offer.caps):
            where = f"caps.{at} of offer {offer.offer_id!r}"
            yield from _cap_of(offer.category, cap.category, where, "category", [offer.category])
            yield from _cap_of(None, cap.campaign_id, where, "campaign_id", catalogue.campaign)
            yield from _cap_of(None, cap.channel, where, "channel", offer.channels)


def _cap_of(own: str | None, name: str | None, where: str, key: str, names: Iterable[str]) -> Iterator[Finding]:
    if name is not None and name != own and name not in names:
        what = f"it has no {key} {name!r}, so the cap binds nothing. {nearest(name, names)}"
        yield Finding(level="error", file="catalogue", where=where, what=what)


def _countries(policy: Policy) -> Iterator[Finding]:
    for country in policy.countries:
        if country not in countries():
            what = f"{country!r} is no country with a time zone of its own (ISO 3166): write one like 'DE' or 'GB'"
            yield Finding(level="error", file="policy", where="countries", what=what)


def _quiet_hours(policy: Policy) -> Iterator[Finding]:
    for channel in policy.channels:
        left = {purpose: _longest_free(policy, channel, purpose) for purpose in PURPOSES}
        shut = [purpose for purpose, minutes in left.items() if minutes < policy.least_window_minutes]
        if shut:
            most = max(left[purpose] for purpose in shut)
            what = f"together they leave {f'{most} minutes in a row' if most else 'no minute'} on {channel}"
            said = f"{what}, so no {' or '.join(shut)} message ever goes there"
            yield Finding(level="warning", file="policy", where="quiet_hours", what=said)


def _longest_free(policy: Policy, channel: str, purpose: str) -> int:
    """Return the longest run of minutes of the day that no quiet hours forbid, over midnight too."""
    rules = [rule for rule in policy.quiet_hours if rule.binds(channel, purpose)]
    quiet = {minute for rule in rules for minute in _minutes(*rule.minutes)}
    if not quiet or (purpose == "transactional" and policy.transactional_in_quiet_hours):
        return _DAY_MINUTES
    edges = sorted(quiet)
    return max(
        after - before - 1 for before, after in zip(edges, [*edges[1:], edges[0] + _DAY_MINUTES], strict=True)
    )


def _minutes(start: int, end: int) -> Iterator[int]:
    yield from range(start, end) if start < end else (*range(start, _DAY_MINUTES), *range(end))


def _experiments(policy: Policy) -> Iterator[Finding]:
    for experiment in policy.experiments:
        changed = {arm.name: overlaid(policy, arm.policy) for arm in experiment.arms}
        base = overlaid(policy, {})
        where = f"experiment {experiment.experiment_id!r}"
        for arm in experiment.arms:
            if arm.policy and changed[arm.name] == base:
                what = f"arm {arm.name!r} changes {sorted(arm.policy)} to what the policy says anyway"
                yield Finding(level="warning", file="policy", where=where, what=what)
        if same := _same(experiment, changed):
            what = f"arms {same} are alike, so nothing can be learned from comparing them"
            yield Finding(level="warning", file="policy", where=where, what=what)


def _same(experiment: Experiment, changed: Mapping[str, Policy]) -> list[str]:
    """Return the first arms of an experiment whose policies are equal."""
    for arm in experiment.arms:
        alike = [name for name, policy in changed.items() if policy == changed[arm.name]]
        if len(alike) > 1:
            return alike
    return []
