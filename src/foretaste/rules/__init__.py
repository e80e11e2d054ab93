"""The rule catalogue: what every code means, why it matters, when it is wrong, and what to do about it.

One Markdown page per code lies beside this file; ``foretaste explain``, the reports and ``docs/rules`` show
the same text. A code never changes its meaning.
"""

from __future__ import annotations

import difflib
import functools
import re
from dataclasses import dataclass
from importlib import resources
from typing import Literal, get_args

from foretaste.errors import ConfigError

RuleFamily = Literal["campaign", "mislabel", "review", "note"]
Severity = Literal["critical", "high", "medium", "low", "info"]
Scope = Literal["row", "group", "source", "column"]

SECTIONS = (
    "What it means",
    "Why it matters",
    "When it is wrong",
    "How to respond",
    "Where it comes from",
)
"""The headings of every page, in order."""

_PAGE = re.compile(r"\A---\n(?P<head>.*?)\n---\n(?P<body>.*)\Z", re.DOTALL)
_HEADING = re.compile(r"^## (.+)\n", re.MULTILINE)


@dataclass(frozen=True)
class Rule:
    """One rule of the catalogue.

    Attributes
    ----------
    code : str
        Stable code, ``FT201``.
    title : str
        Its name in a few words.
    family : {"campaign", "mislabel", "review", "note"}
        Which verdict family its findings belong to; a note concerns a column and flags nothing.
    severity : {"critical", "high", "medium", "low", "info"}
        How bad it is where it is right.
    scope : {"row", "group", "source", "column"}
        What one finding is about.
    modalities : tuple of str
        Kinds of data it is looked for in, sorted.
    page_markdown : str
        The whole page, its heading included.
    sound_title : str
        Its name where the data are sounds; empty where it is the same.
    """

    code: str
    title: str
    family: RuleFamily
    severity: Severity
    scope: Scope
    modalities: tuple[str, ...]
    page_markdown: str
    sound_title: str = ""

    def title_of(self, kind: str) -> str:
        """Its name for a campaign of this kind: what is a patch in images is a sound in sounds.

        Examples
        --------
        >>> rule("FT207").title_of("image"), rule("FT207").title_of("sound")
        ('Shared patch', 'Shared sound')
        """
        return self.sound_title if kind == "sound" and self.sound_title else self.title

    def section(self, heading: str) -> str:
        """Markdown of one section of the page (`SECTIONS`), without its heading.

        Raises
        ------
        KeyError
            Where the page has no such section.
        """
        parts = _HEADING.split(self.page_markdown)[1:]
        return dict(zip(parts[::2], parts[1::2], strict=True))[heading].strip()

    @property
    def meaning(self) -> str:
        """The first section, *What it means*, as one paragraph."""
        return " ".join(self.section(SECTIONS[0]).split())


def rule(code: str) -> Rule:
    """Look a rule up by its code, in any case.

    Raises
    ------
    ConfigError
        Where no rule has that code; names the nearest ones.

    Examples
    --------
    >>> rule("FT204").title
    'Value-combination trigger'
    >>> rule("FT240")
    Traceback (most recent call last):
    foretaste.errors.ConfigError: there is no rule 'FT240'; did you mean FT204, FT210 or FT201?
    """
    catalogue = _catalogue()
    found = catalogue.get(code.strip().upper())
    if found is not None:
        return found
    nearest = _nearest(code, catalogue)
    hint = f"did you mean {nearest}?" if nearest else f"the codes are {', '.join(catalogue)}"
    raise ConfigError(f"there is no rule {code[:40]!r}; {hint}")


def all_rules() -> tuple[Rule, ...]:
    """Every rule, by code."""
    return tuple(_catalogue().values())


@functools.cache
def _catalogue() -> dict[str, Rule]:
    pages = (page for page in resources.files(__name__).iterdir() if page.name.endswith(".md"))
    rules = (_parse(page.read_text("utf-8")) for page in sorted(pages, key=lambda page: page.name))
    return {found.code: found for found in rules}


def _parse(text: str) -> Rule:
    match = _PAGE.match(text)
    if match is None:
        raise ConfigError("a rule page has no head between two lines of ---")
    head = dict(line.split(": ", 1) for line in match["head"].splitlines())
    if head["family"] not in get_args(RuleFamily) or head["severity"] not in get_args(Severity):
        raise ConfigError(f"the page of rule {head['code']} has an unknown family or severity")
    return Rule(
        code=head["code"],
        title=head["title"],
        family=head["family"],  # type: ignore[arg-type]
        severity=head["severity"],  # type: ignore[arg-type]
        scope=head["scope"],  # type: ignore[arg-type]
        modalities=tuple(sorted(head["modalities"].split(", "))),
        page_markdown=_page(head, match["body"]),
        sound_title=head.get("sound_title", ""),
    )


def _page(head: dict[str, str], body: str) -> str:
    facts = " · ".join(f"{name} {head[name]}" for name in ("family", "severity", "scope", "modalities"))
    return f"# {head['code']}: {head['title']}\n\n{facts}\n\n{body.strip()}\n"


def _nearest(code: str, catalogue: dict[str, Rule]) -> str:
    """Up to three codes that look like ``code``, or whose title does, as a phrase."""
    wanted = code.strip()[:40]
    candidates = difflib.get_close_matches(wanted.upper(), catalogue, n=len(catalogue), cutoff=0.6)
    codes = sorted(candidates, key=lambda known: (-_alike(wanted.upper(), known), known))[:3]
    if not codes:
        titles = {found.title.lower(): found.code for found in catalogue.values()}
        codes = [titles[t] for t in difflib.get_close_matches(wanted.lower(), titles, n=3, cutoff=0.5)]
    return " or ".join((", ".join(codes[:-1]), codes[-1])) if len(codes) > 1 else "".join(codes)


def _alike(wanted: str, known: str) -> int:
    """Characters at the same place plus characters in common: a swapped digit beats a wrong family."""
    same_place = sum(a == b for a, b in zip(wanted, known, strict=False))
    return same_place + len(set(wanted) & set(known))


__all__ = ["SECTIONS", "Rule", "RuleFamily", "Scope", "Severity", "all_rules", "rule"]
