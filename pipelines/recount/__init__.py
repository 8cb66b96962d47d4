"""The independent recount: work out every window anew from the ledger's rows, and count what no promise allows.

It shares no code with eligibility or the ledger: plain SQL (``rows``), its own calendar on ``zoneinfo`` and
its own windows (``windows``). Each grant is judged by what the ledger knew when it was made: the audit says what
came before what. So a foreign send that arrives afterwards, or a zone changed since, is nobody's broken promise.
"""

from pipelines.recount.judging import Report, Violation, recount
from pipelines.recount.rules import PROMISES, Promise, Rules

__all__ = ["PROMISES", "Promise", "Report", "Rules", "Violation", "recount"]
