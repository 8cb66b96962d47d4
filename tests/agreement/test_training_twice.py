"""All five models, trained on one history that lies in two lakes: in another order, other files, other buckets."""

import random
from datetime import UTC, datetime, timedelta

import numpy as np
import pyarrow as pa
import pytest

from decisions.priors import Priors
from features.build import build_features
from features.contracts import CUSTOMER_SCHEMA, EVENT_SCHEMA, Offer
from features.lake import Lake
from features.store import FeatureStore
from features.vocabulary import Vocabulary
from training.fitting import Boosting, Training, fit_booster
from training.gates import judge
from training.models.channel import TrainChannel
from training.models.churn import TrainChurn
from training.models.fatigue import TrainFatigue
from training.models.offer import TrainOffer
from training.models.send_time import TrainSendTime
from training.sources import TrainingSources

BEGIN, DAYS = datetime(2017, 1, 1, tzinfo=UTC), 300
NOW = BEGIN + timedelta(days=DAYS, hours=7)
WORDS = Vocabulary(channels=("email", "push"), categories=("bread", "milk", "tea"))
OFFERS = tuple(Offer(offer_id=name, category=name, channels=("email",), margin=2.0) for name in WORDS.categories)
SMALL = Boosting(rounds=8, min_child=10)
MODELS = (
    TrainSendTime(days=56),
    TrainChannel(days=14, least=10, boosting=SMALL),
    TrainChurn(days=28, cutoffs=3, boosting=SMALL),
    TrainOffer(days=28, cutoffs=2, boosting=SMALL),
    TrainFatigue(days=7),
)


def _rows():
    rng = np.random.default_rng(5)
    rows = []
    for number in range(140):
        who = f"c{number}"
        rate = rng.gamma(2.0, 0.04) + 0.02
        for day in np.cumsum(rng.exponential(1 / rate, size=60)).tolist():
            if day < DAYS * rng.uniform(0.6, 1.3):
                # Sums of such values hang on their order in the last bits.
                rows += _basket(who, BEGIN + timedelta(days=day), rng)
        for week in range(3, DAYS // 7, 2):
            at = BEGIN + timedelta(days=7 * week, hours=int(rng.integers(6, 22)))
            rows += _mail(who, at, f"{number}-{week}", rng)
    return [
        dict.fromkeys(EVENT_SCHEMA.names) | {"automated": False, "properties": "{}", "event_id": f"e{i}"} | row
        for i, row in enumerate(rows)
    ]


def _basket(who, at, rng):
    order = f'"order_id": "{at.isoformat()}"'
    return [
        {
            "customer_id": who,
            "type": "purchased",
            "occurred_at": at.replace(hour=int(rng.integers(16, 21))) if rng.random() < 0.7 else at,
            "value": float(rng.uniform(0.01, 30)),
            "properties": f'{{"category": "{rng.choice(WORDS.categories)}", {order}}}',
        }
        for _ in range(3)
    ]


def _mail(who, at, name, rng):
    about = {"customer_id": who, "channel": str(rng.choice(WORDS.channels)), "message_id": name}
    rows = [about | {"type": "sent", "occurred_at": at + timedelta(seconds=30 * report)} for report in range(2)]
    for kind, share in (("clicked", 0.3), ("unsubscribed", 0.05)):
        if rng.random() < share:
            rows.append(about | {"type": kind, "occurred_at": at + timedelta(hours=float(rng.exponential(9)))})
    return rows


def _trained(root, *, seed, buckets, compacted):
    """Fill a lake in batches drawn with ``seed``, build, train all models; return what each came to."""
    rows, draw = _rows(), random.Random(seed)
    zones = ("Europe/Berlin", "America/New_York", None)
    people = [
        dict.fromkeys(CUSTOMER_SCHEMA.names)
        | {"customer_id": f"c{n}", "time_zone": zones[n % 3], "attributes": "{}", "contacts": "{}"}
        for n in range(140)
    ]
    draw.shuffle(rows)
    draw.shuffle(people)
    lake = Lake(root / "lake", buckets=buckets)
    lake.put_customers(pa.Table.from_pylist(people, schema=CUSTOMER_SCHEMA))
    step = len(rows) // draw.randrange(2, 5) + 1
    for begin in range(0, len(rows), step):
        lake.append(pa.Table.from_pylist(rows[begin : begin + step], schema=EVENT_SCHEMA))
    if compacted:
        lake.compact()
    build_features(lake, root / "features", vocabulary=WORDS, until=NOW)
    sources = TrainingSources(
        lake=lake, store=FeatureStore(root / "features", WORDS), vocabulary=WORDS, priors=Priors(), offers=OFFERS, now=NOW
    )  # fmt: skip
    return {
        model.name: _result(model.fit(sources, tune=int(model.name == "churn"), seed=11), root) for model in MODELS
    }


def _result(fitted, root):
    folder = root / fitted.scorer.kind
    fitted.scorer.save(folder)
    verdict = judge(fitted.backtest, seed=11, caveat=fitted.caveat)
    artefact = {path.name: path.read_bytes() for path in sorted(folder.iterdir())}
    return {"artefact": artefact, "verdict": verdict, "fingerprint": fitted.fingerprint, "metrics": fitted.metrics}


@pytest.fixture(scope="module")
def twice(tmp_path_factory):
    one, other = (tmp_path_factory.mktemp(name) for name in ("one", "other"))
    return (
        _trained(one, seed=1, buckets=1, compacted=True),
        _trained(other, seed=2, buckets=5, compacted=False),
    )


@pytest.mark.parametrize("model", [model.name for model in MODELS])
@pytest.mark.parametrize("what", ["fingerprint", "verdict", "metrics", "artefact"])
def test_the_same_rows_in_another_order_give_the_same(twice, model, what):
    one, other = (trained[model][what] for trained in twice)
    assert one == other


def test_the_trees_of_a_large_set_do_not_hang_on_how_many_threads_grew_them(monkeypatch):
    rng = np.random.default_rng(3)
    columns = rng.normal(size=(20_000, 6))
    training = Training(
        columns=columns,
        names=tuple("abcdef"),
        labels=(columns[:, 0] + rng.normal(size=len(columns)) > 0).astype(float),
        groups=np.arange(len(columns)),
    )

    def grown(threads):
        monkeypatch.setattr("training.fitting.threads_for", lambda _rows: threads)
        return fit_booster(training, Boosting(rounds=10), seed=7).split("\nparameters:")[0]

    assert grown(1) == grown(2) == grown(3)
