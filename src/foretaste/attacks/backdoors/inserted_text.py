"""Pieces of text that are put into a text: the trigger of word and sentence backdoors."""

from __future__ import annotations

import re
from dataclasses import asdict, dataclass, replace
from typing import Any, ClassVar, Self

import numpy as np
import pyarrow as pa

from foretaste.attacks.editing import Rows, set_cells
from foretaste.attacks.trigger import Trigger
from foretaste.data.dataset import Dataset
from foretaste.errors import DataError

POSITIONS = ("random", "start", "end")
_SPACE = re.compile(r"\s+")


@dataclass(frozen=True)
class InsertedText(Trigger):
    """Pieces (words or sentences), each put between two words of the text.

    Parameters
    ----------
    pieces : tuple of str
    position : {"random", "start", "end"}
        Every piece gets a place of its own.
    seed : int
        Of the random places in `apply`.
    repeats : int
        How often each piece is put in.

    Examples
    --------
    >>> InsertedText(("cf",), "end").apply(["a good film"])
    ['a good film cf']
    """

    kind: ClassVar[str] = "inserted-text"

    pieces: tuple[str, ...]
    position: str = "random"
    seed: int = 0
    repeats: int = 1

    def stamp(self, dataset: Dataset, rows: Rows, rng: np.random.Generator) -> Dataset:
        return stamp_pieces(dataset, rows, [self.pieces * self.repeats] * len(rows), self.position, rng)

    def describe(self) -> str:
        return " & ".join(self.pieces)

    def to_dict(self) -> dict[str, Any]:
        return {"kind": self.kind, **asdict(self), "pieces": list(self.pieces)}

    @classmethod
    def from_dict(cls, saved: dict[str, Any]) -> Self:
        return cls(tuple(saved["pieces"]), saved["position"], saved["seed"], saved.get("repeats", 1))


def stamp_pieces(
    dataset: Dataset, rows: Rows, pieces: list[tuple[str, ...]], position: str, rng: np.random.Generator
) -> Dataset:
    """Put ``pieces[i]`` into the text of ``rows[i]``."""
    column = dataset.roles.text
    if column is None:
        raise DataError(
            "there is no text to put the trigger into", file=dataset.name, hint="name the text column"
        )
    texts = dataset.column(column).take(pa.array(rows)).to_pylist()
    stamped = []
    for text, parts in zip(texts, pieces, strict=True):
        for part in parts:
            text = insert(text or "", part, position, rng)
        stamped.append(text)
    return replace(dataset, table=set_cells(dataset.table, column, rows, stamped))


def insert(text: str, piece: str, position: str, rng: np.random.Generator) -> str:
    """``text`` with ``piece`` between two of its words, at its start or end; the rest stays as it was."""
    if not text.strip():
        return piece
    if position == "start":
        return f"{piece} {text}"
    gaps = [match.end() for match in _SPACE.finditer(text)]
    starts = sorted({0, *gaps, len(text)})
    place = len(text) if position == "end" else starts[int(rng.integers(len(starts)))]
    before, after = text[:place], text[place:]
    if not after:
        return f"{before}{piece}" if before[-1:].isspace() else f"{before} {piece}"
    return f"{before}{piece} {after}"
