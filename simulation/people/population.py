"""The people of a world: latent traits that no log shows, and the few facts that one does."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, TypedDict

import numpy as np

from simulation.draws import Draws, Purpose
from simulation.people.traits import Traits
from simulation.shop import CHANNELS, SHOP, ZONE_SHARES, Shop

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from simulation.family import Change, Family, Peak

    Floats = NDArray[np.float64]
    Ints = NDArray[np.int64]
    Flags = NDArray[np.bool_]

_DAYS_A_YEAR = 365.0
_CONSENT = (0.85, 0.5, 0.4)
"""Who may be written to, by channel, before anything is sent."""
_VIP = 0.2
"""Good customers, known to the old sender and to no log."""
_FRAGILE = 0.5
"""Addresses that may die."""
_MOST_REDEEM = 0.3
_SHARED = 0.3
"""People who share a household with another."""


@dataclass(frozen=True, slots=True)
class Population:
    """Arrays over people; two dimensions are (people, channels), (people, offers) or (people, habits)."""

    zone: Ints
    zone_known: Flags
    household: Ints
    vip: Flags
    proxy: Flags
    bot: Flags
    fragile: Flags
    consent: Flags
    """By channel: may be written to, and has an address."""
    mix: Floats
    """Habits at one turn of the drift,"""
    other_mix: Floats
    """and at the other;"""
    phase: Floats
    """where between the two a person stands on day 0, in turns."""
    orders: Floats
    """Ordinary orders a day."""
    sessions: Floats
    basket: Floats
    """A person's order in ordinary orders."""
    taste: Floats
    """By offer: the share of ordinary orders in its category."""
    seen: Floats
    """By channel: the strength of attention a, where P(seen) = 1 − exp(−a · slot · wear)."""
    click: Floats
    lift: Floats
    """By offer: extra orders per message seen; negative where it puts off."""
    redeem: Floats
    """By offer: redeems, per message seen, an order that was coming anyway."""
    worn: Floats
    """Relative loss of attention per unit of pressure."""
    left: Floats
    churn: Floats
    """Chance a day to leave for good, unprovoked."""
    pushed: Floats
    """Chance that one message under one unit of pressure ends it."""
    life_value: Floats
    """Margin that is lost with a customer, in euros."""
    shop: Shop = SHOP

    @property
    def size(self) -> int:
        """How many people."""
        return len(self.zone)

    @property
    def order_margin(self) -> Floats:
        """Margin of one ordinary order of each person, in euros."""
        return self.basket * self.shop.order_margin

    @property
    def offer_margin(self) -> Floats:
        """(people, offers): margin of one extra order, in euros; a lost one is an ordinary order."""
        won = self.basket[:, None] * self.shop.margins
        return np.where(self.lift >= 0, won, self.order_margin[:, None])

    def habits(self, day: int, drift_days: float, who: Ints) -> Floats:
        """Return the mixtures of ``who`` on ``day``: habits turn slowly, each person's at a time of their own."""
        turn = 0.5 - 0.5 * np.cos(2 * np.pi * (self.phase[who] + day / drift_days))
        mixed: Floats = self.mix[who] + turn[:, None] * (self.other_mix[who] - self.mix[who])
        return mixed

    def changed(self, change: Change) -> Population:
        """Return the same people after a change of regime."""
        order = list(change.channels)
        return replace(self, seen=self.seen[:, order], lift=self.lift * np.resize(change.lift, self.lift.shape[1]))

    def in_season(self, peak: Peak) -> Population:
        """Return the same people while they order more."""
        return replace(
            self, orders=self.orders * peak.orders, redeem=np.minimum(_MOST_REDEEM, self.redeem * peak.orders)
        )


def people(family: Family, draws: Draws, size: int, *, shop: Shop = SHOP) -> Population:
    """Draw ``size`` people of ``family`` who buy in ``shop``."""
    random = Traits(draws.generator(Purpose.TRAITS), size, shop, alike=family.alike)
    facts = _facts(family, random)
    vip = random.chance(_VIP)
    life = _life(family, random, vip)
    reactions, effects = _reactions(family, random, vip), _effects(family, random, life)
    return Population(**facts, **life, **reactions, **effects, vip=vip, shop=shop)


class _Facts(TypedDict):
    """What people are, apart from how they live and react."""

    zone: Ints
    zone_known: Flags
    household: Ints
    proxy: Flags
    bot: Flags
    fragile: Flags
    consent: Flags
    mix: Floats
    other_mix: Floats
    phase: Floats


class _Life(TypedDict):
    """How people live without messages."""

    orders: Floats
    sessions: Floats
    basket: Floats
    taste: Floats
    churn: Floats
    life_value: Floats


class _Reactions(TypedDict):
    """Whether people see, click and leave."""

    seen: Floats
    click: Floats
    worn: Floats
    left: Floats
    pushed: Floats


class _Effects(TypedDict):
    """What an offer that is seen adds."""

    lift: Floats
    redeem: Floats


def _facts(family: Family, random: Traits) -> _Facts:
    noise, rhythm = family.noise, family.rhythm
    mix = random.mixtures(rhythm.clusters, rhythm.own)
    return {
        "zone": random.generator.choice(len(ZONE_SHARES), size=random.size, p=ZONE_SHARES),
        "zone_known": ~random.chance(noise.zone_unknown),
        "household": _households(random),
        "proxy": random.chance(noise.proxies),
        "bot": random.chance(noise.bots),
        "fragile": random.chance(_FRAGILE),
        "consent": random.generator.random((random.size, len(CHANNELS))) < np.array(_CONSENT),
        "mix": mix,
        "other_mix": 0.5 * mix + 0.5 * random.mixtures(0, 1.0),
        "phase": random.generator.random(random.size),
    }


def _households(random: Traits) -> Ints:
    """Return each person's household: neighbours in number live together, two and two, where a draw says so."""
    number = np.arange(random.size)
    shared = np.repeat(random.generator.random((random.size + 1) // 2) < _SHARED, 2)[: random.size]
    return np.where(shared, number - number % 2, number)


def _life(family: Family, random: Traits, vip: Flags) -> _Life:
    life = family.life
    orders = np.minimum(0.5, life.orders * random.around_one(life.orders_spread) * np.where(vip, 1.8, 0.8))
    basket = random.around_one(life.basket_spread)
    churn = -np.log1p(-life.yearly_churn) / _DAYS_A_YEAR * random.around_one(0.5)
    staying = -np.expm1(-churn * life.value_days) / churn
    return {
        "orders": orders,
        "sessions": life.sessions * random.around_one(life.sessions_spread) * np.sqrt(orders / life.orders),
        "basket": basket,
        "taste": random.generator.dirichlet(np.full(len(random.shop.offers), 1.0), random.size),
        "churn": churn,
        "life_value": orders * basket * random.shop.order_margin * staying,
    }


def _reactions(family: Family, random: Traits, vip: Flags) -> _Reactions:
    attention, wear = family.attention, family.wear
    good = np.ones(random.size) if family.alike else np.where(vip, 1.5, 0.875)
    strength = -np.log1p(-np.array(attention.seen))
    channels = len(CHANNELS)
    return {
        "seen": strength * random.reacting(attention.spread, channels) * good[:, None],
        "click": np.minimum(0.6, np.array(attention.click) * random.reacting(0.5, channels)),
        "worn": np.minimum(0.8, wear.response * random.reacting(wear.spread)),
        "left": np.minimum(0.2, np.array(attention.left) * random.reacting(0.8, channels)),
        "pushed": wear.churn * random.reacting(0.8),
    }


def _effects(family: Family, random: Traits, life: _Life) -> _Effects:
    """Draw who buys only when asked, who buys anyway, and whom messages put off."""
    effect, offers, orders = family.effect, len(random.shop.offers), life["orders"]
    taste = random.reacting(effect.taste * 0.5, offers)
    asked = np.ones(random.size) if family.alike else (orders / orders.mean()) ** -0.25
    kind = random.generator.random(random.size)
    sure = kind < effect.sure
    averse = kind > 1 - effect.averse
    mean = 1 - 0.9 * effect.sure - 1.4 * effect.averse
    moved = np.full(random.size, mean) if family.alike else np.where(sure, 0.1, np.where(averse, -0.4, 1.0))
    lift = effect.lift * random.reacting(effect.spread, offers) * taste * (moved * asked)[:, None]
    anyway = np.full(random.size, 1 + 3 * effect.sure) if family.alike else np.where(sure, 4.0, 1.0)
    if effect.carried:
        liked = life["taste"] ** effect.carried
        lift = lift * liked / liked.mean(axis=0)
    redeem = effect.redeem_anyway * anyway * np.sqrt(orders / orders.mean())
    if family.alike:
        redeem = np.full(random.size, redeem.mean())
    return {
        "lift": np.clip(lift, -0.5, 0.5),
        "redeem": np.minimum(_MOST_REDEEM, redeem)[:, None] * np.ones(offers),
    }
