"""What a column of text holds: the narrowest type that every value has.

Types are found block by block and joined, so that a file gives the same types whatever the block size, and a
number column with one word far down is text, not an error. An empty field is a missing value. In columns that
are not text, so are `MISSING` words.
"""

from __future__ import annotations

import re

import pyarrow as pa
import pyarrow.compute as pc

from foretaste.data.formats.kinds import Kind

MISSING = (
    "", "#N/A", "#N/A N/A", "#NA", "-1.#IND", "-1.#QNAN", "-NaN", "-nan", "1.#IND", "1.#QNAN", "<NA>",
    "N/A", "NA", "NULL", "NaN", "None", "n/a", "nan", "null",
)  # fmt: skip
"""What pandas takes for a missing value, too."""

_MISSING = pa.array(MISSING)
_SAMPLE = 64
_DATE = re.compile(r"\d{4}-\d\d-\d\d")
_TRUTH = pa.array(["true", "false", "True", "False", "TRUE", "FALSE"])


def kind_of(values: pa.Array) -> Kind:
    """The kind of one block of a column, a string array in which empty fields are null."""
    if values.null_count == len(values):
        return Kind.EMPTY
    kind = _number_kind(values)
    if kind is not None:
        return kind
    sample = [text for text in values.drop_null()[:_SAMPLE].to_pylist() if text.strip() not in MISSING]
    if not sample or _is_numeric(sample[0]):
        cleaned = _cleaned(values)
        if cleaned.null_count == len(cleaned):
            return Kind.EMPTY
        kind = _number_kind(cleaned)
        if kind is not None:
            return kind
    if not sample or _DATE.match(sample[0]) or sample[0] in _TRUTH.to_pylist():
        present = _cleaned(values).drop_null()
        if pc.all(pc.is_in(present, value_set=_TRUTH)).as_py():
            return Kind.TRUTH
        for kind in (Kind.DATE, Kind.MOMENT, Kind.FINE_MOMENT, Kind.INSTANT, Kind.FINE_INSTANT):
            if _cast(present, kind.type) is not None:
                return kind
    return Kind.TEXT


def convert(values: pa.Array, kind: Kind) -> pa.Array:
    """One block of a column as the type of the whole column's kind."""
    if kind.type == pa.string():
        return values
    if kind is Kind.EMPTY:
        return pa.nulls(len(values))
    converted = _cast(values, kind.type)
    return _cleaned(values).cast(kind.type) if converted is None else converted


def _number_kind(values: pa.Array) -> Kind | None:
    integers = _cast(values, pa.int64()) is not None
    if not integers and _cast(values, pa.float64()) is None:
        return None
    if integers:
        return Kind.CODE if _any_leading_zero(values) else Kind.INTEGER
    longest = values.filter(pc.greater_equal(pc.binary_length(values), 19))
    if len(longest) and pc.all(pc.match_substring_regex(values, r"^[+-]?[0-9]+$")).as_py():
        return Kind.CODE if _any_leading_zero(values) else Kind.LONG_INTEGER
    return Kind.TEXT if _any_leading_zero(values) else Kind.NUMBER


def _any_leading_zero(values: pa.Array) -> bool:
    suspects = pc.and_(pc.starts_with(values, "0"), pc.greater(pc.binary_length(values), 1))
    suspects = pc.and_not(suspects, pc.starts_with(values, "0."))
    few = values.filter(suspects)
    return bool(len(few) and pc.any(pc.match_substring_regex(few, "^0[0-9xX]")).as_py())


def _cast(values: pa.Array, kind: pa.DataType) -> pa.Array | None:
    try:
        return values.cast(kind)
    except pa.ArrowInvalid:
        return None


def _cleaned(values: pa.Array) -> pa.Array:
    trimmed = pc.utf8_trim_whitespace(values)
    return pc.if_else(pc.is_in(trimmed, value_set=_MISSING), pa.scalar(None, pa.string()), trimmed)


def _is_numeric(text: str) -> bool:
    try:
        float(text)
    except ValueError:
        return False
    return True
