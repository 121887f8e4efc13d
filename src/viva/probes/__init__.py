"""Probes: variants of items with a known relation to the original, made without a model.

One file for each kind of change, one function for each generator, one table of them all.
"""

from __future__ import annotations

from viva.probes.table import PROBES, VariantsMade, find_probes, iter_variants, probes, variants
from viva.probes.variant import Probe, Reason, Refused, Relation, Start, Variant, changed

__all__ = [
    "PROBES",
    "Probe",
    "Reason",
    "Refused",
    "Relation",
    "Start",
    "Variant",
    "VariantsMade",
    "changed",
    "find_probes",
    "iter_variants",
    "probes",
    "variants",
]
