"""The feature store against an ASOF join of its own files, against itself online, and on damaged ground."""

import json
import random
import shutil
import sqlite3
from datetime import date, datetime, timedelta

import duckdb
import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from features.build import Zones, build_features
from features.layout import Layout
from features.store import FeatureStore, FeaturesUnavailable
from features.store.online import Reader
from features.store.repository import open_repository
from features.store.rows import entity_key
from features.store.store import TTL
from features.views import views
from features.vocabulary import Vocabulary
from tests.worlds.features import WORDS, MemoryLake, customer, event, utc

UNTIL = date(2017, 6, 1)
NOW = utc(2017, 6, 1)
UTC_US = pa.timestamp("us", "UTC")


def _rows(seed=7):
    draw = random.Random(seed)
    for i in range(12):
        for _ in range(draw.randrange(1, 30)):
            at = utc(2017, 3, 1) + timedelta(seconds=draw.randrange(100 * 86_400))
            kind = draw.choice(["purchased", "purchased", "session", "sent", "opened", "clicked"])
            channel = draw.choice(WORDS.channels) if kind in ("sent", "opened", "clicked") else None
            category = draw.choice(["bread", "milk", "tea"])
            yield event(f"h{i}", kind, at, channel=channel, value=draw.randrange(100) / 4, category=category)


def _people():
    quiet = [customer("quiet", zone="Asia/Tokyo", country="JP", email="valid")]
    return [customer(f"h{i}", zone="Europe/Berlin", email="valid") for i in range(12)] + quiet


def _build(root, rows):
    lake = MemoryLake(rows, _people(), buckets=3)
    return build_features(lake, root, vocabulary=WORDS, until=UNTIL, zones=Zones(default="Europe/Berlin"))


@pytest.fixture(scope="session")
def built(tmp_path_factory):
    """Features of a small world, built and materialized once."""
    root = tmp_path_factory.mktemp("features")
    _build(root, list(_rows()))
    FeatureStore(root, WORDS).materialize()
    return root


@pytest.fixture
def copy(built, tmp_path):
    """A copy to be damaged."""
    return shutil.copytree(built, tmp_path / "features")


def _spine(pairs, **columns):
    who, when = zip(*pairs, strict=True)
    return pa.table({"customer_id": pa.array(who), "event_timestamp": pa.array(when, UTC_US), **columns})


def _random_spine(size=300, seed=3):
    draw = random.Random(seed)
    whos = [f"h{i}" for i in range(12)] + ["quiet", "nobody"]
    edges = [utc(2017, 4, 9), utc(2017, 4, 8, 23, 59, 59), NOW, NOW + TTL, NOW + TTL + timedelta(seconds=1)]
    moment = lambda: utc(2017, 2, 25) + timedelta(seconds=draw.randrange(102 * 86_400))  # noqa: E731 - one draw
    pairs = [(draw.choice(whos), draw.choice([moment(), draw.choice(edges)])) for _ in range(size)]
    return _spine([*pairs, *pairs[:5]], row=list(range(size + 5)), label=[draw.random() for _ in range(size + 5)])


def _asof(root, spine, name):
    """The oracle: DuckDB's own join of a view's files, sharing no code with Feast."""
    connection = duckdb.connect()
    connection.execute("SET TimeZone = 'UTC'")
    connection.register("spine", spine)
    return connection.execute(
        f"""
        SELECT CASE WHEN v.event_timestamp >= s.event_timestamp - INTERVAL {TTL.days} DAY THEN v.{name} END AS packed
        FROM spine s ASOF LEFT JOIN '{root}/{name}/*.parquet' v
          ON s.customer_id = v.customer_id AND s.event_timestamp >= v.event_timestamp
        ORDER BY s.row
        """
    ).to_arrow_table()["packed"].combine_chunks()  # fmt: skip


def test_feasts_point_in_time_join_agrees_with_an_asof_join(built):
    spine = _random_spine()
    found = FeatureStore(built, WORDS).training_set(spine)
    known = _asof(built, spine, "activity").is_valid().to_numpy(zero_copy_only=False)
    assert 0 < known.sum() < len(spine)
    for view in (view for view in views(WORDS) if view.daily):
        for column, values in view.unpack(_asof(built, spine, view.name), known).items():
            assert found[column].combine_chunks().equals(values), column


def test_the_spines_rows_their_order_and_its_columns_are_kept(built):
    spine = _random_spine()
    found = FeatureStore(built, WORDS).training_set(spine)
    assert found.select(spine.column_names).equals(spine)
    columns = (*WORDS.activity, *WORDS.pressure, *WORDS.category_arrays)
    assert sorted(found.column_names) == sorted((*spine.column_names, *columns))


def test_offline_and_online_agree(built):
    ids = [f"h{i}" for i in range(12)] + ["quiet", "nobody"]
    store = FeatureStore(built, WORDS)
    offline = store.training_set(_spine([(who, NOW) for who in ids]), rhythm=True)
    online = store.online(ids, now=NOW)
    for column in (*WORDS.activity, *WORDS.pressure, *WORDS.category_arrays, "rhythm"):
        assert offline[column].combine_chunks().equals(online[column].combine_chunks()), column
    assert online["recency_days"].null_count < len(ids)


def test_nothing_from_the_cut_off_on_reaches_a_training_row(built, tmp_path):
    cutoff = utc(2017, 4, 20)
    spine = _spine([(f"h{i}", cutoff) for i in range(12)])
    rows = [row for row in _rows() if row["occurred_at"] < cutoff]
    _build(tmp_path, [*rows, *(event(f"h{i}", "purchased", cutoff, value=99.0) for i in range(12))])
    later = FeatureStore(tmp_path, WORDS).training_set(spine, rhythm=True)
    assert later.equals(FeatureStore(built, WORDS).training_set(spine, rhythm=True))


def test_a_backfill_created_after_a_moment_is_not_known_at_it(copy):
    for path in (copy / "activity").glob("*.parquet"):
        held = pq.read_table(path)
        late = pa.compute.add(held["created_at"], pa.scalar(timedelta(days=10)))
        pq.write_table(held.set_column(2, "created_at", late.cast(UTC_US)), path)
    spine = _spine([(f"h{i}", utc(2017, 5, 1)) for i in range(12)])
    assert FeatureStore(copy, WORDS).training_set(spine)["orders_365d"].null_count == 12


def test_online_rows_are_read_as_feast_reads_them(built):
    layout, every = Layout(built), views(WORDS)
    ids = [*(f"h{i}" for i in range(12)), "quiet", "nobody"]
    folder = layout.online / json.loads(layout.pointer.read_text())["folder"]
    theirs = open_repository(folder).get_online_features(
        features=[f"{view.name}:{view.name}" for view in every],
        entity_rows=[{"customer_id": each} for each in ids],
    )
    ours = Reader(layout, WORDS).read(ids, every)
    values, moments = theirs.to_dict(), _moments(theirs, every)
    for view in every:
        np.testing.assert_equal(ours.packed[view.name].to_pylist(), values[view.name], err_msg=view.name)
    assert [at and at.timestamp() for at in ours.as_of.to_pylist()] == moments
    assert moments[-1] is None


def _moments(answer, every):
    found = dict(zip(answer.proto.metadata.feature_names.val, answer.proto.results, strict=True))
    stamps = [[moment.seconds for moment in found[view.name].event_timestamps] for view in every]
    return [min((each for each in row if each), default=None) for row in zip(*stamps, strict=True)]


@pytest.mark.parametrize("customer_id", ["h3", "", "Zoë", "名前", "a" * 300, 'it\'s \\ "odd"\n'])
def test_a_customers_key_is_spelled_as_feast_spells_it(customer_id):
    from feast.infra.key_encoding_utils import serialize_entity_key
    from feast.protos.feast.types.EntityKey_pb2 import EntityKey
    from feast.protos.feast.types.Value_pb2 import Value

    key = EntityKey(join_keys=["customer_id"], entity_values=[Value(string_val=customer_id)])
    assert entity_key(customer_id) == serialize_entity_key(key, entity_key_serialization_version=3)


def test_online_rows_keep_the_callers_order_and_unknown_customers_are_null(built):
    frame = FeatureStore(built, WORDS).online(["h3", "nobody", "h1", "h3"])
    assert frame["customer_id"].to_pylist() == ["h3", "nobody", "h1", "h3"]
    assert frame["features_as_of"].to_pylist() == [NOW, None, NOW, NOW]
    assert frame["tenure_days"].is_null().to_pylist() == [False, True, False, False]
    assert frame.slice(0, 1).equals(frame.slice(3, 1))
    assert set(WORDS.contact) < set(frame.column_names)


def test_a_customer_without_events_has_contacts_and_no_more(built):
    row = FeatureStore(built, WORDS).online(["quiet"]).to_pylist()[0]
    assert (row["email_contact"], row["mail_contact"], row["time_zone"], row["country"]) == (
        "valid",
        "absent",
        "Asia/Tokyo",
        "JP",
    )
    assert (row["orders_365d"], row["email_sent_7d"], row["rhythm"]) == (None, None, None)
    assert row["features_as_of"] == NOW


def test_no_customers_asked_for_gives_an_empty_frame(built):
    frame = FeatureStore(built, WORDS).online([])
    assert len(frame) == 0
    assert "rhythm" in frame.column_names


@pytest.mark.parametrize(
    ("now", "usable"),
    [
        (NOW, True),
        (NOW + TTL, True),
        (NOW + TTL + timedelta(seconds=1), False),
        (NOW - timedelta(seconds=1), False),
    ],
)
def test_features_older_than_ttl_or_from_the_future_are_null_but_say_of_when_they_were(built, now, usable):
    row = FeatureStore(built, WORDS).online(["h3"], now=now).to_pylist()[0]
    assert (row["tenure_days"] is not None) == usable
    assert (row["email_contact"] is not None) == usable
    assert row["features_as_of"] == NOW


def test_the_rhythm_of_a_moment_is_what_the_signs_before_it_weigh(built):
    early, late = (
        FeatureStore(built, WORDS).rhythm_at(_spine([("h3", at), ("nobody", at)])) for at in (utc(2017, 3, 2), NOW)
    )
    assert sum(early[0].as_py()) < sum(late[0].as_py())
    assert [early[1].as_py(), late[1].as_py()] == [None, None]


def test_features_that_were_never_built_or_materialized_are_unavailable(tmp_path):
    store = FeatureStore(tmp_path, WORDS)
    with pytest.raises(FeaturesUnavailable):
        store.online(["h1"])
    with pytest.raises(FeaturesUnavailable):
        store.training_set(_spine([("h1", NOW)]))
    with pytest.raises(FeaturesUnavailable):
        store.materialize()


def _online_databases(root):
    return list((root / "online").glob("*/online.db"))


@pytest.mark.parametrize("damage", ["garbage", "missing", "empty table"])
def test_a_damaged_online_store_is_unavailable_and_comes_back_once_mended(copy, damage):
    (database,) = _online_databases(copy)
    if damage == "garbage":
        database.write_bytes(b"not a database" * 1000)
    elif damage == "missing":
        shutil.rmtree(database.parent)
    else:
        with sqlite3.connect(database) as connection:
            connection.execute("DROP TABLE kairos_activity")
    store = FeatureStore(copy, WORDS)
    with pytest.raises(FeaturesUnavailable, match="reading online features failed"):
        store.online(["h3"])
    store.materialize()
    assert store.online(["h3"])["tenure_days"].null_count == 0


def test_a_reader_follows_a_new_materialization_and_old_ones_are_cleared(copy):
    reader, writer = FeatureStore(copy, WORDS), FeatureStore(copy, WORDS)
    before = reader.online(["h3"])["orders_365d"][0].as_py()
    rows = [*_rows(), event("h3", "purchased", utc(2017, 5, 31), value=1.0)]
    _build(copy, rows)
    for _ in range(3):
        writer.materialize()
    assert reader.online(["h3"])["orders_365d"][0].as_py() == before + 1
    assert len(_online_databases(copy)) == 2


def test_another_vocabulary_is_refused_with_the_way_out(built):
    other = FeatureStore(built, Vocabulary(("email",), WORDS.categories))
    with pytest.raises(FeaturesUnavailable, match="materialize again"):
        other.online(["h3"])
    with pytest.raises(FeaturesUnavailable, match="kairos features build"):
        other.training_set(_spine([("h1", NOW)]))


def test_materializing_a_day_the_build_does_not_end_on_is_refused(built):
    store = FeatureStore(built, WORDS)
    for day in (date(2017, 5, 31), date(2017, 6, 4)):
        with pytest.raises(ValueError, match="features are built until 2017-06-01"):
            store.materialize(day)


@pytest.mark.parametrize(
    ("spine", "complaint"),
    [
        (pa.table({"customer_id": ["a"]}), "needs a column 'event_timestamp'"),
        (pa.table({"customer_id": ["a"], "event_timestamp": [datetime(2017, 5, 1)]}), "with a time zone"),  # noqa: DTZ001 - the point of the test
        (_spine([("a", NOW)], orders_7d=[1.0]), r"already has feature columns \['orders_7d'\]"),
    ],
)
def test_a_spine_that_cannot_be_joined_is_the_callers_mistake(built, spine, complaint):
    with pytest.raises(ValueError, match=complaint):
        FeatureStore(built, WORDS).training_set(spine)


def test_an_empty_spine_gives_an_empty_training_set(built):
    empty = _spine([("h1", NOW)]).slice(0, 0)
    found = FeatureStore(built, WORDS).training_set(empty, rhythm=True)
    assert (len(found), "rhythm" in found.column_names) == (0, True)


def test_the_registry_names_entities_views_and_services(copy):
    from feast import FeatureStore as Feast
    from feast import RepoConfig

    path = FeatureStore(copy, WORDS).apply()
    feast = Feast(
        config=RepoConfig(
            project="kairos", provider="local", registry=str(path), entity_key_serialization_version=3
        )
    )
    assert {view.name for view in feast.list_feature_views()} == {view.name for view in views(WORDS)}
    assert {service.name for service in feast.list_feature_services()} == {"training", "serving"}
    assert {entity.name for entity in feast.list_entities()} >= {"customer"}
    assert np.all([view.ttl == TTL for view in feast.list_feature_views()])
