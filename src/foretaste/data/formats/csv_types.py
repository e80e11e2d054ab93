"""What a column of text holds: the narrowest type that every value has.

Arrow infers the type of every block of rows; the types of blocks are joined, so that a file gives the same
types whatever the block size, and a number column with one word far down is text, not an error. An empty
field is a missing value. In columns that are not text, so are `MISSING` words.
"""

from __future__ import annotations

from functools import cache

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from foretaste.data.formats.kinds import Kind

MISSING = (
    "", "#N/A", "#N/A N/A", "#NA", "-1.#IND", "-1.#QNAN", "-NaN", "-nan", "1.#IND", "1.#QNAN", "<NA>",
    "N/A", "NA", "NULL", "NaN", "None", "n/a", "nan", "null",
)  # fmt: skip
"""What pandas takes for a missing value, too."""

TRUE = ("true", "True", "TRUE")
FALSE = ("false", "False", "FALSE")


def number_kind(values: pa.Array) -> Kind:
    """The kind of one block of a column that Arrow takes for numbers, from its text.

    Numbers are not always meant as such: ``007`` is a code, and an integer beyond 64 bits would lose digits.
    """
    present = _without_missing(values)
    if _cast(present, pa.int64()) is not None:
        return Kind.CODE if _any_leading_zero(present) else Kind.INTEGER
    if _cast(present, pa.float64()) is None:
        return Kind.TEXT
    longest = present.filter(pc.greater_equal(pc.binary_length(present), 19))
    if len(longest) and pc.all(pc.match_substring_regex(present, r"^[+-]?[0-9]+$")).as_py():
        return Kind.CODE if _any_leading_zero(present) else Kind.LONG_INTEGER
    return Kind.TEXT if _any_leading_zero(present) else Kind.NUMBER


def has_odd_numbers(block: bytes) -> bool:
    """Whether a field of the block may start with a superfluous zero or hold 19 digits in a row."""
    data = np.frombuffer(block, dtype=np.uint8)
    digit = (data >= 48) & (data <= 57)
    zero = (data[:-1] == 48) & (digit[1:] | (data[1:] | 32 == 120))
    zero[1:] &= ~digit[:-2] & ((data[:-2] < 43) | (data[:-2] > 58) | (data[:-2] == 44))  # none of + - . / :
    if zero.any():
        return True
    for step in (1, 2, 4, 8, 3):  # runs of 2, 4, 8, 16, 19 digits
        digit = digit[:-step] & digit[step:]
    return bool(digit.any())


def empty_to_null(column: pa.ChunkedArray) -> pa.ChunkedArray:
    """Text in which empty values are missing ones."""
    if not pa.types.is_string(column.type):
        return column
    return pc.if_else(pc.equal(pc.binary_length(column), 0), pa.scalar(None, pa.string()), column)


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


@cache
def _missing_words() -> pa.Array:
    return pa.array(MISSING)


def _missing_to_null(values: pa.Array) -> pa.Array:
    trimmed = pc.utf8_trim_whitespace(values)
    return pc.if_else(pc.is_in(trimmed, value_set=_missing_words()), pa.scalar(None, pa.string()), trimmed)


def _without_missing(values: pa.Array) -> pa.Array:
    return _missing_to_null(values).drop_null()
