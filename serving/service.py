"""The BentoML service: process, workers and health around the one FastAPI application."""

from __future__ import annotations

import gc

from runtime.quiet import switch_off_usage_statistics

switch_off_usage_statistics()  # before BentoML is imported

import bentoml  # noqa: E402  # must follow the line above

from runtime.build import build  # noqa: E402  # likewise
from runtime.settings import Settings  # noqa: E402  # likewise
from serving import logs  # noqa: E402  # likewise
from serving.app import create_app  # noqa: E402  # likewise

_SETTINGS = Settings()
app = create_app()


@bentoml.service(
    name="kairos",
    workers=_SETTINGS.workers,
    traffic={"timeout": 30},
    metrics={"enabled": False},  # they label by raw path; ours are at the same address (serving.metrics)
    logging={"access": {"enabled": False}},  # structured instead (serving.logs); on, it halves the throughput
    tracing={"excluded_urls": ".*"},  # nothing exports spans by default, and making them costs each request
)
@bentoml.asgi_app(app, path="/")
class KairosService:
    """Builds Kairos once per worker, gives it to the application, and closes it in the end."""

    def __init__(self) -> None:
        logs.configure()
        self.kairos = build(_SETTINGS)
        app.state.kairos = self.kairos

    @bentoml.on_startup  # type: ignore[untyped-decorator]  # BentoML is untyped
    def freeze(self) -> None:
        """Warm up, then take everything built so far out of the collector's sight: it lives for good.

        The slowest percent of answers went from 104 to 26 ms by this.
        """
        self.kairos.warm_up()
        gc.collect()
        gc.freeze()

    @bentoml.on_shutdown  # type: ignore[untyped-decorator]  # likewise
    def close(self) -> None:
        """Close the ledger."""
        self.kairos.close()

    def __is_ready__(self) -> bool:
        """Ready means: the ledger answers. Models and features may be away; decisions then say so."""
        return self.kairos.ledger_answers()
