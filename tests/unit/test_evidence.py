"""What proves a consent lies in the ledger sealed; with its key it comes back, without it nothing does."""

from __future__ import annotations

import sqlite3
from secrets import token_urlsafe

import pytest
from hypothesis import given
from hypothesis import strategies as st

from decisions.ledger import EvidenceLocked, Ledger, Seal
from runtime.build import EVIDENCE_KEY_FILE, build
from tests.worlds.ledger import NOW, consent, fresh, url_in
from tests.worlds.service import settings_in

OLD, NEW = token_urlsafe(32), token_urlsafe(32)
PROOF = "form of 2 March, ada@example.org, 192.0.2.7"


def fresh_again(folder, seal):
    """The same ledger, opened anew."""
    return Ledger.open(url_in(folder), synchronous="normal", seal=seal)


def stored(folder) -> list[str]:
    with sqlite3.connect(folder / "ledger.db") as connection:
        return [row[0] for row in connection.execute("SELECT evidence FROM consent ORDER BY consent_id")]


@given(st.text())
def test_any_text_comes_back_as_it_was_sealed(text):
    seal = Seal([OLD])
    assert seal.open(seal.seal(text)) == text


def test_the_ledger_holds_no_evidence_in_clear(tmp_path):
    with fresh(tmp_path, seal=Seal([OLD])) as ledger:
        ledger.append_consents([consent(evidence=PROOF)], NOW)
        ledger.wishes.append("ada", [consent(channel="sms", evidence=PROOF)], NOW)
        assert [each.evidence for each in ledger.consents("ada")] == [PROOF, PROOF]
    assert all(each.startswith("sealed:") for each in stored(tmp_path))
    everything = b"".join(each.read_bytes() for each in tmp_path.glob("ledger.db*"))
    assert b"192.0.2.7" not in everything


def test_identical_entries_are_appended_once_although_no_two_seals_are_alike(tmp_path):
    with fresh(tmp_path) as ledger:
        assert ledger.append_consents([consent(evidence=PROOF)] * 2, NOW) == 1


@pytest.mark.parametrize("seal", [Seal(), Seal([NEW])])
def test_without_the_key_it_was_sealed_with_evidence_stays_closed(tmp_path, seal):
    with fresh(tmp_path, seal=Seal([OLD])) as ledger:
        ledger.append_consents([consent(evidence=PROOF)], NOW)
    with fresh_again(tmp_path, seal) as ledger:
        with pytest.raises(EvidenceLocked, match="KAIROS_EVIDENCE_KEY") as locked:
            ledger.consents("ada")
        assert PROOF not in str(locked.value)
        assert len(ledger.wishes.consents("ada", NOW).journal) == 1  # consent itself needs no key


def test_a_ledger_without_a_key_refuses_evidence_rather_than_keep_it_in_clear(tmp_path):
    with fresh(tmp_path, seal=None) as ledger:
        with pytest.raises(EvidenceLocked):
            ledger.append_consents([consent(evidence=PROOF)], NOW)
        assert ledger.append_consents([consent()], NOW) == 1


def test_a_rotation_opens_with_the_old_key_and_seals_with_the_new(tmp_path):
    with fresh(tmp_path, seal=Seal([OLD])) as ledger:
        people = [f"c{number}" for number in range(520)]  # more than a block
        ledger.append_consents([consent(customer_id=each, evidence=PROOF) for each in people], NOW)
        ledger.append_consents([consent(customer_id="without proof")], NOW)
    with fresh_again(tmp_path, Seal.of(f"{NEW}, {OLD}")) as ledger:
        assert ledger.consents("c1")[0].evidence == PROOF
        assert ledger.evidence.reseal() == len(people)
    with fresh_again(tmp_path, Seal([NEW])) as ledger:
        assert {ledger.consents(each)[0].evidence for each in people} == {PROOF}


def test_what_lay_in_clear_from_before_is_read_and_sealed_by_the_next_step(tmp_path):
    fresh(tmp_path).close()
    with sqlite3.connect(tmp_path / "ledger.db") as connection:
        connection.execute(
            "INSERT INTO consent (customer_id, channel, purpose, status, at, source, evidence, after_audit)"
            " VALUES ('ada', 'email', 'marketing', 'granted', 1, 'form', 'in clear', 0)"
        )
    connection.close()
    with fresh_again(tmp_path, Seal([OLD])) as ledger:
        assert ledger.consents("ada")[0].evidence == "in clear"
        assert ledger.evidence.reseal() == 1
        assert ledger.consents("ada")[0].evidence == "in clear"
    assert all(each.startswith("sealed:") for each in stored(tmp_path))


@pytest.mark.parametrize(
    "keys",
    ["", "short", f"{OLD},", f"{OLD},not base64 at all!", "ä" * 43],
    ids=["empty", "short", "trailing", "second", "letters"],
)
def test_what_is_no_key_is_counted_and_not_repeated(keys):
    with pytest.raises(ValueError, match=r"evidence key [12] is not 32 bytes") as refusal:
        Seal.of(keys)
    assert not any(part and part in str(refusal.value) for part in keys.split(","))


def test_a_key_is_kept_below_home_for_its_owner_alone(tmp_path):
    with build(settings_in(tmp_path)) as kairos:
        kairos.ledger.append_consents([consent(evidence=PROOF)], NOW)
    kept = tmp_path / EVIDENCE_KEY_FILE
    assert kept.stat().st_mode & 0o777 == 0o600
    with build(settings_in(tmp_path, evidence_key=f"{NEW},{kept.read_text()}")) as kairos:
        assert kairos.ledger.consents("ada")[0].evidence == PROOF
