"""The independent recount: work out every window anew from the ledger's rows, and count what no promise allows.

It shares no code with eligibility or the ledger: plain SQL (``rows``), its own windows (``windows``), clocks and
calendars (``clocks``, ``zones``) and its own reading of policies (``rules``, ``rulebook``). Each grant and each
confirm is judged by what the ledger knew when it was made (``views``): the audit says what came before what. So a
foreign send that arrives afterwards, or a zone changed since, is nobody's broken promise; it is reported as an
overrun.

Not judged, because no row says when it was known: contact states, and smart pauses.
"""

from pipelines.recount.judging import Report, Violation, recount
from pipelines.recount.rules import PROMISES, Promise, Rules

__all__ = ["PROMISES", "Promise", "Report", "Rules", "Violation", "recount"]
