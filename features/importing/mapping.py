"""The mapping: what a company's files say, in Kairos' contracts. docs/import.md is its guide."""

from __future__ import annotations

from graphlib import CycleError, TopologicalSorter
from pathlib import Path
from typing import Annotated, Literal

from pydantic import (
    AfterValidator,
    BeforeValidator,
    Discriminator,
    Field,
    StringConstraints,
    Tag,
    model_validator,
)

from features.contracts.labels import LABEL_DAYS, LABEL_TYPE, LABELLED
from features.contracts.words import Channel  # noqa: TC001 - pydantic reads it
from features.expressions import ExpressionError, parse
from features.importing.assigning import drawn
from features.importing.values import DayValue, Decimal, MomentValue, Part, Plain, Value
from features.nearest import nearest

Name = Annotated[str, StringConstraints(pattern=r"^[a-z][a-z0-9_]{0,62}$")]
"""Names of blocks, sources and rules: they appear in reports and file names."""


def _expression(text: str) -> str:
    try:
        parse(text)
    except ExpressionError as error:
        raise ValueError(str(error)) from error
    return text


def _text_encoding(name: str) -> str:
    try:
        "".encode(name)
        b"".decode(name)
    except (LookupError, UnicodeError) as error:
        raise ValueError(
            f"encoding {name!r} is not known; there are utf-8, utf-16, windows-1252, latin-1 …"
        ) from error
    return name


Share = Annotated[float, Field(gt=0, lt=1)]
Condition = Annotated[str, AfterValidator(_expression)]
LabelName = Literal["churn"]
"""What a label can teach."""
Type = Literal["text", "number", "integer", "boolean"]
Measure = Literal["sum", "min", "max", "count", "count_distinct", "any", "most_common"]


class File(Part):
    """One file, or several by a pattern: CSV, TSV, Parquet or JSON lines, by the ending of its name.

    ``path`` is relative to the mapping, absolute, or ``package:NAME/inside`` for a file of an installed Python
    package. ``types`` converts columns; a value that does not convert sends its row to quarantine.
    """

    path: str = Field(min_length=1)
    types: dict[str, Type] = Field(default_factory=dict)
    delimiter: str | None = Field(default=None, min_length=1, max_length=1)
    null_text: tuple[str, ...] = ("",)
    decimal: Decimal | None = None
    encoding: Annotated[str, AfterValidator(_text_encoding)] | None = None


class Join(Part):
    """Columns of another source, looked up. ``by`` names the columns that must be equal, ``take`` what comes over.

    Each row may find one row at most, unless ``many`` says that several are meant: a join that multiplies rows
    by accident counts money twice.
    """

    source: Name
    by: Annotated[dict[str, str], Field(min_length=1)]
    take: dict[str, str] = Field(default_factory=dict)
    how: Literal["left", "inner"] = "left"
    many: bool = False

    @model_validator(mode="before")
    @classmethod
    def _lists_stand_for_same_names(cls, raw: object) -> object:
        if not isinstance(raw, dict):
            return raw
        if "on" in raw:
            raise ValueError("on is no key here: the columns to join by are given with the key by")
        named = {key: {v: v for v in raw[key]} for key in ("by", "take") if isinstance(raw.get(key), list)}
        return {**raw, **named}


class Aggregate(Part):
    """One measure over a group: ``{sum: sales_value}``, ``{count: "*"}``."""

    measure: Measure
    column: str

    @model_validator(mode="before")
    @classmethod
    def _measure_is_the_key(cls, raw: object) -> object:
        if isinstance(raw, dict) and len(raw) == 1:
            measure, column = next(iter(raw.items()))
            return {"measure": measure, "column": column}
        raise ValueError('an aggregate is one measure of one column, like {sum: sales_value} or {count: "*"}')


class Selection(Part):
    """Rows of a source: joined, given further ``columns``, selected, required, grouped, in this order."""

    from_: Name = Field(alias="from")
    join: tuple[Join, ...] = ()
    columns: dict[str, Value] = Field(default_factory=dict)
    where: Condition | None = None
    require: dict[Name, Condition] = Field(default_factory=dict)
    group_by: tuple[str, ...] = ()
    aggregate: dict[str, Aggregate] = Field(default_factory=dict)

    @model_validator(mode="after")
    def _aggregates_need_groups(self) -> Selection:
        if self.aggregate and not self.group_by:
            raise ValueError("aggregate needs group_by: name the columns that make a group")
        return self

    @property
    def reads(self) -> set[str]:
        """The names of the sources it reads."""
        return {self.from_, *(join.source for join in self.join)}


class Block(Selection):
    """A selection whose rows become contracts. ``name`` stands in reports and in the quarantine."""

    name: Name
    customer_id: Value


class EventBlock(Block):
    """Rows that become events.

    Of a trial, ``treatment`` says which arm was drawn, ``control`` for none, and ``propensity`` with which
    chance, or ``shares`` the chance of each arm: both become properties of an ``assigned`` event.
    """

    event_id: Value
    type: Value
    occurred_at: MomentValue
    channel: Value | None = None
    decision_id: Value | None = None
    message_id: Value | None = None
    campaign_id: Value | None = None
    offer_id: Value | None = None
    value: Value | None = None
    currency: Value | None = None
    automated: Value | None = None
    treatment: Value | None = None
    propensity: Value | None = None
    shares: dict[str, Share] | None = Field(default=None, min_length=2)
    properties: dict[str, Value] | str | None = None

    @model_validator(mode="before")
    @classmethod
    def _a_draw_is_told_by_properties(cls, raw: object) -> object:
        return drawn(raw) if isinstance(raw, dict) else raw

    @model_validator(mode="after")
    def _shares_are_of_one_whole(self) -> EventBlock:
        if self.shares and sum(self.shares.values()) > 1 + 1e-9:  # thirds are not exact
            raise ValueError(f"the shares add up to {sum(self.shares.values()):g}: together they are 1 at most")
        return self


class Label(Part):
    """What a column of a snapshot says of each customer: ``positive`` values are yes, other ones no, null unknown.

    ``at`` is the snapshot's moment, ``days`` how far ahead the label looks (who left within them).
    """

    column: str = Field(min_length=1)
    positive: str | int | bool
    at: MomentValue
    days: int = Field(default=30, ge=1, le=3650)


class CustomerBlock(Block):
    """Rows that become customers; ``labels`` become an event each, with the attributes as they stood then."""

    household_id: Value | None = None
    time_zone: Value | None = None
    country: Value | None = None
    locale: Value | None = None
    registered_at: MomentValue | None = None
    birthday: DayValue | None = None
    attributes: dict[str, Value] | str | None = None
    contacts: dict[Channel, Value] | None = None
    labels: dict[LabelName, Label] = Field(default_factory=dict)

    @model_validator(mode="after")
    def _labels_can_be_told(self) -> CustomerBlock:
        if not self.labels:
            return self
        if self.group_by:
            raise ValueError("labels need a row a customer: group in a source of its own, and read that")
        if isinstance(self.attributes, str):
            raise ValueError(  # noqa: TRY004 - pydantic tells of values, not of types
                "labels need attributes given as keys: they are kept as they stood"
            )
        if not isinstance(self.customer_id, Plain) or self.customer_id.map is not None:
            raise ValueError("labels need a customer_id that is a column or a template")
        return self

    def told(self) -> tuple[EventBlock, ...]:
        """Return a block of events for each label: who is labelled, how, and with which attributes."""
        return tuple(_label_block(self, name, label) for name, label in self.labels.items())


def _label_block(block: CustomerBlock, name: str, label: Label) -> EventBlock:
    held = f"label_of_{name}"
    known = f"{held} is not null"
    whose = block.customer_id.value if isinstance(block.customer_id, Plain) else ""
    said = Plain(value=f"{{{label.column}}}", map={label.positive: True}, otherwise=False)
    attributes = block.attributes if isinstance(block.attributes, dict) else {}
    return EventBlock(
        **{"from": block.from_},
        name=f"{block.name}_{name}",
        join=block.join,
        columns={**block.columns, held: Plain(value=f"{{{label.column}}}")},
        where=known if block.where is None else f"({block.where}) and {known}",
        require=block.require,
        customer_id=block.customer_id,
        event_id=Plain(value=f"label:{name}:{whose}:{label.at.value}"),
        type=Plain(value=LABEL_TYPE.format(name=name)),
        occurred_at=label.at,
        properties={**attributes, LABELLED: said, LABEL_DAYS: Plain(value=label.days)},
    )


class ConsentBlock(Block):
    """Rows that become entries of the consent journal."""

    channel: Value
    purpose: Value
    status: Value
    at: MomentValue
    source: Value
    evidence: Value | None = None


class PreferenceBlock(Block):
    """Rows that become customers' own limits."""

    channels_off: dict[Channel, Value] | None = None
    quiet_from: Value | None = None
    quiet_until: Value | None = None
    max_per_week: Value | None = None
    pause_until: MomentValue | None = None


def _a_path_is_a_file(raw: object) -> object:
    return {"path": raw} if isinstance(raw, str) else raw


def _which(raw: object) -> str:
    return "Selection" if isinstance(raw, Selection) or (isinstance(raw, dict) and "from" in raw) else "File"


Source = Annotated[
    Annotated[File, BeforeValidator(_a_path_is_a_file), Tag("File")] | Annotated[Selection, Tag("Selection")],
    Discriminator(_which),
]
"""A file, or a selection of other sources: an aggregate to join with, for example."""


class ImportMapping(Part):
    """A whole mapping. ``base`` is the folder its paths are relative to.

    ``allow_placeholder_ids`` lets ids through that stand for a missing one elsewhere: ``null``, ``-``, blanks.
    """

    sources: dict[Name, Source] = Field(min_length=1)
    customers: tuple[CustomerBlock, ...] = ()
    events: tuple[EventBlock, ...] = ()
    consents: tuple[ConsentBlock, ...] = ()
    preferences: tuple[PreferenceBlock, ...] = ()
    allow_placeholder_ids: bool = False
    base: Path = Field(default=Path(), exclude=True)

    @property
    def blocks(self) -> tuple[Block, ...]:
        """Every block, in the order of import: customers first, so that events meet their households."""
        labels = (event for block in self.customers for event in block.told())
        return (*self.customers, *self.events, *labels, *self.consents, *self.preferences)

    @model_validator(mode="after")
    def _names_fit_together(self) -> ImportMapping:
        names = [block.name for block in self.blocks]
        if not names:
            raise ValueError("nothing is mapped: give at least one of customers, events, consents, preferences")
        twice = sorted({name for name in names if names.count(name) > 1 or name in self.sources})
        if twice:
            raise ValueError(f"the name {twice[0]!r} is used twice: blocks and sources each need their own")
        for reader, selection in self.selections.items():
            for source in sorted(selection.reads - set(self.sources)):
                raise ValueError(f"{reader} reads source {source!r}: {nearest(source, self.sources)}")
        self.order_of_sources()
        return self

    @property
    def selections(self) -> dict[str, Selection]:
        """Every derived source and block, by name."""
        derived = {name: s for name, s in self.sources.items() if isinstance(s, Selection)}
        return {**derived, **{block.name: block for block in self.blocks}}

    def order_of_sources(self) -> tuple[str, ...]:
        """Return the sources that blocks need, each after those it reads itself.

        Raises:
            ValueError: a derived source reads itself, directly or through others.
        """
        reads = {name: s.reads if isinstance(s, Selection) else set() for name, s in self.sources.items()}
        try:
            order = tuple(TopologicalSorter(reads).static_order())
        except CycleError as error:
            raise ValueError(f"sources read each other in a circle: {' → '.join(error.args[1])}") from error
        needed: set[str] = set()
        for block in self.blocks:
            needed |= block.reads
        for name in reversed(order):
            needed |= reads[name] if name in needed else set()
        return tuple(name for name in order if name in needed)
