"""How long things are kept, in days: one setting for each, none of them for consent, customers or tombstones."""

from __future__ import annotations

from typing import Annotated

from pydantic import BaseModel, ConfigDict, Field

Days = Annotated[int, Field(ge=1)]
LOOK_BACK_DAYS = 400
"""How far back a decision looks (``Reading.look_back``); what is younger stays, whatever is set."""
WITHHELD_DAYS = 91
"""How far back the interval's clock looks at them (``Reading.withheld``)."""


class Retention(BaseModel):
    """Days after which a thing is forgotten; null keeps it for ever."""

    model_config = ConfigDict(extra="forbid", frozen=True, use_attribute_docstrings=True)

    holds: Annotated[int, Field(ge=30)] | None = 730
    """Decisions to send nothing, with their records and audit."""
    sends: Annotated[int, Field(ge=LOOK_BACK_DAYS)] | None = 730
    """Decisions to send, with their records, pressure and audit, once their end is over."""
    foreign_pressure: Annotated[int, Field(ge=LOOK_BACK_DAYS)] | None = LOOK_BACK_DAYS
    """Pressure of messages that other systems sent."""
    inbox: Annotated[int, Field(ge=30)] | None = 90
    """Ids of events that the lake has, by which a second arrival is known; it must outlive the senders' retries.
    Those of events that bear on decisions stay as long as decisions look back."""
    exposures: Annotated[int, Field(ge=LOOK_BACK_DAYS)] | None = 730
    """When an offer last converted, and until when it was held back."""
    withheld: Annotated[int, Field(ge=WITHHELD_DAYS)] | None = WITHHELD_DAYS
    """Moments at which messages would have gone that were withheld at random."""
    outbox: Days | None = 7
    """Lines of the outbox, after they expired."""
    reactions: Days | None = 90
    """Reactions to a message that was never reported as sent."""
    guesses: Annotated[int, Field(ge=LOOK_BACK_DAYS)] | None = LOOK_BACK_DAYS
    """Reactions that name no message, and are taken to be about the latest one of their campaign."""
    audit: Days | None = 1095
    """Entries of the audit that belong to no decision which is still there."""
    leases: Days | None = 7
    """Shares of a budget lent to workers, after they ended."""
    allowances: Days | None = 90
    """What of a day's budget was spent."""
    events: Annotated[int, Field(ge=30)] | None = None
    """Events in the lake, by whole months."""
    quarantine: Days | None = 90
    """Files of refused rows, after the import that refused them."""
    materializations: Days | None = 7
    """Online stores that another has replaced."""
