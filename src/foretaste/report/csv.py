"""The rows with a finding as CSV, for a spreadsheet: nothing in it is taken for a formula."""

from __future__ import annotations

import csv
import io

from foretaste.findings import Findings
from foretaste.report.safe import spreadsheet
from foretaste.report.tables import strongest

COLUMNS = (
    "row",
    "family",
    "rule",
    "group",
    "p_value",
    "score",
    "suggested_label",
    "id",
    "source",
    "reason",
)


def render(findings: Findings) -> bytes:
    """RFC 4180, strongest rows first, only the rows that carry a finding.

    ``row`` identifies a row; text cells are made visible and harmless: for reading, not for joining.
    """
    table = strongest(findings.rows)
    columns = [name for name in COLUMNS if name in table.column_names]
    out = io.StringIO(newline="")
    writer = csv.writer(out, lineterminator="\r\n")
    writer.writerow(columns)
    for batch in table.select(columns).to_batches(max_chunksize=50_000):
        for values in zip(*(column.to_pylist() for column in batch.columns), strict=True):
            writer.writerow([spreadsheet(value) if isinstance(value, str) else value for value in values])
    return out.getvalue().encode("utf-8", "replace")
