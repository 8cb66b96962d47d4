"""One typed object holds every setting: ``kairos.toml``, then ``KAIROS_*`` environment variables above it."""

from __future__ import annotations

import ipaddress
import os
import re
from pathlib import Path
from typing import Annotated

from pydantic import AfterValidator, AwareDatetime, BaseModel, ConfigDict, Field, SecretStr
from pydantic_settings import (
    BaseSettings,
    PydanticBaseSettingsSource,
    SettingsConfigDict,
    TomlConfigSettingsSource,
)

from runtime.retention import Retention

CONFIG_VARIABLE = "KAIROS_CONFIG"


def _absolute(path: Path) -> Path:
    return path.expanduser().absolute()


def _proxies(addresses: str) -> str:
    for each in filter(None, (part.strip() for part in addresses.split(","))):
        try:
            ipaddress.ip_network(each)
        except ValueError as error:
            raise ValueError(
                f"{each!r} is no address or network; name each proxy, as in '10.0.0.7, 10.1.0.0/16'. "
                "To believe everybody would let callers choose their own address"
            ) from error
    return addresses


AbsolutePath = Annotated[Path, AfterValidator(_absolute)]
Rate = Annotated[str, Field(pattern=r"^[1-9][0-9]{0,8}/(second|minute|hour|day)$")]


class RateLimits(BaseModel):
    """Requests in a moving window, all workers together; of one key by its role, of the others by address."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    sender: Rate = "6000/minute"
    ingest: Rate = "6000/minute"
    analyst: Rate = "600/minute"
    admin: Rate = "6000/minute"
    public: Rate = "600/minute"  # unsubscribing: mailbox providers ask for many people from few addresses
    stranger: Rate = "60/minute"  # without a valid key: guessing is slow, and one's own mistake is noticed


Days = Annotated[int, Field(ge=1, le=365)]


class Horizons(BaseModel):
    """Days that each model looks ahead; none given: what fits the events, the model's own at most."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    send_time: Days | None = None
    channel: Days | None = None
    churn: Days | None = None
    offer: Days | None = None
    worth: Days | None = None
    fatigue: Days | None = None


_PUBLIC = re.compile(r"https://[^\s/?#@<>]+(/[^\s?#<>]*)?|http://(localhost|127\.0\.0\.1)(:\d+)?/?")


def _public(url: str) -> str:
    if not _PUBLIC.fullmatch(url):
        raise ValueError(f"{url!r} must be an https address without query: mail clients post nowhere else")
    return url.rstrip("/")


PublicUrl = Annotated[str, AfterValidator(_public)]
"""An address others reach, without its last slash. Plain http passes on this machine alone."""


class Settings(BaseSettings):
    """Where things are and how the service listens. Paths that are not given follow from ``home``."""

    model_config = SettingsConfigDict(
        env_prefix="KAIROS_", env_nested_delimiter="__", extra="forbid", frozen=True, use_attribute_docstrings=True
    )

    home: AbsolutePath = Field(default=Path(".kairos"), validate_default=True)
    """Lake, feature tables, ledger and champions live below it."""
    policy: AbsolutePath = Field(default=Path("policy.yaml"), validate_default=True)
    """The policy's file."""
    catalogue: AbsolutePath = Field(default=Path("catalogue.yaml"), validate_default=True)
    """The catalogue's file."""
    ledger_url: SecretStr | None = None
    """``postgresql://user:password@host/database`` or ``sqlite:///path``; by default SQLite below ``home``."""
    mlflow_root: AbsolutePath = Field(default=Path("mlruns"), validate_default=True)
    """MLflow's embedded store."""
    mlflow_uri: str | None = None
    """Tracking and registry URI; by default the embedded store below ``mlflow_root``."""
    model_prefix: str = "kairos"
    """Registered models are called ``<prefix>-<model>``."""
    buckets: int = Field(default=16, ge=1, le=4096)
    """Household buckets of a new lake; an existing lake keeps its own."""
    seed: int = 20170101
    """Of everything random in training."""
    horizons: Horizons = Horizons()
    """Days that models look ahead, by model (``churn = 90``), a table of its own; by default what fits."""
    memory_limit: str = "2GB"
    """What DuckDB may use for one bucket."""
    threads: int = Field(default_factory=lambda: max(1, os.cpu_count() or 1), ge=1)
    """Threads of DuckDB; by default one a core."""
    now: AwareDatetime | None = None
    """A moment to stand still at; by default the machine's clock."""
    salt: SecretStr | None = None
    """Key of the draws; by default one is generated below ``home`` and kept."""
    host: str = "127.0.0.1"
    """Where the service listens."""
    port: int = Field(default=3000, ge=0, le=65535)
    """The service's port."""
    workers: int = Field(default=1, ge=1)
    """Worker processes of the service."""
    api_key: SecretStr | None = None
    """The first key, an admin's; by default one is generated below ``home`` and kept."""
    rate_limits: RateLimits = Field(default_factory=RateLimits)
    """Requests that each role's keys may make: ``sender``, ``ingest``, ``analyst``, ``admin``; ``public`` and
    ``stranger`` are by address (docs/security.md)."""
    trusted_proxies: Annotated[str, AfterValidator(_proxies)] = ""
    """Addresses or networks, by commas, whose X-Forwarded-For is believed; by default nobody's."""
    evidence_key: SecretStr | None = None
    """Keys that seal the consents' evidence, separated by commas: the first seals, each opens; by default one is
    generated below ``home`` and kept."""
    public_url: PublicUrl | None = None
    """Where customers reach the service (``https://…``): the unsubscribe link of a message begins with it."""
    retention: Retention = Retention()
    """How long things are kept; a table of its own."""

    @classmethod
    def settings_customise_sources(
        cls,
        settings_cls: type[BaseSettings],
        init_settings: PydanticBaseSettingsSource,
        env_settings: PydanticBaseSettingsSource,
        dotenv_settings: PydanticBaseSettingsSource,
        file_secret_settings: PydanticBaseSettingsSource,
    ) -> tuple[PydanticBaseSettingsSource, ...]:
        """Arguments win over the environment, the environment over the file."""
        file = Path(os.environ.get(CONFIG_VARIABLE, "kairos.toml"))
        toml = TomlConfigSettingsSource(settings_cls, toml_file=file)
        return (init_settings, env_settings, toml)

    @property
    def lake(self) -> Path:
        """The event lake."""
        return self.home / "lake"

    @property
    def features(self) -> Path:
        """The feature tables, Feast's registry and its online store."""
        return self.home / "features"

    @property
    def champions(self) -> Path:
        """Local, immutable copies of the models in use."""
        return self.home / "champions"

    @property
    def ledger(self) -> str:
        """The ledger's SQLAlchemy URL, with its password: never to be printed."""
        return self.ledger_url.get_secret_value() if self.ledger_url else f"sqlite:///{self.home / 'ledger.db'}"

    @property
    def tracking_uri(self) -> str:
        """MLflow's tracking and registry URI."""
        return self.mlflow_uri or f"sqlite:///{self.mlflow_root / 'mlflow.db'}"
