"""Campaigns and review items as reports show them: what they are, how sure, and the rows that show it."""

from __future__ import annotations

import difflib
import re
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from foretaste.errors import ConfigError
from foretaste.report.lenient import count, items, mapping, mappings, number, text_or_none
from foretaste.report.numbers import measure
from foretaste.report.safe import Piece, excerpt, picture, plain, remarks, visible
from foretaste.rules import Rule, rule

EXAMPLES = 6
CONTRASTS = 4
EXAMPLE_CHARACTERS = 420
_COLUMNS = 9


@dataclass(frozen=True)
class Statistic:
    """The test statistic beside what nature reaches in the same data and what was needed."""

    name: str
    value: float
    natural_max: float | None
    threshold: float | None


@dataclass(frozen=True)
class Part:
    """One condition of a trigger: a token (``column`` empty) or a column and the values it takes."""

    column: str
    condition: str


@dataclass(frozen=True)
class Cell:
    """One value of an example row; ``trigger`` where the value is part of what ties the rows together."""

    text: str
    trigger: bool


@dataclass(frozen=True)
class Example:
    """One row shown as evidence: ``pieces`` of its text, ``cells`` under the campaign's columns, an image."""

    row: int | None
    id: str
    source: str
    label: str
    expected: str
    pieces: tuple[Piece, ...]
    cells: tuple[Cell, ...]
    picture: str = ""


@dataclass(frozen=True)
class CampaignSource:
    """How many of a campaign's rows one source supplied."""

    source: str
    rows: int | None
    share: float | None
    p_value: float | None


@dataclass(frozen=True)
class Campaign:
    """A campaign or a review item; every text in it has been made visible and bounded.

    ``number`` counts from 1 as shown; ``group`` is the number in ``groups.parquet``. ``marks`` says what
    marked pieces of the examples are: ``"trigger"``, or ``"difference"`` for words in which copies differ.
    ``picture`` is what images have in common, amplified: a PNG as data URI.
    """

    number: int
    group: int | None
    code: str
    rule: Rule | None
    title: str
    kind: str
    target: str
    pattern: str
    remarks: tuple[str, ...]
    reason: str
    parts: tuple[Part, ...]
    size: int | None
    support: int | None
    effect: float | None
    p_value: float | None
    q_value: float | None
    statistic: Statistic | None
    contradiction: float | None
    sources: tuple[CampaignSource, ...]
    corroborated_by: tuple[tuple[str, str], ...]
    columns: tuple[Cell, ...]
    columns_left_out: int
    examples: tuple[Example, ...]
    contrast: tuple[Example, ...]
    marks: str
    picture: str = ""

    @property
    def name(self) -> str:
        """What to call it in one phrase: the pattern where there is one, else the rule's title."""
        return self.pattern or self.title


def campaigns(evidence: object, groups: Iterable[Mapping[str, Any]]) -> list[Campaign]:
    """Every campaign of the groups table in its order, with its evidence where there is some; then the rest.

    Parameters
    ----------
    evidence : object
        ``evidence["campaigns"]``, whatever it is.
    groups : iterable of mappings
        Rows of ``groups.parquet``.
    """
    told = mappings(evidence)
    by_group = {count(item.get("group")): item for item in reversed(told)}
    joined: list[dict[str, Any]] = []
    for table_row in groups:
        known = {key: value for key, value in table_row.items() if value is not None}
        extra = by_group.pop(count(known.get("group")), {})
        sources = extra.get("sources") or [{"source": name} for name in items(known.get("sources"))]
        joined.append({**known, **extra, "sources": sources})
    joined += [item for item in told if by_group.get(count(item.get("group"))) is item]
    return [_campaign(item, position) for position, item in enumerate(joined, start=1)]


def review_items(evidence: object) -> list[Campaign]:
    """The review list, ``evidence["review"]``."""
    return [_campaign(item, position) for position, item in enumerate(mappings(evidence), start=1)]


def known_rule(code: object) -> Rule | None:
    """The rule of that code, or None where this version does not know it."""
    try:
        return rule(plain(code))
    except ConfigError:
        return None


def _campaign(item: Mapping[str, Any], position: int) -> Campaign:
    found = known_rule(item.get("rule"))
    parts = tuple(part for part in map(_part, mappings(item.get("parts"))[:12]) if part.condition)
    examples = mappings(item.get("examples"))[:EXAMPLES]
    contrast = mappings(item.get("contrast"))[:CONTRASTS]
    trigger = [part.column for part in parts if part.column]
    columns, left_out = _columns([*examples, *contrast], trigger)
    kind = visible(item.get("kind"), 20)
    marks = "trigger"
    if kind == "duplicates" and not any(example.get("marks") for example in examples):
        marks, examples = "difference", _with_differences(examples)
    size = count(item.get("size"))
    pattern = visible(item.get("pattern"), 200)
    statistic = mapping(item.get("statistic"))
    value = number(statistic.get("value"))
    return Campaign(
        number=position,
        group=count(item.get("group")),
        code=visible(item.get("rule"), 12),
        rule=found,
        title=found.title_of(kind) if found else visible(item.get("title"), 80) or "Finding",
        kind=kind,
        target=visible(item.get("target"), 80),
        pattern=pattern,
        remarks=tuple(remarks(item.get("pattern"))),
        reason=visible(item.get("reason"), 400),
        parts=parts,
        size=size,
        support=count(item.get("support")),
        effect=number(item.get("effect")),
        p_value=number(item.get("p_value")),
        q_value=number(item.get("q_value")),
        statistic=None
        if value is None
        else Statistic(
            visible(statistic.get("name"), 40) or "statistic",
            value,
            number(statistic.get("natural_max")),
            number(statistic.get("threshold")),
        ),
        contradiction=number(item.get("contradiction")),
        sources=tuple(_source(source, size) for source in mappings(item.get("sources"))[:50]),
        corroborated_by=tuple(_rule_name(code) for code in items(item.get("corroborated_by"))[:10]),
        columns=columns,
        columns_left_out=left_out,
        examples=tuple(_example(example, columns) for example in examples),
        contrast=tuple(_example(example, columns) for example in contrast),
        marks=marks,
        picture=next((found for found in map(_picture, mappings(item.get("parts"))) if found), ""),
    )


def _part(part: Mapping[str, Any]) -> Part:
    column = visible(part.get("column"), 60)
    if not column:
        return Part("", visible(part.get("token"), 120))
    low, high = number(part.get("low")), number(part.get("high"))
    if "value" in part and part.get("value") is not None:
        if part.get("op") == "in":
            return Part(column, f"in {visible(part['value'], 80)}")
        return Part(column, f"= {visible(part['value'], 80)}")
    if low is not None and high is not None:
        return Part(column, f"from {measure(low)} to {measure(high)}")
    if low is not None or high is not None:
        return Part(column, f"≥ {measure(low)}" if low is not None else f"≤ {measure(high)}")
    return Part(column, "")


def _picture(part: Mapping[str, Any]) -> str:
    return picture(part.get("picture"))


def _source(source: Mapping[str, Any], size: int | None) -> CampaignSource:
    rows = count(source.get("rows"))
    return CampaignSource(
        visible(source.get("source"), 60),
        rows,
        min(1.0, rows / size) if rows is not None and size else None,
        number(source.get("p_value")),
    )


def _rule_name(code: object) -> tuple[str, str]:
    found = known_rule(code)
    return visible(code, 12), found.title if found else ""


def _columns(examples: list[dict[str, Any]], trigger: list[str]) -> tuple[tuple[Cell, ...], int]:
    """The columns that examples are shown under: those of the trigger first, then as many others as fit."""
    values = [mapping(example.get("values")) for example in examples]
    names = dict.fromkeys(visible(name, 60) for row in values for name in row)
    if not names:
        return (), 0
    first = [name for name in dict.fromkeys(trigger) if name in names]
    others = [name for name in names if name not in first]
    room = max(_COLUMNS - len(first), 0)
    shown = [Cell(name, True) for name in first] + [Cell(name, False) for name in others[:room]]
    return tuple(shown), len(others) - len(others[:room])


def _example(example: Mapping[str, Any], columns: tuple[Cell, ...]) -> Example:
    values = {visible(name, 60): value for name, value in mapping(example.get("values")).items()}
    text = text_or_none(example.get("text"))
    return Example(
        row=count(example.get("row")),
        id=visible(example.get("id"), 60),
        source=visible(example.get("source"), 60),
        label=visible(example.get("label"), 60),
        expected=visible(example.get("expected"), 60),
        pieces=() if text is None else tuple(excerpt(text, example.get("marks"), EXAMPLE_CHARACTERS)),
        cells=tuple(Cell(visible(values.get(column.text), 60), column.trigger) for column in columns)
        if values
        else (),
        picture=picture(example.get("picture")),
    )


def _with_differences(examples: list[dict[str, Any]]) -> list[dict[str, Any]]:
    """The examples with marks on the words in which each differs from the first one."""
    if not examples:
        return []
    texts = [plain(example.get("text"))[: 2 * EXAMPLE_CHARACTERS] for example in examples]
    words = [list(re.finditer(r"\S+", text)) for text in texts]
    first = [word[0] for word in words[0]]
    return [examples[0]] + [
        {**example, "marks": _changed(first, found)}
        for example, found in zip(examples[1:], words[1:], strict=True)
    ]


def _changed(first: Sequence[str], words: Sequence[re.Match[str]]) -> list[list[int]]:
    matcher = difflib.SequenceMatcher(None, first, [word[0] for word in words], autojunk=False)
    return [
        [words[start].start(), words[end - 1].end()]
        for operation, _, _, start, end in matcher.get_opcodes()
        if operation != "equal" and end > start
    ]
