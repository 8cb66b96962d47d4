"""The ledger's draws: of every way a decision can fall out, what was drawn and with which chance."""

from __future__ import annotations

from collections import defaultdict
from types import SimpleNamespace

import pytest

from decisions.ledger.storage.codec import decision_to_json, micros
from pipelines.jobs.drawing import _drawn, draws_of
from tests.property.test_propensity_draws import STOCK, WORTH, rules
from tests.worlds.deciding import NOON, answer
from tests.worlds.draws import outcomes
from tests.worlds.ledger import opened
from training.evidence.draws import DRAWS


def decided(**changes):
    return answer(rules(**changes), STOCK, worth=WORTH)


def test_of_each_message_the_chance_of_being_sent_is_the_one_that_is_told():
    told, sent = defaultdict(float), defaultdict(float)
    held = 0
    for decision, probability in outcomes(decided):
        ((_, at, source, offer_id, channel, went, chance),) = _drawn(
            [(decision.customer_id, micros(decision.now), decision_to_json(decision))]
        )
        assert (source, at) == ("ledger", micros(NOON))
        told[offer_id, channel] += probability * chance
        sent[offer_id, channel] += probability * went
        held += not went
    assert len(told) > 1
    assert held > 1
    assert sent == pytest.approx(told)


def test_what_was_certain_was_not_drawn():
    certain = decided(holdback={"share": 0.0}, exploration={"loss_budget": 0.0, "floor": 0.0})
    assert not list(_drawn([("c", 0, decision_to_json(certain))]))


def test_a_ledger_without_decisions_has_no_draws(tmp_path):
    url = f"sqlite:///{tmp_path / 'ledger.db'}"
    with opened(url):
        found = draws_of(SimpleNamespace(settings=SimpleNamespace(ledger=url)))
    assert found.equals(DRAWS.empty_table())
