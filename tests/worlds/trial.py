"""A made-up e-mail trial in the shape of a public one: a row a customer, with arm, history, visit and spend."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

if TYPE_CHECKING:
    from pathlib import Path

SIZE = 4500
BEGIN = "2024-03-11"
NOW = "2024-03-26T00:00:00Z"
SPEND = {"letter": 0.12, "card": 0.05, "none": 0.05}
"""P(an order within a week) by arm: the letter adds .07 orders, the card nothing."""

MAPPING = """
sources:
  trial: {path: trial.csv, types: {spend: number, history: number, conversion: integer, visit: integer}}
customers:
  - {name: people, from: trial, customer_id: "{customer}", time_zone: Europe/Berlin,
     contacts: {email: valid}}
events:
  - name: arms
    from: trial
    event_id: "trial:{customer}"
    customer_id: "{customer}"
    type: assigned
    occurred_at: {value: "2024-03-11 08:00", time_zone: UTC}
    campaign_id: spring
    channel: email
    offer_id: {value: "{segment}", map: {letter: letter, card: card}, otherwise: null}
    treatment: {value: "{segment}", map: {none: control, letter: letter, card: card}}
    shares: {control: 0.3333, letter: 0.3333, card: 0.3333}
  - name: mailed
    from: trial
    where: segment != 'none'
    event_id: "sent:{customer}"
    customer_id: "{customer}"
    type: sent
    occurred_at: {value: "2024-03-11 09:00", time_zone: UTC}
    message_id: "m{customer}"
    channel: email
    offer_id: "{segment}"
  - name: visits
    from: trial
    where: visit == 1
    event_id: "visit:{customer}"
    customer_id: "{customer}"
    type: session
    occurred_at: {value: "2024-03-13 12:00", time_zone: UTC}
  - name: attributed
    from: trial
    where: conversion == 1 and segment != 'none'
    event_id: "converted:{customer}"
    customer_id: "{customer}"
    type: converted
    message_id: "m{customer}"
    channel: email
    occurred_at: {value: "2024-03-13 12:05", time_zone: UTC}
  - name: sales
    from: trial
    where: spend > 0
    event_id: "sale:{customer}"
    customer_id: "{customer}"
    type: purchased
    occurred_at: {value: "2024-03-13 12:10", time_zone: UTC}
    value: "{spend}"
    currency: EUR
  - name: before
    from: trial
    where: history > 0
    event_id: "before:{customer}"
    customer_id: "{customer}"
    type: purchased
    occurred_at: {value: "{bought} 12:00", time_zone: UTC}
    value: "{history}"
    currency: EUR
"""
POLICY = """
currency: EUR
channels: [email]
countries: [DE]
caps: [{limit: 2, window: 7d}]
quiet_hours: [{from_hour: 21, until_hour: 8}]
priors: {default: {engage: 0.3, conversion: 0.2}, yearly_margin: 50}
"""
CATALOGUE = """
offers:
  - {offer_id: letter, category: clothes, channels: [email], margin: 10.0, send_cost: {email: 0.1}}
  - {offer_id: card, category: clothes, channels: [email], margin: 10.0, send_cost: {email: 0.1}}
"""


def write(folder: Path, *, seed: int = 3, lost: float = 0.0) -> None:
    """Write the trial with its mapping, policy and catalogue; a share of the control rows may have got ``lost``."""
    random = np.random.default_rng(seed)
    lines = ["customer,segment,recency,history,bought,visit,conversion,spend"]
    for number in range(SIZE):
        arm = ("none", "letter", "card")[random.integers(3)]
        recency = int(random.integers(1, 4))
        bought = np.datetime64(BEGIN) - np.timedelta64(30 * recency, "D")
        converted = int(random.random() < SPEND[arm])
        visited = max(converted, int(random.random() < 0.1))
        spend = round(float(random.gamma(4.0, 10.0)) + 1, 2) * converted
        if arm != "none" or random.random() >= lost:
            history = round(float(random.gamma(2.0, 60.0)), 2)
            lines.append(f"c{number:05d},{arm},{recency},{history},{bought},{visited},{converted},{spend}")
    (folder / "trial.csv").write_text("\n".join(lines) + "\n", encoding="utf-8")
    for name, text in (("import.yaml", MAPPING), ("policy.yaml", POLICY), ("catalogue.yaml", CATALOGUE)):
        (folder / name).write_text(text, encoding="utf-8")
