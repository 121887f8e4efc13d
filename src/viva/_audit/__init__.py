"""`viva.audit()`: answers and items to strata, scores and statistics, in one object."""

from __future__ import annotations

from viva._audit.auditing import Audit, audit

__all__ = ["Audit", "audit"]
