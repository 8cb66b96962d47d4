"""What callers get: the shapes for the OpenAPI page, and the records turned into them.

The models describe; orjson writes the records themselves. A test validates real answers against the models,
so that neither can change without the other.
"""

from serving.answers.base import Answer
from serving.answers.decisions import (
    AcknowledgedManyOut,
    AcknowledgedOut,
    AlternativeOut,
    AssignmentOut,
    DecisionOut,
    DecisionsOut,
    LeasedOut,
    OutboxOut,
    ReasonOut,
    ResultOut,
    StageOut,
    ValueOut,
    VerdictOut,
    VerdictsOut,
    shown,
    text_of,
)
from serving.answers.people import (
    ConsentOut,
    ConsentsOut,
    EntryVerdictOut,
    EntryVerdictsOut,
    ErasedOut,
    EventVerdictOut,
    EventVerdictsOut,
    MomentOut,
    PreferenceOut,
    PreferredOut,
    TimelineOut,
    UnsubscribedOut,
)
from serving.answers.status import (
    BudgetOut,
    StatusOut,
)

__all__ = [
    "AcknowledgedManyOut",
    "AcknowledgedOut",
    "AlternativeOut",
    "Answer",
    "AssignmentOut",
    "BudgetOut",
    "ConsentOut",
    "ConsentsOut",
    "DecisionOut",
    "DecisionsOut",
    "EntryVerdictOut",
    "EntryVerdictsOut",
    "ErasedOut",
    "EventVerdictOut",
    "EventVerdictsOut",
    "LeasedOut",
    "MomentOut",
    "OutboxOut",
    "PreferenceOut",
    "PreferredOut",
    "ReasonOut",
    "ResultOut",
    "StageOut",
    "StatusOut",
    "TimelineOut",
    "UnsubscribedOut",
    "ValueOut",
    "VerdictOut",
    "VerdictsOut",
    "shown",
    "text_of",
]
