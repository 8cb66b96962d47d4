"""How often one may ask, and under which address strangers are counted."""

import json
import time

import pytest
from hypothesis import given
from hypothesis import strategies as st
from pydantic import ValidationError

from runtime.serve_command import serve_command
from runtime.settings import CONFIG_VARIABLE, RateLimits, Settings
from serving.limiting import Limiter, address_of


def limiter(rate="3/minute", workers=1):
    return Limiter(RateLimits(sender=rate), workers=workers)


def test_the_first_so_many_go_on_and_the_next_is_told_when():
    limits = limiter("3/minute")
    assert [limits.wait("sender", "a") for _ in range(3)] == [None, None, None]
    assert 58 <= limits.wait("sender", "a") <= 60


def test_every_caller_has_a_window_of_its_own():
    limits = limiter("1/minute")
    assert limits.wait("sender", "a") is None
    assert limits.wait("sender", "b") is None
    assert limits.wait("sender", "a") is not None


def test_the_window_moves():
    limits = limiter("2/second")
    assert limits.wait("sender", "a") is None
    assert limits.wait("sender", "a") is None
    assert limits.wait("sender", "a") == 1
    time.sleep(1.05)
    assert limits.wait("sender", "a") is None


@pytest.mark.parametrize(("workers", "each"), [(1, 10), (3, 3), (20, 1)])
def test_workers_share_the_limit_so_that_all_together_give_no_more(workers, each):
    limits = limiter("10/minute", workers)
    assert [limits.wait("sender", "a") is None for _ in range(each + 1)] == [True] * each + [False]


@given(st.lists(st.sampled_from(["a", "b"]), max_size=30), st.integers(1, 5))
def test_nobody_gets_more_than_the_limit_in_a_window(callers, limit):
    limits = limiter(f"{limit}/hour")
    through = [who for who in callers if limits.wait("sender", who) is None]
    assert all(through.count(who) == min(limit, callers.count(who)) for who in set(callers))


@pytest.mark.parametrize(
    "rate", ["", "0/minute", "10", "10/fortnight", "-1/minute", "1.5/second", "10 per minute"]
)
def test_a_rate_that_cannot_be_read_is_refused(rate):
    with pytest.raises(ValidationError):
        RateLimits(sender=rate)


@pytest.mark.parametrize(
    ("client", "address"),
    [
        (("192.0.2.7", 5000), "192.0.2.7"),
        (("2001:db8:1:2:aaaa::1", 1), "2001:db8:1:2::/64"),
        (("2001:db8:1:2:bbbb::9", 1), "2001:db8:1:2::/64"),
        (("::ffff:192.0.2.7", 1), "192.0.2.7"),
        (("not an address", 1), "unknown"),
        (None, "unknown"),
    ],
)
def test_whoever_may_choose_an_address_is_counted_under_the_network(client, address):
    assert address_of(client) == address


def test_limits_reach_the_service_through_its_environment(tmp_path, monkeypatch):
    settings = Settings(
        home=tmp_path, rate_limits=RateLimits(sender="7/second"), trusted_proxies="10.0.0.1, 10.1.0.0/16"
    )
    environment = serve_command(settings, environment={}).environment
    for name, value in environment.items():
        monkeypatch.setenv(name, value)
    monkeypatch.setenv(CONFIG_VARIABLE, str(tmp_path / "none.toml"))
    assert Settings() == settings
    assert environment["FORWARDED_ALLOW_IPS"] == "10.0.0.1, 10.1.0.0/16"


def test_by_default_no_proxy_is_believed(tmp_path):
    assert serve_command(Settings(home=tmp_path), environment={}).environment["FORWARDED_ALLOW_IPS"] == ""


@pytest.mark.parametrize("proxies", ["*", "10.0.0.1, everybody", "10.0.0.1/99"])
def test_nobody_is_believed_without_being_named(tmp_path, proxies):
    with pytest.raises(ValidationError, match="name each proxy"):
        Settings(home=tmp_path, trusted_proxies=proxies)


def test_one_limit_may_be_set_alone(monkeypatch, tmp_path):
    monkeypatch.setenv("KAIROS_RATE_LIMITS", json.dumps({"sender": "9/second"}))
    limits = Settings(home=tmp_path).rate_limits
    assert (limits.sender, limits.stranger) == ("9/second", RateLimits().stranger)
