"""LightGBM's own library, asked to predict without the Python package around it.

The package brings pandas, scikit-learn and SciPy along, which takes seconds to import where a prediction takes
microseconds. What is called is LightGBM's C interface, as the package calls it, so the numbers are the same to
the last bit (a test holds that). Whoever trains uses the package.
"""

from __future__ import annotations

import ctypes
import platform
import sys
from functools import cache
from importlib.util import find_spec
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

if TYPE_CHECKING:
    from decisions.scorers.base import FloatArray

_RAW_SCORE, _FLOAT64, _ROW_MAJOR = 1, 1, 1  # of c_api.h
_FROM_THE_FIRST, _ALL = 0, -1
_NAMES = "feature_names="
_LISTENER = ctypes.CFUNCTYPE(None, ctypes.c_char_p)


_DEAF = _LISTENER(lambda _remark: None)
"""What hears the library's remarks, which it would otherwise print among a command's answer."""


class Model:
    """One parsed model, and the names of its columns. Safe to ask from many threads."""

    def __init__(self, text: str) -> None:
        """Parse ``text``, a model as LightGBM writes it.

        Raises:
            ValueError: where LightGBM cannot read it, or it has more than one score a row.
        """
        self._handle, trees, scores = ctypes.c_void_p(), ctypes.c_int(0), ctypes.c_int(0)
        self._library = _library()
        handle = ctypes.byref(self._handle)
        _check(self._library.LGBM_BoosterLoadModelFromString(text.encode(), ctypes.byref(trees), handle))
        _check(self._library.LGBM_BoosterGetNumClasses(self._handle, ctypes.byref(scores)))
        if scores.value != 1:
            raise ValueError(f"the model has {scores.value} scores a row: one is asked for")
        self.features = _names(text)

    def __del__(self) -> None:
        """Give the parsed model back."""
        self._library.LGBM_BoosterFree(self._handle)

    def raw_scores(self, columns: FloatArray, *, threads: int) -> FloatArray:
        """Return the raw score of every row; ``threads`` 0 is as many as there are."""
        rows = np.ascontiguousarray(columns, dtype=np.float64)
        scores, written = np.empty(len(rows), dtype=np.float64), ctypes.c_int64(0)
        _check(
            self._library.LGBM_BoosterPredictForMat(
                self._handle,
                rows.ctypes.data_as(ctypes.c_void_p),
                ctypes.c_int(_FLOAT64),
                ctypes.c_int32(rows.shape[0]),
                ctypes.c_int32(rows.shape[1]),
                ctypes.c_int(_ROW_MAJOR),
                ctypes.c_int(_RAW_SCORE),
                ctypes.c_int(_FROM_THE_FIRST),
                ctypes.c_int(_ALL),
                f"num_threads={threads}".encode(),
                ctypes.byref(written),
                scores.ctypes.data_as(ctypes.POINTER(ctypes.c_double)),
            )
        )
        return scores


def _names(text: str) -> tuple[str, ...]:
    """Return the columns the model was trained on, in order: names hold no blanks."""
    line = next((line for line in text.splitlines() if line.startswith(_NAMES)), _NAMES)
    return tuple(line.removeprefix(_NAMES).split(" "))


@cache
def _library() -> Any:
    spec = find_spec("lightgbm")
    if spec is None or spec.origin is None:
        raise ModuleNotFoundError("LightGBM is not installed: run make install")
    ending = {"Darwin": "dylib", "Windows": "dll"}.get(platform.system(), "so")
    file = Path(spec.origin).parent / ("bin" if ending == "dll" else "lib") / f"lib_lightgbm.{ending}"
    library = ctypes.cdll.LoadLibrary(str(file))
    library.LGBM_GetLastError.restype = ctypes.c_char_p
    if "lightgbm" not in sys.modules:  # the package listens for itself
        library.LGBM_RegisterLogCallback(_DEAF)
    return library


def _check(code: int) -> None:
    if code:
        raise ValueError(f"LightGBM: {_library().LGBM_GetLastError().decode()}")
