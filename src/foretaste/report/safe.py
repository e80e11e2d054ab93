"""Hostile text made visible, bounded, and inert in each medium.

Everything in a data set may have been written by an attacker. `visible` turns any value into a bounded line
of text in which nothing is hidden: control characters, terminal escapes, bidirectional overrides, zero-width
characters and lone surrogates become names (``⟨ESC⟩``, ``⟨RLO⟩``, ``⟨ZWSP⟩``, ``⟨U+D800⟩``), so that they
can neither act nor go unseen. What a medium needs beyond that is in one function per medium below; the
template engine escapes HTML.

After Unicode Technical Report 36, and N. Boucher, R. Anderson, "Trojan Source", 2021.
"""

from __future__ import annotations

import math
import re
import unicodedata
from collections.abc import Sequence
from typing import Any, Literal, NamedTuple

LIMIT = 300
"""Characters that `visible` keeps of a value unless told otherwise."""

_CONTROL = (
    "NUL SOH STX ETX EOT ENQ ACK BEL BS TAB LF VT FF CR SO SI "
    "DLE DC1 DC2 DC3 DC4 NAK SYN ETB CAN EM SUB ESC FS GS RS US"
)
_NAMES = dict(enumerate(_CONTROL.split())) | {
    0x007F: "DEL", 0x0085: "NEL", 0x00A0: "NBSP", 0x00AD: "SHY", 0x034F: "CGJ", 0x061C: "ALM", 0x180E: "MVS",
    0x200B: "ZWSP", 0x200C: "ZWNJ", 0x200D: "ZWJ", 0x200E: "LRM", 0x200F: "RLM", 0x2028: "LS", 0x2029: "PS",
    0x202A: "LRE", 0x202B: "RLE", 0x202C: "PDF", 0x202D: "LRO", 0x202E: "RLO", 0x2060: "WJ",
    0x2066: "LRI", 0x2067: "RLI", 0x2068: "FSI", 0x2069: "PDI", 0xFEFF: "BOM",
}  # fmt: skip

_HIDDEN = re.compile(
    "[\x00-\x1f\x7f-\xa0\xad\u034f\u061c\u115f\u1160\u17b4\u17b5\u180b-\u180f\u2000-\u200f\u2028-\u202f"
    "\u205f-\u206f\u2800\u3164\ud800-\udfff\ue000-\uf8ff\ufdd0-\ufdef\ufe00-\ufe0f\ufeff\uffa0\ufff0-\ufffb\ufffe\uffff"
    "\U0001bca0-\U0001bca3\U0001d173-\U0001d17a\U000e0000-\U0010ffff]"
)
_MARK = "[\u0300-\u036f\u0483-\u0489\u1ab0-\u1aff\u1dc0-\u1dff\u20d0-\u20ff\ufe20-\ufe2f]"
_STACKED = re.compile(f"({_MARK}{{4}})({_MARK}+)")
_NUMBER = re.compile(r"[+-]?\d+(?:\.\d+)?(?:[eE][+-]?\d+)?")
_FORMULA = re.compile(r"[\s'\"]*[=+\-@|%\uff1d\uff0b\uff0d\uff20]")


def plain(value: object) -> str:
    """Any value as text, untouched: None is empty, a whole float has no decimals."""
    if value is None:
        return ""
    if isinstance(value, str):
        return value
    if isinstance(value, float):
        return f"{value:.6g}" if math.isfinite(value) else "NaN" if math.isnan(value) else f"{value}"
    if isinstance(value, int) and not isinstance(value, bool) and value.bit_length() > 256:
        return f"an integer of {value.bit_length()} bits"
    return str(value)


def visible(value: object, limit: int = LIMIT) -> str:
    """One line of text with nothing hidden in it and at most about ``limit`` characters of the value.

    Examples
    --------
    >>> visible("pay\\u202efdp.exe\\x1b[2J\\nnow")
    'pay⟨RLO⟩fdp.exe⟨ESC⟩[2J⏎now'
    >>> visible("x" * 1000, limit=5)
    'xxxxx… (1,000 characters)'
    """
    text = plain(value)
    shown = _reveal(text[:limit])
    if len(text) > limit:
        return f"{shown[: 2 * limit]}… ({len(text):,} characters)"
    return shown if len(shown) <= 2 * limit else f"{shown[: 2 * limit]}…"


def _reveal(text: str) -> str:
    if _HIDDEN.search(text):
        text = _HIDDEN.sub(_symbol, text.replace("\r\n", "\n"))
    return _STACKED.sub(lambda match: f"{match[1]}⟨+{len(match[2])} marks⟩", text)


def _symbol(match: re.Match[str]) -> str:
    character, code = match[0], ord(match[0])
    if character in "\n\t":
        return "⏎" if character == "\n" else "⇥"
    if code in (0x200C, 0x200D, 0xFE0E, 0xFE0F) and _joins(match.string, match.start()):
        return character
    return f"⟨{_NAMES.get(code, f'U+{code:04X}')}⟩"


def _joins(text: str, at: int) -> bool:
    """True where a joiner or variation selector does its ordinary work: in emoji, or in a non-Latin word."""
    before = unicodedata.category(text[at - 1]) if at else ""
    after = unicodedata.category(text[at + 1]) if at + 1 < len(text) else ""
    if text[at] in "\ufe0e\ufe0f":
        return before in ("So", "Sm", "Po", "Nd")
    if text[at] == "\u200d" and (before in ("So", "Sk") or text[at - 1 : at] == "\ufe0f"):
        return after == "So"
    return before in ("Lo", "Mn", "Mc") and after in ("Lo", "Mn", "Mc")


_PICTURE = re.compile(r"data:image/png;base64,iVBORw0KGgo[A-Za-z0-9+/]{20,60000}={0,2}")


def picture(value: object) -> str:
    """A small PNG in a data URI as it is, anything else as nothing: no address, no other kind of image.

    Examples
    --------
    >>> picture("data:image/svg+xml;base64,PHN2Zz4="), picture("https://example.org/a.png")
    ('', '')
    """
    return value if isinstance(value, str) and _PICTURE.fullmatch(value) else ""


class Piece(NamedTuple):
    """A stretch of an excerpt: shown as it is, marked, or left out."""

    text: str
    kind: Literal["plain", "mark", "gap"]


def excerpt(value: object, marks: object = (), limit: int = LIMIT) -> list[Piece]:
    """The part of a text around its marks, made visible, as plain and marked pieces.

    Parameters
    ----------
    value : object
        The text.
    marks : sequence of (start, end)
        Half-open ranges of characters of the text; whatever is not such a range is ignored.
    limit : int
        Characters shown, roughly; left-out parts become ``gap`` pieces.
    """
    text = plain(value)
    spans = _spans(marks, len(text))
    if len(text) <= limit:
        windows = [(0, len(text))]
    elif not spans:
        windows = [(0, limit)]
    else:
        spans = spans[:4]
        each = max(limit // len(spans), 40)
        windows = _merge([_window(start, end, each, len(text)) for start, end in spans])
    pieces: list[Piece] = []
    for start, end in windows:
        if start > 0:
            pieces.append(Piece("…", "gap"))
        pieces += _cut(text, start, end, spans)
    if windows[-1][1] < len(text):
        pieces.append(Piece(f"… ({len(text):,} characters)", "gap"))
    return [piece for piece in pieces if piece.text]


def _spans(marks: object, length: int) -> list[tuple[int, int]]:
    found = []
    for mark in list(marks)[:1000] if isinstance(marks, Sequence) and not isinstance(marks, str) else ():
        if (
            isinstance(mark, Sequence)
            and len(mark) == 2
            and all(isinstance(end, int) and not isinstance(end, bool) for end in mark)
        ):
            start, end = (min(max(int(edge), 0), length) for edge in mark)
            if start < end:
                found.append((start, end))
    return _merge(found)


def _merge(spans: list[tuple[int, int]]) -> list[tuple[int, int]]:
    merged: list[tuple[int, int]] = []
    for start, end in sorted(spans):
        if merged and start <= merged[-1][1]:
            merged[-1] = (merged[-1][0], max(end, merged[-1][1]))
        else:
            merged.append((start, end))
    return merged


def _window(start: int, end: int, room: int, length: int) -> tuple[int, int]:
    end = min(end, start + room)
    around = max((room - (end - start)) // 2, 12)
    return max(0, start - around), min(length, end + around)


def _cut(text: str, start: int, end: int, spans: list[tuple[int, int]]) -> list[Piece]:
    pieces, at = [], start
    for mark_start, mark_end in spans:
        if mark_end <= start or mark_start >= end:
            continue
        pieces.append(Piece(_reveal(text[at : max(mark_start, start)]), "plain"))
        pieces.append(Piece(_reveal(text[max(mark_start, start) : min(mark_end, end)]), "mark"))
        at = min(mark_end, end)
    return [*pieces, Piece(_reveal(text[at:end]), "plain")]


def remarks(value: object) -> list[str]:
    """What a reader cannot see in a text: hidden characters, letters of another script in a Latin word.

    Examples
    --------
    >>> remarks("p\\u0430ypal")
    ['letters that only look Latin: а (CYRILLIC SMALL LETTER A)']
    """
    text = plain(value)[:2000]
    found = []
    hidden = [m[0] for m in _HIDDEN.finditer(text) if m[0] not in "\n\t\r" and _symbol(m) != m[0]]
    if hidden:
        named = ", ".join(dict.fromkeys(visible(character) for character in hidden[:20]))
        plural = "s" if len(hidden) > 1 else ""
        found.append(f"{len(hidden)} invisible character{plural}: {named}")
    strange: dict[str, str] = {}
    for word in re.findall(r"[^\W\d_]+", text):
        names = [(letter, unicodedata.name(letter, "")) for letter in word]
        if any(name.startswith("LATIN") for _, name in names):
            strange |= {c: name for c, name in names if name.startswith(("CYRILLIC", "GREEK", "ARMENIAN"))}
    if strange:
        listed = ", ".join(f"{letter} ({name})" for letter, name in list(strange.items())[:5])
        found.append(f"letters that only look Latin: {listed}")
    return found


def spreadsheet(value: object, limit: int = LIMIT) -> str:
    """A CSV cell that no spreadsheet takes for a formula: what could start one gets an apostrophe before it.

    Plain numbers stay as they are. After OWASP, "CSV injection".
    """
    text = visible(value, limit)
    return f"'{text}" if _FORMULA.match(text) and not _NUMBER.fullmatch(text) else text


def code_span(value: object, limit: int = 120, *, table: bool = False) -> str:
    """Markdown code span: nothing inside is interpreted, not even a mention, a link or HTML."""
    text = visible(value, limit).replace("|", "\\|") if table else visible(value, limit)
    if not text.strip():
        return "(empty)"
    longest = max((len(run) for run in re.findall("`+", text)), default=0)
    fence = "`" * (longest + 1)
    pad = " " if text[0] in "` " or text[-1] in "` " else ""
    return f"{fence}{pad}{text}{pad}{fence}"


def markdown(value: object, limit: int = LIMIT) -> str:
    """Markdown text in which every character stands for itself (CommonMark 2.4) and nobody is mentioned."""
    text = re.sub(r"([\\`*_\[\]#|~!:$^{}])", r"\\\1", visible(value, limit).strip())
    # What would start a list or underline a heading at the beginning of a line.
    text = re.sub(r"^(\d*)([-+=.)])", r"\1\\\2", text)
    text = re.sub(r"www\.", r"www\\.", text, flags=re.IGNORECASE)
    return text.replace("&", "&amp;").replace("<", "&lt;").replace(">", "&gt;").replace("@", "@\u2060")


def sarif(value: object, limit: int = LIMIT) -> str:
    """SARIF message text: neither a placeholder nor an embedded link (SARIF 2.1.0, 3.11.5 and 3.11.6)."""
    return visible(value, limit).replace("](", "] (").replace("{", "{{").replace("}", "}}")


def json_value(value: Any, depth: int = 0) -> Any:
    """The value as strict JSON can hold it: no NaN, no infinity, no lone surrogate, no bottomless nesting."""
    if value is None or isinstance(value, bool | int):
        return value
    if isinstance(value, float):
        return value if math.isfinite(value) else None
    if isinstance(value, dict) and depth < 40:
        return {plain(json_value(plain(key))): json_value(item, depth + 1) for key, item in value.items()}
    if isinstance(value, list | tuple) and depth < 40:
        return [json_value(item, depth + 1) for item in value]
    return plain(value).encode("utf-8", "replace").decode() if depth < 40 else None
