from __future__ import annotations

import pytest
from pydantic import SecretStr

from decisions.documents import DocumentError
from runtime.access import FIRST
from runtime.build import API_KEY_FILE, build, derived_keys
from runtime.clock import SystemClock
from tests.worlds.service import NOW, settings_in


def test_every_draw_has_a_key_of_its_own():
    keys = derived_keys(SecretStr("salt"))
    assert len({keys.assignment, keys.holdback, keys.exploration, keys.token}) == 4


def test_the_keys_follow_from_the_salt_alone():
    assert derived_keys(SecretStr("salt")) == derived_keys(SecretStr("salt"))
    assert derived_keys(SecretStr("salt")) != derived_keys(SecretStr("pepper"))


def test_without_a_salt_one_is_kept_so_that_draws_repeat(tmp_path):
    settings = settings_in(tmp_path, salt=None, api_key=None)
    with build(settings) as first, build(settings) as second:
        assert first.keys == second.keys
        key = (tmp_path / API_KEY_FILE).read_text().strip()
        assert first.access.authenticate(key) == second.access.authenticate(key) == FIRST
        assert key not in repr(first)


def test_the_clock_stands_where_the_settings_say(tmp_path):
    with build(settings_in(tmp_path)) as kairos:
        assert kairos.clock.now() == NOW
    with build(settings_in(tmp_path, now=None)) as kairos:
        assert isinstance(kairos.clock, SystemClock)


def test_policy_and_catalogue_are_kept_for_replay(tmp_path):
    with build(settings_in(tmp_path)) as kairos:
        assert kairos.ledger.content("policy", kairos.policy.version)
        assert kairos.ledger.content("catalogue", kairos.catalogue.version)


def test_a_policy_that_cannot_be_used_is_named(tmp_path):
    settings = settings_in(tmp_path)
    settings.policy.write_text("channels: [E-Mail]")
    with pytest.raises(DocumentError, match=r"policy.yaml.*channels"):
        build(settings)


def test_the_ledger_answers_until_it_cannot(tmp_path):
    with build(settings_in(tmp_path)) as kairos:
        assert kairos.ledger_answers()
        kairos.ledger.close()
        (tmp_path / "ledger.db").write_bytes(b"this is no database" * 500)
        assert not kairos.ledger_answers()
