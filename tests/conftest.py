"""How tests are dealt out to processes: those that share one running service go to one of them."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

if TYPE_CHECKING:
    from xdist.scheduler.protocol import Scheduling

SHARES_THE_SERVICE = "_over_http.py"


@pytest.hookimpl(optionalhook=True)
def pytest_xdist_make_scheduler(config: pytest.Config, log: object) -> Scheduling:
    """Deal out test by test, but the files that share the service as one.

    xdist's own ``xdist_group`` mark does nothing under pytest 9.2, which no longer reads the attribute it writes.
    """
    from xdist.scheduler import LoadScopeScheduling

    class TogetherWithTheService(LoadScopeScheduling):
        def _split_scope(self, nodeid: str) -> str:
            return SHARES_THE_SERVICE if nodeid.partition("::")[0].endswith(SHARES_THE_SERVICE) else nodeid

    return TogetherWithTheService(config, log)
