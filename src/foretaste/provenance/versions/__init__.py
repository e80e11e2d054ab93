"""Versions of data sets: commit, list, compare, check out, roll back."""

from foretaste.provenance.versions.difference import difference
from foretaste.provenance.versions.history import Version, commit, roll_back, version, versions
from foretaste.provenance.versions.restore import Restored, check_out, drill

__all__ = [
    "Restored",
    "Version",
    "check_out",
    "commit",
    "difference",
    "drill",
    "roll_back",
    "version",
    "versions",
]
