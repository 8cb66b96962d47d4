"""API keys in the ledger: shown once, recognised by a digest, replaced, revoked, and every change on the trail."""

import sqlite3
from datetime import timedelta

import pytest

from decisions.ledger import ROLES, UnusableKey
from decisions.ledger.actor import acting
from decisions.ledger.keys import digest_of, key_id_of
from tests.worlds.ledger import DAY, HOUR, NOW, fresh


@pytest.fixture
def ledger(tmp_path):
    with fresh(tmp_path) as opened:
        yield opened


def known(ledger, key):
    return next(each for each in ledger.keys.all() if each.key_id == key.key_id)


def the_only(ledger):
    (key,) = ledger.keys.all()
    return key


def whats(ledger):
    return [(change.what, change.detail, change.actor) for change in ledger.trail.entries()]


@pytest.mark.parametrize("role", ROLES)
def test_a_new_key_is_shown_once_and_kept_as_a_digest(ledger, role):
    new = ledger.keys.add(role, label="mail gateway", now=NOW)
    key = the_only(ledger)
    assert key == new.key
    assert (key.role, key.label, key.digest) == (role, "mail gateway", digest_of(new.secret))
    assert new.secret.startswith(f"kairos_{key.key_id}_")
    assert key_id_of(new.secret) == key.key_id


def test_the_file_does_not_hold_the_key(ledger, tmp_path):
    secret = ledger.keys.add("sender", label="x", now=NOW).secret
    ledger.close()
    files = b"".join(file.read_bytes() for file in tmp_path.iterdir())
    assert secret.encode() not in files
    assert secret.rpartition("_")[2].encode() not in files
    assert digest_of(secret).encode() in files


def test_a_key_does_not_show_itself(ledger):
    new = ledger.keys.add("sender", label="x", now=NOW)
    assert new.secret not in repr(new)
    assert new.key.digest not in repr(new)


def test_two_keys_share_nothing(ledger):
    first, second = (ledger.keys.add("sender", label="x", now=NOW) for _ in range(2))
    assert len({first.secret, second.secret, first.key.key_id, second.key.key_id}) == 4
    assert len(first.secret.removeprefix(f"kairos_{first.key.key_id}_")) == 43, "32 bytes in base64"


def test_a_key_stands_until_the_moment_it_expires(ledger):
    key = ledger.keys.add("sender", label="x", now=NOW, expires=NOW + DAY).key
    assert key.standing(NOW + DAY - timedelta(microseconds=1)) == "valid"
    assert key.standing(NOW + DAY) == "expired"


def test_a_revoked_key_is_over_at_once_and_revoking_again_changes_nothing(ledger):
    key_id = ledger.keys.add("sender", label="x", now=NOW).key.key_id
    first, second = ledger.keys.revoke(key_id, NOW + HOUR), ledger.keys.revoke(key_id, NOW + DAY)
    assert first == second == the_only(ledger)
    assert first.revoked_at == NOW + HOUR
    assert first.standing(NOW) == "revoked"
    assert [what for what, _, _ in whats(ledger)].count("key_revoked") == 1


def test_rotation_leaves_the_old_key_for_the_overlap(ledger):
    old = ledger.keys.add("ingest", label="shop", now=NOW).key
    new = ledger.keys.rotate(old.key_id, NOW + DAY, overlap=timedelta(hours=2))
    before, after = ledger.keys.all()
    assert (after.role, after.label, after.expires_at) == ("ingest", "shop", None)
    assert after == new.key
    assert before.standing(NOW + DAY + HOUR) == "valid"
    assert before.standing(NOW + DAY + 2 * HOUR) == "expired"


def test_the_successor_lives_as_long_as_the_key_before(ledger):
    old = ledger.keys.add("sender", label="x", now=NOW, expires=NOW + 90 * DAY).key
    new = ledger.keys.rotate(old.key_id, NOW + 80 * DAY, overlap=DAY).key
    assert new.expires_at == NOW + 170 * DAY


def test_the_overlap_does_not_lengthen_a_life(ledger):
    old = ledger.keys.add("sender", label="x", now=NOW, expires=NOW + HOUR).key
    ledger.keys.rotate(old.key_id, NOW, overlap=DAY)
    assert known(ledger, old).expires_at == NOW + HOUR


def test_no_overlap_ends_the_old_key_now(ledger):
    old = ledger.keys.add("sender", label="x", now=NOW).key
    ledger.keys.rotate(old.key_id, NOW, overlap=timedelta(0))
    assert known(ledger, old).standing(NOW) == "expired"


def test_a_replaced_key_names_its_successor_instead_of_being_rotated_again(ledger):
    old = ledger.keys.add("sender", label="x", now=NOW).key
    new = ledger.keys.rotate(old.key_id, NOW, overlap=DAY).key
    with pytest.raises(UnusableKey, match=new.key_id):
        ledger.keys.rotate(old.key_id, NOW, overlap=DAY)
    assert len(ledger.keys.all()) == 2


@pytest.mark.parametrize(
    "spoil", [lambda keys, key: keys.revoke(key, NOW), lambda keys, key: None], ids=["revoked", "expired"]
)
def test_a_key_that_is_over_cannot_be_rotated(ledger, spoil):
    key = ledger.keys.add("sender", label="x", now=NOW, expires=NOW + HOUR).key.key_id
    spoil(ledger.keys, key)
    with pytest.raises(UnusableKey, match="keys add"):
        ledger.keys.rotate(key, NOW + DAY, overlap=DAY)


@pytest.mark.parametrize("change", ["revoke", "rotate"])
def test_an_unknown_id_is_not_repeated_for_it_may_be_a_whole_key(ledger, change):
    options = {"overlap": DAY} if change == "rotate" else {}
    with pytest.raises(UnusableKey) as raised:
        getattr(ledger.keys, change)("kairos_abc_secret", NOW, **options)
    assert "keys list" in str(raised.value)
    assert "secret" not in str(raised.value)


@pytest.mark.parametrize("label", ["", "  ", "a\nb", "x" * 101])
def test_a_label_says_what_the_key_is_for(ledger, label):
    with pytest.raises(ValueError, match="what the key is for"):
        ledger.keys.add("sender", label=label, now=NOW)
    assert ledger.keys.all() == []


def test_a_role_nobody_knows_and_an_end_in_the_past_are_refused(ledger):
    with pytest.raises(ValueError, match="sender, ingest, analyst, admin"):
        ledger.keys.add("root", label="x", now=NOW)
    with pytest.raises(ValueError, match="later moment"):
        ledger.keys.add("sender", label="x", now=NOW, expires=NOW)


def test_every_change_of_a_key_is_on_the_trail_with_who_asked(ledger):
    with acting("kairos keys add"):
        key = ledger.keys.add("sender", label="x", now=NOW).key.key_id
    with acting("other"):
        new = ledger.keys.rotate(key, NOW, overlap=DAY).key.key_id
        ledger.keys.revoke(new, NOW)
    until = (NOW + DAY).isoformat()
    assert whats(ledger) == [
        ("key_added", f"{key} sender", "kairos keys add"),
        ("key_rotated", f"{key} by {new}, until {until}", "other"),
        ("key_revoked", new, "other"),
    ]


@pytest.mark.parametrize("text", ["", "kairos", "kairos_", "kairos_abc", "kairos_abc_", "other_abc_def", "a b c"])
def test_what_has_not_the_form_of_a_key_names_none(text):
    assert key_id_of(text) is None


def test_the_ledgers_files_are_for_their_owner_only(tmp_path):
    from decisions.ledger import Ledger

    with Ledger.open(f"sqlite:///{tmp_path}/new/ledger.db") as ledger:
        ledger.keys.add("sender", label="x", now=NOW)
        modes = {file.name: oct(file.stat().st_mode & 0o777) for file in (tmp_path / "new").iterdir()}
    assert modes == dict.fromkeys(("ledger.db", "ledger.db-wal", "ledger.db-shm"), "0o600")


def test_opening_a_ledger_again_leaves_its_mode_to_the_operator(tmp_path):
    fresh(tmp_path).close()
    (tmp_path / "ledger.db").chmod(0o640)
    with fresh(tmp_path) as ledger:
        ledger.keys.all()
    assert (tmp_path / "ledger.db").stat().st_mode & 0o777 == 0o640


def test_the_tables_rows_hold_no_secret(ledger, tmp_path):
    secret = ledger.keys.add("admin", label="x", now=NOW).secret
    ledger.close()
    with sqlite3.connect(tmp_path / "ledger.db") as connection:
        dump = "\n".join(connection.iterdump())
    connection.close()
    assert secret.rpartition("_")[2] not in dump
