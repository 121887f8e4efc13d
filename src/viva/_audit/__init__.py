"""`viva.audit()` and `viva.compare()`: answers and items to statistics, in one object."""

from __future__ import annotations

from viva._audit.auditing import Audit, audit
from viva._audit.comparing import Compared, compare

__all__ = ["Audit", "Compared", "audit", "compare"]
