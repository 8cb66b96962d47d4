"""How MLflow loads a registered model: ``mlflow.pyfunc.load_model("models:/kairos-churn@champion")``.

The model's data are the artefact's directory and, beside it, what the scorer was asked with when it was trained
(offers and priors). Nothing is pickled; deciding itself never comes this way, it loads the artefact alone.
"""

from __future__ import annotations

import json
from dataclasses import fields
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
import pyarrow as pa

from decisions.priors import Priors
from decisions.scorers.artefact import SCORER_FILE
from decisions.scorers.loading import load_scorer, scorer_class
from decisions.scoring import batch_of
from features.contracts import Offer

if TYPE_CHECKING:
    import pandas as pd

    from decisions.scorers.base import Batch, Kind

ARTEFACT = "scorer"
ASKED = "asked.json"


def write_model(directory: Path, scorer: Any, *, offers: tuple[Offer, ...], priors: Priors) -> None:
    """Write what :func:`_load_pyfunc` reads."""
    scorer.save(directory / ARTEFACT)
    asked = {
        "offers": [offer.model_dump(mode="json") for offer in offers],
        "priors": priors.model_dump(mode="json"),
    }
    (directory / ASKED).write_text(json.dumps(asked, sort_keys=True), encoding="utf-8")


class ScorerModel:
    """A scorer behind MLflow's interface: a feature frame in, one column per answer out."""

    def __init__(self, directory: Path) -> None:
        """Load the scorer and what it is asked with."""
        head = json.loads((directory / ARTEFACT / SCORER_FILE).read_bytes())
        asked = json.loads((directory / ASKED).read_bytes())
        self.kind: Kind = head["kind"]
        self.scorer = load_scorer(self.kind, directory / ARTEFACT)
        self.offers = tuple(Offer.model_validate(offer) for offer in asked["offers"])
        self.priors = Priors.model_validate(asked["priors"])

    def predict(self, model_input: pd.DataFrame, params: dict[str, Any] | None = None) -> pd.DataFrame:
        """Return the answers, one row per row of ``model_input``; columns are ``answer`` or ``answer:key``."""
        import pandas as pd  # noqa: PLC0415  # MLflow's own currency, needed nowhere else

        del params
        frame = pa.Table.from_pandas(model_input, preserve_index=False)
        answer = self._ask(batch_of(frame, priors=self.priors, offers=self.offers))
        columns = {name: _spread(array, len(model_input)) for name, array in _arrays(answer).items()}
        return pd.DataFrame(columns, index=model_input.index)

    def _ask(self, batch: Batch) -> Any:
        """Ask the scorer; what it needs of the other models is the prior's answer."""
        if self.kind not in ("offer", "fatigue"):
            return self.scorer.predict(batch)
        engagement = scorer_class("channel").prior("standalone").predict(batch)
        if self.kind == "offer":
            return self.scorer.predict(batch, engagement)
        return self.scorer.predict(batch, scorer_class("offer").prior("standalone").predict(batch, engagement))


def _load_pyfunc(path: str) -> ScorerModel:
    """Answer MLflow's call for a ``loader_module``."""
    return ScorerModel(Path(path))


def _arrays(answer: Any) -> dict[str, np.ndarray[Any, Any]]:
    found = {}
    for field in fields(answer):
        value = getattr(answer, field.name)
        if isinstance(value, np.ndarray):
            found[field.name] = value
        elif isinstance(value, dict):
            found |= {f"{field.name}:{key}": array for key, array in value.items()}
    return found


def _spread(array: np.ndarray[Any, Any], size: int) -> list[Any]:
    rows: list[Any] = array.tolist()
    return rows if len(rows) == size else rows * size
