"""`viva.audit()`, `viva.compare()`, `viva.analyse_probes()`: answers to statistics."""

from __future__ import annotations

from viva._audit.auditing import Audit, audit
from viva._audit.comparing import Compared, compare
from viva._audit.probing import ProbeAnalysis, analyse_probes

__all__ = ["Audit", "Compared", "ProbeAnalysis", "analyse_probes", "audit", "compare"]
