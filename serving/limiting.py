"""How often one caller may ask: a moving window in memory for each key, and for each address without one.

Windows are a worker's own, and each worker gives its share of the limit, so that all together never give more. A
caller that keeps one connection open talks to one worker and has that share. No window is shared: the limits
protect the service, and no database stands in the way of a request for them.
"""

from __future__ import annotations

import ipaddress
import math
import time
from typing import TYPE_CHECKING

from limits import RateLimitItem, parse
from limits.storage import MemoryStorage
from limits.strategies import MovingWindowRateLimiter

if TYPE_CHECKING:
    from runtime.settings import RateLimits

_IPV6_PREFIX = 64
"""What one household or server is given: within it addresses are free to choose."""


class Limiter:
    """Counts requests of one worker. ``workers`` is how many share the limits."""

    def __init__(self, limits: RateLimits, *, workers: int) -> None:
        self._items = {name: _share(rate, workers) for name, rate in limits.model_dump().items()}
        self._windows = MovingWindowRateLimiter(MemoryStorage())

    def wait(self, kind: str, who: str) -> int | None:
        """Count a request of ``who``; return None where it may go on, else the whole seconds until one may.

        ``kind`` names the limit: a role, ``public`` or ``stranger``. What is refused does not count.
        """
        item = self._items[kind]
        if self._windows.hit(item, kind, who):
            return None
        frees_at, _ = self._windows.get_window_stats(item, kind, who)
        return max(1, math.ceil(frees_at - time.time()))


def _share(rate: str, workers: int) -> RateLimitItem:
    whole = parse(rate)
    return type(whole)(max(1, whole.amount // workers), whole.multiples)


def address_of(client: tuple[str, int] | None) -> str:
    """Return the address a request is counted under; every IPv6 address of one /64 network is the same."""
    try:
        address = ipaddress.ip_address(client[0] if client else "")
    except ValueError:
        return "unknown"
    if isinstance(address, ipaddress.IPv4Address):
        return str(address)
    if address.ipv4_mapped:
        return str(address.ipv4_mapped)
    return str(ipaddress.ip_network((int(address), _IPV6_PREFIX), strict=False))
