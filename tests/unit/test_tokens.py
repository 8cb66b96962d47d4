"""The unsubscribe token: whoever holds it may withdraw what it names, for its time, and nothing else."""

from __future__ import annotations

from base64 import urlsafe_b64decode
from dataclasses import replace
from datetime import timedelta
from urllib.parse import parse_qs, urlsplit

import pytest
from hypothesis import given
from hypothesis import strategies as st

from decisions.records import Keys
from decisions.tokens import (
    ExpiredToken,
    ForgedToken,
    Unsubscribe,
    read_unsubscribe_token,
    unsubscribe_headers,
    unsubscribe_token,
)
from tests.worlds.ledger import NOW, send

KEYS = Keys(assignment=b"a", holdback=b"h", exploration=b"e", token=b"t")
UNTIL = NOW + timedelta(days=400)
WHAT = Unsubscribe(
    customer_id="käthe|1/2", channel="email", purpose="marketing", decision_id="d", expires_at=UNTIL
)
TOKEN = unsubscribe_token(WHAT, KEYS)


def test_a_token_says_what_to_withdraw():
    assert read_unsubscribe_token(TOKEN, KEYS, now=NOW) == WHAT


@given(st.integers(0, len(TOKEN) - 1), st.characters())
def test_a_token_with_any_letter_changed_is_refused(place, letter):
    changed = TOKEN[:place] + letter + TOKEN[place + 1 :]
    if changed != TOKEN:
        with pytest.raises(ForgedToken):
            read_unsubscribe_token(changed, KEYS, now=NOW)


@given(st.text() | st.integers(0, len(TOKEN) - 1).map(lambda end: TOKEN[:end]))
def test_a_cut_token_and_any_other_text_is_refused(text):
    with pytest.raises(ForgedToken) as refusal:
        read_unsubscribe_token(text, KEYS, now=NOW)
    assert "käthe" not in str(refusal.value)


@pytest.mark.parametrize("spoilt", [TOKEN + "=", TOKEN + ".", TOKEN + "\n", "." + TOKEN, TOKEN.replace(".", "..")])
def test_padding_and_stray_letters_make_it_another_token(spoilt):
    with pytest.raises(ForgedToken):
        read_unsubscribe_token(spoilt, KEYS, now=NOW)


def test_a_token_of_another_installation_is_refused():
    with pytest.raises(ForgedToken):
        read_unsubscribe_token(TOKEN, replace(KEYS, token=b"other"), now=NOW)


def test_a_token_works_until_the_second_it_expires():
    read_unsubscribe_token(TOKEN, KEYS, now=UNTIL - timedelta(microseconds=1))
    with pytest.raises(ExpiredToken, match="2027-04-06"):
        read_unsubscribe_token(TOKEN, KEYS, now=UNTIL)


def test_the_expiry_is_under_the_signature():
    later = unsubscribe_token(replace(WHAT, expires_at=UNTIL + timedelta(days=1)), KEYS)
    grafted = f"{later.partition('.')[0]}.{TOKEN.partition('.')[2]}"
    assert b"1" in urlsafe_b64decode(later.partition(".")[0] + "==")
    with pytest.raises(ForgedToken):
        read_unsubscribe_token(grafted, KEYS, now=NOW)


def test_the_headers_are_those_of_rfc_8058():
    headers = unsubscribe_headers(send(unsubscribe_token=TOKEN), "https://mail.example")
    assert headers["List-Unsubscribe-Post"] == "List-Unsubscribe=One-Click"
    link = headers["List-Unsubscribe"]
    assert (link[0], link[-1]) == ("<", ">")
    parts = urlsplit(link[1:-1])
    assert (parts.scheme, parts.netloc, parts.path) == ("https", "mail.example", "/v1/unsubscribe")
    assert parse_qs(parts.query) == {"token": [TOKEN]}


def test_without_a_token_or_an_address_there_are_no_headers():
    assert unsubscribe_headers(send(unsubscribe_token=TOKEN), None) == {}
    assert unsubscribe_headers(send(), "https://mail.example") == {}
