"""The ledger: decisions, reservations, pressure, consents, inbox, outbox and audit in one SQL store."""

from decisions.ledger.ledger import Ledger
from decisions.ledger.places.budgets import Budgets, Lease, Standing
from decisions.ledger.places.state import Reading
from decisions.ledger.places.transaction import Transaction
from decisions.ledger.storage.errors import (
    CallerError,
    DuplicateDecision,
    ImpossibleRow,
    LeaseLost,
    LedgerBusy,
    LedgerCorrupt,
    LedgerError,
    LedgerUnavailable,
    PlaceGone,
    RequestConflict,
    StorageError,
    UnknownDecision,
    UnlockedCustomer,
)
from decisions.ledger.verdicts import EventVerdict, Guard, Leased, Loaded, Moment, Recording, Refusal, Verdict

__all__ = [
    "Budgets",
    "CallerError",
    "DuplicateDecision",
    "EventVerdict",
    "Guard",
    "ImpossibleRow",
    "Lease",
    "LeaseLost",
    "Leased",
    "Ledger",
    "LedgerBusy",
    "LedgerCorrupt",
    "LedgerError",
    "LedgerUnavailable",
    "Loaded",
    "Moment",
    "PlaceGone",
    "Reading",
    "Recording",
    "Refusal",
    "RequestConflict",
    "Standing",
    "StorageError",
    "Transaction",
    "UnknownDecision",
    "UnlockedCustomer",
    "Verdict",
]
