"""The rows and the sources as reports show them."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import pyarrow as pa
import pyarrow.compute as pc

from foretaste.report.campaigns import known_rule
from foretaste.report.lenient import count, mapping, mappings, number
from foretaste.report.safe import plain, visible

ROWS = 2000
"""Rows a report carries at most; ``findings.parquet`` has all of them."""

FAMILIES = ("campaign", "mislabel", "review")


@dataclass(frozen=True)
class Row:
    """One row with a finding; every text in it has been made visible and bounded."""

    row: int | None
    id: str
    source: str
    label: str
    suggested: str
    family: str
    code: str
    title: str
    p_value: float | None
    score: float | None
    group: int | None
    reason: str
    content: str


@dataclass(frozen=True)
class Source:
    """One source.

    ``excess`` is how many suspicious rows it has beyond what its content predicts, with an interval ``low``
    to ``high``; the three ``*_share`` are the same as fractions of its rows, which makes sources comparable.
    """

    source: str
    rows: int | None
    flagged_rows: int | None
    excess: float | None
    low: float | None
    high: float | None
    p_value: float | None
    flagged: bool
    judged: bool
    note: str

    def _share(self, value: float | None) -> float | None:
        return None if value is None or not self.rows else max(-1.0, min(1.0, value / self.rows))

    @property
    def excess_share(self) -> float | None:
        """Excess as a fraction of the source's rows."""
        return self._share(self.excess)

    @property
    def low_share(self) -> float | None:
        """Lower end of the interval as a fraction of the source's rows."""
        return self._share(self.low)

    @property
    def high_share(self) -> float | None:
        """Upper end of the interval as a fraction of the source's rows."""
        return self._share(self.high)


def rows(evidence: object, table: pa.Table) -> list[Row]:
    """The strongest rows with a finding, at most `ROWS`: from the evidence, else from the rows table."""
    told = mappings(evidence)[:ROWS]
    found = [_row(item) for item in (told or strongest(table, ROWS).to_pylist())]
    # A row listed twice would have two anchors of one name.
    first = {row.row: at for at, row in reversed(list(enumerate(found)))}
    return [row for at, row in enumerate(found) if row.row is None or first[row.row] == at]


def strongest(table: pa.Table, limit: int | None = None) -> pa.Table:
    """The rows that carry a finding: campaigns, then mislabels, then review; the highest score first."""
    found = table.filter(pc.is_valid(table.column("family")))
    rank = pc.index_in(found.column("family"), value_set=pa.array(FAMILIES))
    found = found.append_column("__rank", rank)
    order = [("__rank", "ascending"), ("score", "descending"), ("row", "ascending")]
    found = found.take(pc.sort_indices(found, sort_keys=order)).drop_columns(["__rank"])
    return found if limit is None else found.slice(0, limit)


def sources(evidence: object, table: pa.Table | None) -> list[Source]:
    """Every source, the bad ones first, then by excess share; from the table joined with the evidence."""
    told = {plain(item.get("source")): item for item in mappings(evidence)}
    listed = [] if table is None else table.to_pylist()
    joined = [{**item, **told.pop(plain(item.get("source")), {})} for item in listed]
    found = [_source(item) for item in [*joined, *told.values()]]
    return sorted(found, key=lambda s: (not s.flagged, not s.judged, -(s.excess_share or 0.0), s.source))


def _row(item: Mapping[str, Any]) -> Row:
    rule = known_rule(item.get("rule"))
    family = visible(item.get("family"), 20)
    return Row(
        row=count(item.get("row")),
        id=visible(item.get("id"), 60),
        source=visible(item.get("source"), 60),
        label=visible(item.get("label"), 60),
        suggested=visible(item.get("suggested_label"), 60),
        family=family if family in FAMILIES else "",
        code=visible(item.get("rule"), 12),
        title=rule.title if rule else "",
        p_value=number(item.get("p_value")),
        score=number(item.get("score")),
        group=count(item.get("group")),
        reason=visible(item.get("reason"), 260),
        content=_content(item),
    )


def _content(item: Mapping[str, Any]) -> str:
    if item.get("text") is not None:
        return visible(item["text"], 220)
    values = list(mapping(item.get("values")).items())[:8]
    return " · ".join(f"{visible(name, 30)} = {visible(value, 30)}" for name, value in values)


def _source(item: Mapping[str, Any]) -> Source:
    return Source(
        source=visible(item.get("source"), 80),
        rows=count(item.get("rows")),
        flagged_rows=count(item.get("flagged_rows")),
        excess=number(item.get("excess")),
        low=number(item.get("low")),
        high=number(item.get("high")),
        p_value=number(item.get("p_value")),
        flagged=item.get("flagged") is True,
        judged=item.get("judged") is not False,
        note=visible(item.get("note"), 160),
    )
