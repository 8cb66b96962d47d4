"""A withdrawal counts whatever its date: one whose date cannot be is taken as said at the moment of import."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import ibis

from features.contracts.withdrawing import LEAVING, SHOWN, TAKEN
from features.contracts.words import FIRST_PLAUSIBLE, GRACE
from features.importing.compiling import Compiled, as_text, compile_scalar
from features.importing.mapping import ConsentBlock, EventBlock
from features.importing.moments import moment_literal

if TYPE_CHECKING:
    from datetime import datetime

    from features.importing.mapping import Block

TAKEN_IN = "taken?"
"""A name no column of a contract has: whether a row is a withdrawal that was taken when received."""
STATED = "stated?"
"""The moment that such a row stated, where one could be read."""


def whatever_its_date(rows: Any, block: Block, columns: dict[str, Compiled], now: datetime) -> dict[str, Compiled]:
    """Return the columns of a block's contract, with withdrawals dated ``now`` where their own date cannot be.

    Two more say which (:data:`TAKEN_IN`, :data:`STATED`). A date cannot be that is missing, unreadable, before
    1990 or ahead of ``now``; the source of a consent keeps what was stated.
    """
    if isinstance(block, ConsentBlock):
        field, withdraws = "at", columns["status"].column == "withdrawn"
    elif isinstance(block, EventBlock):
        field, withdraws = "occurred_at", columns["type"].column.isin(LEAVING)
    else:
        return columns
    moment = columns[field].column
    can_be = moment.between(moment_literal(FIRST_PLAUSIBLE), moment_literal(now + GRACE)).fill_null(False)
    taken = withdraws.fill_null(False) & ~can_be
    unread = columns[field].unreadable
    dated = Compiled(ibis.ifelse(taken, moment_literal(now), moment), None if unread is None else unread & ~taken)
    made = {**columns, field: dated, TAKEN_IN: Compiled(taken), STATED: Compiled(moment)}
    if isinstance(block, ConsentBlock):
        stated = as_text(compile_scalar(rows, block.at.value))
        made["source"] = columns["source"].then(_source(columns["source"].column, stated, taken))
    return made


def _source(source: Any, stated: Any, taken: Any) -> Any:
    shown = ibis.ifelse(stated.re_search(rf"^{SHOWN}\z"), stated, ibis.null("string")).fill_null("unreadably")
    return ibis.ifelse(taken, source.cast("string") + " (dated " + shown + TAKEN, source)
