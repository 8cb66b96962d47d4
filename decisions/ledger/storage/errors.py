"""Everything the ledger can raise, by whose fault it is. Whatever is raised, nothing half written stays behind.

LedgerError
├── CallerError            the request cannot stand as it is; trying again changes nothing
│   ├── RequestConflict    409: the request id is taken by another body
│   ├── DuplicateDecision  409: the decision id is taken
│   ├── UnknownDecision    404
│   ├── PlaceGone          a decision takes a place that is not reserved
│   ├── CustomerErased     410: the customer was erased, and nothing of them may be stored again
│   ├── UnlockedCustomer   a transaction wrote about a customer it was not opened for
│   ├── UnusableKey        no such API key, or it is over
│   └── ImpossibleRow      a value the schema refuses
├── EvidenceLocked         the key that seals or opens a consent's evidence is not given
└── StorageError           the request was fine; the store was not
    ├── LedgerBusy         503: locked for longer than the timeout; try again
    ├── LeaseLost          503: a lease of budget places ran out before it was spent; try again
    ├── LedgerUnavailable  503: cannot be opened, read or written
    └── LedgerCorrupt      500: what is stored contradicts itself
"""

from __future__ import annotations


class LedgerError(Exception):
    """Base of all errors of the ledger."""


class CallerError(LedgerError):
    """The caller's mistake."""


class RequestConflict(CallerError):  # noqa: N818  # named for what it is, as the HTTP answer is: a conflict
    """A request id came back with another body."""

    def __init__(self, request_id: str) -> None:
        super().__init__(
            f"request_id {request_id!r} was already answered for a different request; "
            "repeat the first request unchanged, or use a new request_id"
        )
        self.request_id = request_id


class DuplicateDecision(CallerError):  # noqa: N818  # as above
    """A decision id was recorded before."""


class UnknownDecision(CallerError):  # noqa: N818  # as above
    """No decision has this id."""

    def __init__(self, decision_id: str) -> None:
        super().__init__(f"decision_id {decision_id!r} is not in the ledger; it was never made, or was erased")
        self.decision_id = decision_id


class PlaceGone(CallerError):  # noqa: N818  # as above
    """A decision takes the place of one that is not reserved: it was made from another state than this one."""

    def __init__(self, decision_id: str, displaces: str) -> None:
        super().__init__(
            f"decision {decision_id!r} displaces {displaces!r}, which holds no reserved place of this customer; "
            "read the state and decide inside the transaction that records"
        )
        self.decision_id = decision_id


class CustomerErased(CallerError):  # noqa: N818  # as above
    """The customer was erased."""

    def __init__(self) -> None:
        super().__init__(
            "this customer was erased, and nothing of them may be stored again; a person who comes back "
            "needs a new customer_id"
        )


class UnlockedCustomer(CallerError):  # noqa: N818  # as above
    """A transaction opened for some customers was used for another, who is not locked."""

    def __init__(self, decision_id: str) -> None:
        super().__init__(
            f"decision {decision_id!r} is about a customer the transaction was not opened for; "
            "open it with that customer's id"
        )


class UnusableKey(CallerError):  # noqa: N818  # as above
    """No API key has this id, or it is revoked, expired or replaced."""


class ImpossibleRow(CallerError):  # noqa: N818  # as above
    """A row lacks what every row of its kind has (a send without a moment), or holds what no store can keep."""


class EvidenceLocked(LedgerError):  # noqa: N818  # as above
    """Evidence cannot be sealed, or was sealed with a key that is not given. Nothing is stored in clear."""

    def __init__(self) -> None:
        super().__init__(
            "the evidence of a consent needs the key it is sealed with: restore HOME/evidence_key from a backup, "
            "or set KAIROS_EVIDENCE_KEY (several keys separated by commas: the first seals, each opens)"
        )


class StorageError(LedgerError):
    """Ours, or the disk's."""


class LedgerBusy(StorageError):  # noqa: N818  # as above
    """The lock did not come free in time. Nothing was written: try again."""


class LeaseLost(StorageError):  # noqa: N818  # as above
    """A lease ran out between the draw and its spending. Nothing was written: decide again."""

    def __init__(self, channel: str) -> None:
        super().__init__(f"the places leased for channel {channel!r} ran out before they were spent; try again")
        self.channel = channel


class LedgerUnavailable(StorageError):  # noqa: N818  # as above
    """The store cannot be opened, read or written.

    Nothing was written, unless the connection broke while the answer to a commit was on its way: the same request
    under the same id finds out.
    """


class LedgerCorrupt(StorageError):  # noqa: N818  # as above
    """What is stored contradicts itself or the schema."""
