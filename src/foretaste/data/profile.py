"""What part every column plays, and what is wrong with it (FT901 to FT904)."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
from numpy.typing import NDArray

from foretaste.data.codes import as_text, encode
from foretaste.data.free_text import is_free_text, text_shape
from foretaste.data.identifiers import integer_identifier, string_identifier
from foretaste.data.images import holds_images
from foretaste.data.labels import check_label, check_quantity
from foretaste.data.names import require_column
from foretaste.data.plain import is_moment, is_text
from foretaste.data.roles import ColumnNote, Roles
from foretaste.errors import ConfigError, DataError

_FEWEST_ROWS_FOR_LEAKAGE = 10
_RARE = 10
_MOST_RARE = 0.2
"""A value in fewer than ten rows has one label by chance; a column with such values in more than a fifth of
its rows may determine the label only because it nearly names them."""
_CHANCE = 1e-6
"""Of a column without a relation to the label to determine it in every value that is not rare."""


@dataclass(frozen=True, slots=True)
class Profile:
    """Roles of all columns, one note per column in table order, and remarks on the rows."""

    roles: Roles
    columns: tuple[ColumnNote, ...]
    notes: tuple[str, ...] = ()


def profile(
    table: pa.Table, named: Mapping[str, str | None], *, file: object = None, quantity: bool = False
) -> Profile:
    """Decide what part every column plays.

    Parameters
    ----------
    table : pyarrow.Table
        Of plain types (`foretaste.data.plain`).
    named : mapping
        ``{role: column}`` as the caller named them: ``label``, ``source``, ``time``, ``id``, ``text``,
        ``image``.
    file : optional
        What to call the data in an error.
    quantity : bool
        The label is a number to predict, not a class.

    Returns
    -------
    Profile
        Every column that is not named is a feature, free text, images, or unused with a rule:

        - ``FT901``: its values go one to one with the labels (from 10 rows and 3 rows per class on), or each
          of them goes with one label only, ten rows of it or more;
        - ``FT902``: one value in all rows;
        - ``FT903``: it numbers or names the rows (`foretaste.data.identifiers`);
        - ``FT904``: anything else worth knowing; it may still be a feature.

    Raises
    ------
    DataError
        Where a named column does not exist or cannot play its part.
    """
    roles = {role: column for role, column in named.items() if column is not None}
    for role, column in roles.items():
        require_column(column, table.column_names, use=role, file=file)
    for role, column in roles.items():
        twin = next((other for other, name in roles.items() if name == column and other != role), None)
        if twin is not None:
            raise ConfigError(f"column {column!r} cannot be both the {role} and the {twin}")
    notes: list[str] = []
    label_codes: NDArray[np.int64] | None = None
    if "label" in roles:
        label = table.column(roles["label"])
        if quantity:
            check_quantity(label, roles["label"], file=file)
        else:
            notes += check_label(label, roles["label"], file=file)
        label_codes = encode(label).codes.astype(np.int64)
    if "text" in roles and not is_text(table.column(roles["text"]).type):
        kind = table.column(roles["text"]).type
        raise DataError(
            f"it holds {kind}, not text", file=file, column=roles["text"], hint="name another --text"
        )
    kind = table.column(roles["image"]).type if "image" in roles else pa.binary()
    if not isinstance(kind, pa.FixedShapeTensorType) and not pa.types.is_binary(kind):
        raise DataError(f"it holds {kind}, not images", file=file, column=roles["image"])

    part = {column: role for role, column in roles.items()}
    found: dict[str, ColumnNote] = {}
    texts: dict[str, float] = {}
    for column in table.column_names:
        if column in part:
            found[column] = ColumnNote(column, part[column])  # type: ignore[arg-type]
        else:
            found[column], length = _judge(column, table.column(column), label_codes)
            if length is not None:
                texts[column] = length
    if "text" not in roles and texts:
        roles["text"] = max(texts, key=lambda column: texts[column])
    for column in texts:
        if column == roles.get("text"):
            found[column] = ColumnNote(column, "text")
        else:
            note = f"also free text; this scan reads {roles['text']!r}, name the other with --text"
            found[column] = ColumnNote(column, "unused", "FT904", note)
    if "image" not in roles and "text" not in roles:
        pictures = [name for name in found if name not in part and holds_images(table.column(name))]
        if len(pictures) == 1:
            roles["image"] = pictures[0]
            found[pictures[0]] = ColumnNote(pictures[0], "image")
    features = tuple(note.column for note in found.values() if note.role == "feature")
    return Profile(Roles(**roles, features=features), tuple(found.values()), tuple(notes))


def _judge(
    name: str, column: pa.ChunkedArray, labels: NDArray[np.int64] | None
) -> tuple[ColumnNote, float | None]:
    """The note on a column nobody named, and its median length where it is free text."""
    kind = column.type
    if pa.types.is_floating(kind):
        column = pc.if_else(pc.is_nan(column), pa.scalar(None, kind), column)
    present = len(column) - column.null_count
    if present == 0 and len(column):
        return ColumnNote(name, "unused", "FT904", "every value is missing"), None
    if isinstance(kind, pa.FixedShapeTensorType):
        return ColumnNote(name, "unused", "FT904", "tensors; name it with --image if they are images"), None
    if pa.types.is_binary(kind):
        return ColumnNote(
            name, "unused", "FT904", "binary values; name it with --image if they are image files"
        ), None
    coded = column.dictionary_encode().unify_dictionaries()
    values = coded.chunk(0).dictionary if coded.num_chunks else pa.array([], kind)
    if len(values) == 1 and column.null_count == 0 and len(column) > 1:
        return ColumnNote(name, "unused", "FT902", f"{as_text(values[0])[:40]!r} in every row"), None
    if labels is not None and _is_one_to_one(coded, len(values), labels):
        return ColumnNote(name, "unused", "FT901", "its values go one to one with the labels"), None
    if labels is not None and _determines(coded, len(values), labels):
        several = f"each of its {len(values)} values has one label"
        note = several if len(values) > 1 else "whether it is missing goes with the labels"
        return ColumnNote(name, "unused", "FT901", note), None
    if is_text(kind):
        return _judge_string(name, column, values)
    whole = _whole_numbers(column)
    if whole is not None:
        reason = integer_identifier(whole, len(values), name)
        if reason:
            return ColumnNote(name, "unused", "FT903", reason), None
    return ColumnNote(name, "feature", *_remark(column)), None


def _judge_string(name: str, column: pa.ChunkedArray, values: pa.Array) -> tuple[ColumnNote, float | None]:
    present = len(column) - column.null_count
    shape = text_shape(values)
    if is_free_text(shape, len(values) / max(1, present)):
        return ColumnNote(name, "text"), shape.length
    reason = string_identifier(len(values), present)
    if reason:
        return ColumnNote(name, "unused", "FT903", reason), None
    numbers = _share_of_numbers(values)
    if 0.05 <= numbers < 1:
        return ColumnNote(
            name, "feature", "FT904", f"mixes words and numbers ({numbers:.0%} of its values)"
        ), None
    return ColumnNote(name, "feature"), None


def _remark(column: pa.ChunkedArray) -> tuple[str | None, str]:
    if is_moment(column.type):
        return "FT904", f"{column.type}, used as a number; name it with --time if it says when the row came"
    if pa.types.is_floating(column.type):
        infinite = pc.sum(pc.is_inf(column)).as_py() or 0
        if infinite:
            return "FT904", f"{infinite} infinite values"
    return None, ""


def _is_one_to_one(coded: pa.ChunkedArray, distinct: int, labels: NDArray[np.int64]) -> bool:
    """Whether every value goes with one label and every label with one value, on enough rows to tell."""
    classes = int(labels.max(initial=-1)) + 1
    labelled = labels >= 0
    if distinct != classes or classes < 2 or labelled.sum() < max(_FEWEST_ROWS_FOR_LEAKAGE, 3 * classes):
        return False
    codes = _codes(coded)[labelled]
    if codes.min(initial=0) < 0:
        return False
    return len(np.unique(codes * classes + labels[labelled])) == classes


def _determines(coded: pa.ChunkedArray, distinct: int, labels: NDArray[np.int64]) -> bool:
    """Whether every value goes with one label, though hardly any value is rare; missing is a value too."""
    classes = int(labels.max(initial=-1)) + 1
    labelled = labels >= 0
    if classes < 2 or not labelled.any():
        return False
    codes, labels = _codes(coded)[labelled] + 1, labels[labelled]
    rows = np.bincount(codes, minlength=distinct + 1)
    if rows[rows < _RARE].sum() > _MOST_RARE * len(labels):
        return False
    if len(np.unique(codes * classes + labels)) > (rows > 0).sum():
        return False
    commonest = np.bincount(labels).max() / len(labels)
    by_chance = np.log(classes) + rows[rows >= _RARE] * np.log(commonest)  # one label in all rows of a value
    return bool(np.minimum(by_chance, 0).sum() < np.log(_CHANCE))


def _codes(coded: pa.ChunkedArray) -> NDArray[np.int64]:
    indices = pa.chunked_array([chunk.indices for chunk in coded.chunks])
    codes: NDArray[np.int64] = pc.fill_null(indices, -1).to_numpy().astype(np.int64)
    return codes


def _whole_numbers(column: pa.ChunkedArray) -> NDArray[np.int64] | None:
    """The values present as integers, where all of them are."""
    if pa.types.is_integer(column.type):
        integers: NDArray[Any] = column.drop_null().to_numpy()
        return integers.astype(np.int64)
    if not pa.types.is_floating(column.type):
        return None
    floats: NDArray[Any] = column.drop_null().to_numpy()
    floats = floats[~np.isnan(floats)]
    if not len(floats) or not np.all(np.abs(floats) < 2**53) or not np.all(floats == np.floor(floats)):
        return None
    return floats.astype(np.int64)


def _share_of_numbers(values: pa.Array) -> float:
    pattern = r"^\s*[+-]?(\d+\.?\d*|\.\d+)([eE][+-]?\d+)?\s*$"
    return float(pc.mean(pc.match_substring_regex(values, pattern).cast(pa.float64())).as_py() or 0.0)
