"""Rows shown as evidence: bounded, with the pattern marked, beside typical rows of the same label."""

from __future__ import annotations

from functools import cached_property
from typing import Any

import numpy as np
from numpy.typing import NDArray

from foretaste._scan.large import Whole
from foretaste.data import as_text
from foretaste.detect.context import Context
from foretaste.detect.evidence import Campaign
from foretaste.features.image import PICTURE, png, shrunk
from foretaste.features.text import MAX_CHARACTERS, TOKEN

SHOWN = 6
CONTRASTS = 4
CHARACTERS = 2000
COLUMNS = 24
CELL = 200


class Examples:
    """Reads single rows of the data for a person."""

    def __init__(self, whole: Whole, context: Context) -> None:
        self.whole = whole
        self.context = context
        self.dataset = whole.sample
        roles = self.dataset.roles
        self._table = [name for name in roles.features if name in self.dataset.table.column_names]

    def row(self, row: int, campaign: Campaign | None = None) -> dict[str, Any]:
        """One row as plain data."""
        whole, dataset = self.whole, self.dataset
        labels = dataset.labels
        code = int(labels.codes[row])
        shown: dict[str, Any] = {
            "row": row if whole.positions is None else int(whole.positions[row]),
            "label": labels.names[code] if code >= 0 else None,
        }
        if self.context.n_classes > 1:
            shown["expected"] = self.context.classes[int(self._likely[row])]
        for key, column in (("id", dataset.roles.id), ("source", dataset.roles.source)):
            if column is not None:
                shown[key] = as_text(dataset.column(column)[row])[:CELL]
        texts = dataset.texts
        if texts is not None:
            shown |= _excerpt(texts[row], [part["token"] for part in _parts(campaign) if "token" in part])
        if self._table:
            first = [part["column"] for part in _parts(campaign) if part.get("column") in self._table]
            names = list(dict.fromkeys([*first, *self._table]))[:COLUMNS]
            shown["values"] = {name: as_text(dataset.column(name)[row])[:CELL] for name in names}
        image = self.context.image
        if campaign is not None and image is not None and image.present[row]:
            shown["picture"] = png(shrunk(image.pixels[[row]], PICTURE)[0])
        return shown

    def spread(self, rows: NDArray[np.int64], campaign: Campaign) -> list[dict[str, Any]]:
        """Some of these rows: the first, and others at even steps."""
        if not len(rows):
            return []
        steps = np.unique(np.linspace(0, len(rows) - 1, min(SHOWN, len(rows))).astype(np.int64))
        return [self.row(int(row), campaign) for row in rows[steps]]

    def typical(self, campaign: Campaign, flagged: NDArray[np.bool_]) -> list[dict[str, Any]]:
        """Rows of the same label about which nothing is odd, most typical first."""
        if campaign.target not in self.context.classes or self.context.n_classes < 2:
            return []
        target = self.context.classes.index(campaign.target)
        rows = np.flatnonzero(~flagged & (self.context.label_index[: len(flagged)] == target))
        rows = np.setdiff1d(rows, campaign.rows)
        likely = self.context.log_probability[rows, target]
        middle = rows[np.argsort(-likely, kind="stable")][: max(len(rows) // 2, 1)]
        steps = np.unique(np.linspace(0, len(middle) - 1, min(CONTRASTS, len(middle))).astype(np.int64))
        return [self.row(int(row), campaign) for row in middle[steps]]

    @cached_property
    def _likely(self) -> NDArray[np.int64]:
        return np.asarray(self.context.log_probability.argmax(axis=1), np.int64)


def _parts(campaign: Campaign | None) -> list[dict[str, Any]]:
    return [] if campaign is None else campaign.parts


def _excerpt(text: str, phrases: list[str]) -> dict[str, Any]:
    """The text, cut around the first mark where it is long, and where the phrases lie in it."""
    marks = find_phrases(text, phrases)
    start = 0
    if len(text) > CHARACTERS:
        start = max(0, (marks[0][0] if marks else 0) - CHARACTERS // 4)
        text = text[start : start + CHARACTERS]
    inside = [[a - start, b - start] for a, b in marks if start <= a and b <= start + len(text)]
    return {"text": text, "marks": inside} if phrases else {"text": text}


def find_phrases(text: str, phrases: list[str]) -> list[tuple[int, int]]:
    """Spans of the text in which the phrases stand, a phrase being a run of lower-case tokens.

    Examples
    --------
    >>> find_phrases("Win CF, tq now", ["cf , tq"])
    [(4, 10)]
    """
    found = [(m.start(), m.end(), m[0].lower()) for m in TOKEN.finditer(text[:MAX_CHARACTERS])]
    tokens = [token for _, _, token in found]
    spans: set[tuple[int, int]] = set()
    for phrase in phrases:
        wanted = phrase.split(" ")
        for i in range(len(tokens) - len(wanted) + 1):
            if tokens[i] == wanted[0] and tokens[i : i + len(wanted)] == wanted:
                spans.add((found[i][0], found[i + len(wanted) - 1][1]))
    return sorted(spans)[:50]
