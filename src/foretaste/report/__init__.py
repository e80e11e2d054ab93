"""Reports of a finished scan: one computation (`foretaste.report.model`), one renderer per format.

Examples
--------
>>> from foretaste.report import FORMATS
>>> FORMATS["html"]
'report.html'
"""

from __future__ import annotations

import importlib
from collections.abc import Mapping
from types import MappingProxyType

from foretaste.errors import ConfigError
from foretaste.findings import Findings

FORMATS: Mapping[str, str] = MappingProxyType(
    {
        "html": "report.html",
        "sarif": "findings.sarif",
        "junit": "findings.junit.xml",
        "json": "findings.json",
        "markdown": "findings.md",
        "csv": "findings.csv",
        "terminal": "verdict.txt",
    }
)
"""The formats `render` knows, each with the file name it is usually written to."""


def render(findings: Findings, format: str) -> bytes:
    """Render a scan.

    Parameters
    ----------
    findings : Findings
        A finished scan; whatever its evidence lacks is left out.
    format : str
        One of `FORMATS`.

    Returns
    -------
    bytes
        UTF-8, the same bytes for the same findings.

    Raises
    ------
    ConfigError
        Where the format is unknown.
    """
    if format not in FORMATS:
        raise ConfigError(f"there is no report format {format[:40]!r}; choose one of {', '.join(FORMATS)}")
    # Imported here: a scan that writes one format need not load the template engine or the terminal library.
    renderer = importlib.import_module(f"foretaste.report.{format}")
    content: bytes
    if format in ("json", "csv"):
        content = renderer.render(findings)
        return content
    from foretaste.report.model import build

    arguments = (build(findings), findings) if format == "sarif" else (build(findings),)
    content = renderer.render(*arguments)
    return content


__all__ = ["FORMATS", "render"]
