"""The BentoML service: process, workers and health around the one FastAPI application."""

from __future__ import annotations

import gc

from runtime.quiet import switch_off_usage_statistics

switch_off_usage_statistics()  # before BentoML is imported

import bentoml  # noqa: E402  # must follow the line above
from anyio.to_thread import current_default_thread_limiter  # noqa: E402  # likewise

from runtime.build import build  # noqa: E402  # likewise
from runtime.checking import refuse_unsound  # noqa: E402  # likewise
from runtime.settings import Settings  # noqa: E402  # likewise
from serving import logs  # noqa: E402  # likewise
from serving.app import create_app  # noqa: E402  # likewise

THREADS = 4
"""Requests at work at once in one worker. The ledger serialises writers, so more only wait for each other: with
sixteen callers, forty threads cost 7.4 ms of processor time a request, four 5.6."""

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
        refuse_unsound(_SETTINGS, self.kairos.policy, self.kairos.catalogue)
        app.state.kairos = self.kairos

    @bentoml.on_startup  # type: ignore[untyped-decorator]  # BentoML is untyped
    async def prepare(self) -> None:
        """Warm up, bound the threads, and take what is built by now out of the collector's sight.

        It lives for good: the slowest percent of answers went from 104 to 26 ms by that.
        """
        self.kairos.warm_up()
        current_default_thread_limiter().total_tokens = THREADS
        gc.collect()
        gc.freeze()

    @bentoml.on_shutdown  # type: ignore[untyped-decorator]  # likewise
    def close(self) -> None:
        """Close the ledger."""
        self.kairos.close()

    def __is_ready__(self) -> bool:
        """Ready means: the ledger answers. Models and features may be away; decisions then say so."""
        return self.kairos.ledger_answers()
