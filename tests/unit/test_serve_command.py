from __future__ import annotations

import sys
from datetime import UTC, datetime

from pydantic import SecretStr

from runtime.quiet import USAGE_STATISTICS_OFF
from runtime.serve_command import serve_command
from runtime.settings import CONFIG_VARIABLE, Settings


def test_it_serves_on_loopback_unless_told_otherwise(tmp_path):
    command = serve_command(Settings(home=tmp_path), environment={})
    assert command.argv[:4] == (sys.executable, "-m", "bentoml", "serve")
    assert "127.0.0.1" in command.argv
    assert command.ready_url == "http://127.0.0.1:3000/readyz"


def test_the_service_reads_the_very_settings_its_starter_had(tmp_path, monkeypatch):
    settings = Settings(
        home=tmp_path,
        now=datetime(2017, 12, 31, 5, tzinfo=UTC),
        salt=SecretStr("s"),
        api_key=SecretStr("0123"),
        workers=2,
        port=8080,
        ledger_url="sqlite:///x.db",
    )
    for name, value in serve_command(settings, environment={}).environment.items():
        monkeypatch.setenv(name, value)
    monkeypatch.setenv(CONFIG_VARIABLE, str(tmp_path / "none.toml"))
    assert Settings() == settings


def test_nothing_phones_home(tmp_path):
    environment = serve_command(Settings(home=tmp_path), environment={"DO_NOT_TRACK": "0"}).environment
    assert USAGE_STATISTICS_OFF.items() <= environment.items()


def test_two_services_do_not_share_a_metrics_folder(tmp_path):
    homes = {
        serve_command(Settings(home=tmp_path, port=port), environment={}).environment["BENTOML_HOME"]
        for port in (3000, 3001)
    }
    assert len(homes) == 2


def test_an_ipv6_host_is_bracketed_in_the_address(tmp_path):
    assert serve_command(Settings(home=tmp_path, host="::1"), environment={}).url == "http://[::1]:3000"


def test_the_key_is_not_on_the_command_line(tmp_path):
    command = serve_command(Settings(home=tmp_path, api_key=SecretStr("topsecret")), environment={})
    assert not any("topsecret" in part for part in command.argv)
