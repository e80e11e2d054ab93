"""The gate before training and release: policy, people, approvals, checks.

Examples
--------
>>> from foretaste.provenance.gate import gate, load_policy
"""

from foretaste.provenance.gate.access import Access, Person
from foretaste.provenance.gate.approvals import approvals, approve, subject_of
from foretaste.provenance.gate.checks import Check
from foretaste.provenance.gate.decision import Gated, GateReport, gate
from foretaste.provenance.gate.policy import Policy, find_policy, load_policy

__all__ = [
    "Access",
    "Check",
    "GateReport",
    "Gated",
    "Person",
    "Policy",
    "approvals",
    "approve",
    "find_policy",
    "gate",
    "load_policy",
    "subject_of",
]
