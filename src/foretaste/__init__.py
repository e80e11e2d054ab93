"""foretaste: taste the data before the model does.

Examples
--------
>>> import foretaste
>>> findings = foretaste.scan("train.csv", label="label")  # doctest: +SKIP
>>> findings.verdict  # doctest: +SKIP
'poisoned'
"""

from __future__ import annotations

import importlib
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from foretaste._scan import scan
    from foretaste.data.dataset import Dataset
    from foretaste.defend.sanitise.clean import clean
    from foretaste.findings import Findings

__version__ = "0.1.0"

__all__ = ["Dataset", "Findings", "__version__", "clean", "scan"]

_HOMES = {
    "Dataset": "foretaste.data.dataset",
    "Findings": "foretaste.findings",
    "clean": "foretaste.defend.sanitise.clean",
    "scan": "foretaste._scan",
}


def __getattr__(name: str) -> Any:
    """Import a public name when it is first used: ``import foretaste`` itself loads nothing (PEP 562)."""
    if name not in _HOMES:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    value = getattr(importlib.import_module(_HOMES[name]), name)
    globals()[name] = value
    return value


def __dir__() -> list[str]:
    return sorted({*globals(), *__all__})
