"""What keeps small commands quick: a decision takes a tenth of a second, importing pandas for it a whole one."""

from __future__ import annotations

import sys
from importlib.abc import MetaPathFinder

_alone = [False]


def have_the_process() -> None:
    """Say that this process runs one command and nothing else."""
    _alone[0] = True


def spare_pandas() -> None:
    """Let Arrow do without pandas, which it imports at its first array to see whether it is given one of pandas'.

    Only where the process is the command's own: Arrow would then take a Series for any sequence, until something
    asks it for a data frame.
    """
    if not _alone[0] or "pandas" in sys.modules:
        return
    import pyarrow as pa

    without = _Without("pandas")
    sys.meta_path.insert(0, without)
    try:
        pa.array([0])
    finally:
        sys.meta_path.remove(without)


class _Without(MetaPathFinder):
    """Finds no module of this name."""

    def __init__(self, name: str) -> None:
        self._name = name

    def find_spec(self, name: str, path: object, target: object = None) -> None:
        """Refuse the module, and leave every other to those who find them."""
        del path, target
        if name == self._name:
            raise ImportError(f"{name} is left out here", name=name)
