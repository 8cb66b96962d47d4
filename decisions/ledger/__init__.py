"""The ledger: decisions, reservations, pressure, consents, inbox, outbox and audit in one SQL store."""

from decisions.ledger.keys import ROLES, ApiKey, Keyring, NewKey, Role
from decisions.ledger.ledger import Ledger
from decisions.ledger.people.evidence import Seal
from decisions.ledger.people.privacy import Pending, Privacy
from decisions.ledger.places.budgets import Budgets, Lease, Standing
from decisions.ledger.places.state import Reading
from decisions.ledger.places.transaction import Transaction
from decisions.ledger.storage.errors import (
    CallerError,
    CustomerErased,
    DuplicateDecision,
    EvidenceLocked,
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
    UnusableKey,
)
from decisions.ledger.trail import Change, Trail
from decisions.ledger.verdicts import (
    Acknowledged,
    EventVerdict,
    Guard,
    Leased,
    Lent,
    Loaded,
    Moment,
    Recording,
    Refusal,
    Verdict,
)

__all__ = [
    "ROLES",
    "Acknowledged",
    "ApiKey",
    "Budgets",
    "CallerError",
    "Change",
    "CustomerErased",
    "DuplicateDecision",
    "EventVerdict",
    "EvidenceLocked",
    "Guard",
    "ImpossibleRow",
    "Keyring",
    "Lease",
    "LeaseLost",
    "Leased",
    "Ledger",
    "LedgerBusy",
    "LedgerCorrupt",
    "LedgerError",
    "LedgerUnavailable",
    "Lent",
    "Loaded",
    "Moment",
    "NewKey",
    "Pending",
    "PlaceGone",
    "Privacy",
    "Reading",
    "Recording",
    "Refusal",
    "RequestConflict",
    "Role",
    "Seal",
    "Standing",
    "StorageError",
    "Trail",
    "Transaction",
    "UnknownDecision",
    "UnlockedCustomer",
    "UnusableKey",
    "Verdict",
]
