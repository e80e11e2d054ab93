"""What a scan's findings mean for the rows: which stay, which go, which get another label."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from foretaste.findings import Findings


@dataclass(frozen=True)
class RowVerdicts:
    """One verdict per input row.

    Attributes
    ----------
    keep : ndarray ``[n]`` of bool
        Rows that stay, relabelled ones among them.
    relabelled : dict
        ``{row: new label}``, as text; empty unless asked for.
    """

    keep: NDArray[np.bool_]
    relabelled: dict[int, str]

    @property
    def quarantined(self) -> NDArray[np.int64]:
        """Positions of the rows that go."""
        return np.flatnonzero(~self.keep)


def row_verdicts(findings: Findings, *, relabel: bool = False) -> RowVerdicts:
    """Decide row by row from finished findings.

    Parameters
    ----------
    findings : Findings
    relabel : bool
        Keep flagged rows for which the scan suggests a better label, under that label.

    Returns
    -------
    RowVerdicts
        Flagged rows go, all others stay.
    """
    keep = ~findings.flagged
    relabelled: dict[int, str] = {}
    if relabel and "suggested_label" in findings.rows.column_names:
        suggested = findings.rows.column("suggested_label").to_pylist()
        relabelled = {
            row: suggested[row] for row in np.flatnonzero(~keep).tolist() if suggested[row] is not None
        }
        keep = keep.copy()
        keep[list(relabelled)] = True
    return RowVerdicts(keep, relabelled)
