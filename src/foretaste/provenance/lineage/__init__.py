"""Lineage: from sources over data, versions and models to deployments, and back from a bad source.

Examples
--------
>>> from foretaste.provenance.lineage import LineageGraph, blast
"""

from foretaste.provenance.lineage.activity import Activity, Artefact
from foretaste.provenance.lineage.blast import Affected, Blast, blast
from foretaste.provenance.lineage.graph import LineageGraph

__all__ = ["Activity", "Affected", "Artefact", "Blast", "LineageGraph", "blast"]
