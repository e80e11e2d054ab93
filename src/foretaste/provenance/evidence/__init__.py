"""Evidence in the formats that others read: in-toto, CycloneDX, Croissant, OpenLineage, W3C PROV.

Examples
--------
>>> from foretaste.provenance.evidence.past import past
"""
