"""Where the records and fields of a delimited text begin and end, byte by byte.

The grammar is that of RFC 4180 as Arrow's CSV reader extends it: a record ends at ``\\n``, ``\\r\\n`` or
``\\r`` outside quotes, empty lines are no records, a quote opens a quoted field only at the start of the
field, ``""`` inside it is one quote, and what follows the closing quote belongs to the field.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from functools import cached_property

import numpy as np
from numpy.typing import NDArray

_LINE_END = re.compile(rb"[\r\n]++(?=[^\r\n])")


@dataclass(frozen=True)
class Dialect:
    """How fields are separated: one byte ``delimiter``, and whether ``"`` quotes."""

    delimiter: bytes = b","
    quoting: bool = True

    @cached_property
    def _field(self) -> bytes:
        d = re.escape(self.delimiter)
        if not self.quoting:
            return rb"[^" + d + rb"\r\n]*+"
        return rb'(?:"[^"]*+(?:""[^"]*+)*+"[^' + d + rb"\r\n]*+|[^\"" + d + rb"\r\n][^" + d + rb"\r\n]*+)?+"

    @cached_property
    def _record(self) -> bytes:
        return self._field + rb"(?:" + re.escape(self.delimiter) + self._field + rb")*+"

    @cached_property
    def _whole_records(self) -> re.Pattern[bytes]:
        return re.compile(rb"(?:[\r\n]*+" + self._record + rb"[\r\n]++(?=[^\r\n]))*+")

    @cached_property
    def _one_record(self) -> re.Pattern[bytes]:
        return re.compile(rb"[\r\n]*+" + self._record + rb"(?:[\r\n]++|\Z)")

    @cached_property
    def _one_field(self) -> re.Pattern[bytes]:
        return re.compile(self._field)

    def _is_plain(self, data: bytes) -> bool:
        return not self.quoting or b'"' not in data

    def _plain_from(self, data: bytes) -> int:
        """Where a record starts after which there is no quote any more, a header's often; 0 for nowhere."""
        end = _LINE_END.search(data, data.rfind(b'"'))
        start = end.end() if end else 0
        if not 0 < start < len(data) // 2:  # the rest must be worth it
            return 0
        until = self._whole_records.match(data, 0, start + 1)
        return start if until and until.end() == start else 0

    def complete_until(self, data: bytes) -> int:
        """Offset of the last record in ``data`` that may still go on; everything before it is complete."""
        if not self._is_plain(data) and not self._plain_from(data):
            match = self._whole_records.match(data)
            return match.end() if match else 0
        end = len(data.rstrip(b"\r\n"))
        return max(data.rfind(b"\n", 0, end), data.rfind(b"\r", 0, end)) + 1

    def is_closed(self, data: bytes) -> bool:
        """Whether the last record of ``data`` ends with the data, no quote left open."""
        if self._is_plain(data):
            return True
        if self._plain_from(data):
            return True
        tail = data[self.complete_until(data) :]
        return not tail.strip(b"\r\n") or self.first_end(tail) == len(tail)

    def starts(self, data: bytes) -> NDArray[np.int64]:
        """Where the records of ``data`` (whole records) start; blank lines belong to the one before.

        Raises
        ------
        ValueError
            Where a quote is never closed; its argument is the number of records before that one.
        """
        if not data.strip(b"\r\n"):
            return np.empty(0, dtype=np.int64)
        if self._is_plain(data):
            bytes_ = np.frombuffer(data, dtype=np.uint8)
            ends = (bytes_ == 10) | (bytes_ == 13)
            first = 0 if not ends[0] else int(np.argmin(ends))
            found = np.flatnonzero(ends[:-1] & ~ends[1:]) + 1
            return np.concatenate([[first], found[found > first]]).astype(np.int64)
        starts: list[int] = []
        position = 0
        for match in self._one_record.finditer(data):
            if match.end() == match.start():
                break
            if match.start() != position:
                break
            starts.append(match.start())
            position = match.end()
        if position != len(data):
            raise ValueError(len(starts))
        if starts and data[:1] in (b"\r", b"\n"):
            starts[0] = len(data) - len(data.lstrip(b"\r\n"))
        return np.array(starts, dtype=np.int64)

    def first_end(self, data: bytes) -> int:
        """Where the first record of ``data`` ends, with its line end and blank lines after it; 0 for none."""
        match = self._one_record.match(data)
        return match.end() if match else 0

    def fields(self, record: bytes) -> list[tuple[int, int]]:
        """Start and end of every field of one record, without its line end."""
        spans: list[tuple[int, int]] = []
        position = 0
        while True:
            match = self._one_field.match(record, position)
            end = match.end() if match else position
            spans.append((position, end))
            if record[end : end + 1] != self.delimiter:
                return spans
            position = end + 1

    def value(self, field: bytes) -> bytes:
        """What a field says, its quotes taken away."""
        if not self.quoting or not field.startswith(b'"'):
            return field
        closing = re.match(rb'"([^"]*+(?:""[^"]*+)*+)"', field)
        if closing is None:
            return field
        return closing.group(1).replace(b'""', b'"') + field[closing.end() :]

    def quoted(self, value: bytes) -> bytes:
        """A value as a field, in quotes where it needs them."""
        if self.quoting and re.search(rb'[\r\n"' + re.escape(self.delimiter) + rb"]", value):
            return b'"' + value.replace(b'"', b'""') + b'"'
        return value

    def is_well_quoted(self, data: bytes, *, whole: bool) -> bool:
        """Whether every field that starts with a quote ends with one.

        ``data`` starts at a record; unless it is the ``whole`` file, its last field may go on.
        """
        d = re.escape(self.delimiter)
        opened = re.compile(rb"(?:\A|[\r\n" + d + rb'])"')
        closed = re.compile(rb'"[^"]*+(?:""[^"]*+)*+"(?=[\r\n' + d + rb"]|\Z)")
        open_still = re.compile(rb'"[^"]*+(?:""[^"]*+)*+\Z')
        position = 0
        while match := opened.search(data, position):
            field = closed.match(data, match.end() - 1)
            if field is None:
                return not whole and open_still.match(data, match.end() - 1) is not None
            position = field.end()
        return True


def sniff(start: bytes, *, tabs: bool, whole: bool) -> Dialect:
    """The dialect of a text that begins with ``start``.

    With ``tabs`` the delimiter is known, and quotes are plain characters unless they pair up: many such files
    never quote. Otherwise the header decides between comma, semicolon, tab and bar; a tie is a comma.

    Examples
    --------
    >>> sniff(b'"a";"b, c";"d"\\n1;2;3\\n', tabs=False, whole=True).delimiter
    b';'
    """
    if tabs:
        return Dialect(b"\t", quoting=Dialect(b"\t").is_well_quoted(start, whole=whole))
    line = (start.lstrip(b"\r\n").splitlines() or [b""])[0]
    return Dialect(max((b",", b";", b"\t", b"|"), key=lambda d: (len(Dialect(d).fields(line)), d == b",")))
