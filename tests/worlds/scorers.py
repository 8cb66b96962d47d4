"""Small scorers of churn and channel, a frame to ask them about, and a stranger in it."""

import numpy as np
import pyarrow as pa

from decisions.priors import ChannelPriors, Priors
from decisions.scorers.artefact import Artefact
from decisions.scorers.base import matrix
from decisions.scorers.channel import ChannelModel, own_columns
from decisions.scorers.churn import ChurnModel
from decisions.scoring import batch_of
from features.contracts import Offer
from training.fitting import Boosting, Training, fit_booster

OFFERS = (
    Offer(offer_id="milk", category="grocery", channels=("mail", "email"), margin=2.0),
    Offer(offer_id="tea", category="grocery", channels=("mail",), margin=1.0),
)
PRIORS = Priors(channels={"email": ChannelPriors(engage=0.07, reach_share=0.2)}, yearly_margin=80.0)
STRAIGHT = {"x": [0.0, 1.0], "y": [0.0, 1.0]}
NAMES = ("recency_days", "orders_90d")


def a_frame(rows=60, seed=1):
    rng = np.random.default_rng(seed)
    columns = {
        "recency_days": rng.exponential(20.0, rows),
        "orders_90d": rng.poisson(5.0, rows).astype(float),
        "spend_365d": rng.gamma(2.0, 200.0, rows),
        "tenure_days": rng.uniform(30, 400, rows),
        **{name: rng.integers(0, 3, rows).astype(float) for name in own_columns("mail")},
    }
    return pa.table({"customer_id": [f"c{i}" for i in range(rows)], **columns})


def with_a_stranger(frame):
    empty = {name: [None] for name in frame.column_names} | {"customer_id": ["stranger"]}
    return pa.concat_tables([frame, pa.table(empty, schema=frame.schema)])


def a_booster(frame, offset=None):
    columns = matrix(frame, NAMES)
    labels = (columns[:, 0] > 20).astype(float)
    training = Training(columns=columns, names=NAMES, labels=labels, groups=np.arange(len(labels)), offset=offset)
    return fit_booster(training, Boosting(rounds=20, min_child=5, l2=1.0), seed=1)


def churn_model():
    facts = {"days": 56, "knots": STRAIGHT, "peer_churn": 0.11, "peer_spend": 400.0}
    return ChurnModel(
        Artefact(kind="churn", facts=facts, features=NAMES, boosters={"booster": a_booster(a_frame())})
    )


def channel_model():
    learned = {"base": 0.08, "strength": 10.0, "knots": STRAIGHT, "features": list(NAMES)}
    facts = {"days": 28, "why": "no_labels", "channels": {"mail": learned}}
    return ChannelModel(Artefact(kind="channel", facts=facts, boosters={"mail": a_booster(a_frame())}))


def ask(scorer, frame):
    return scorer.predict(batch_of(frame, priors=PRIORS, offers=OFFERS))
