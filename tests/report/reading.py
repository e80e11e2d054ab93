"""Readers the tests share: HTML as a list of tags, and strategies for hostile text."""

from __future__ import annotations

from html.parser import HTMLParser

from hypothesis import HealthCheck, settings
from hypothesis import strategies as st
from made_up_hostile import PAYLOADS

patient = settings(deadline=None, suppress_health_check=[HealthCheck.too_slow])
"""A busy machine is no failure."""

hostile_text = st.one_of(
    st.sampled_from([payload for payload in PAYLOADS if len(payload) < 1000]),
    st.text(st.characters(), max_size=60),
    st.text(st.sampled_from("<>\"'&=+-@`|[](){}\\/\x00\x1b\u202e\u200b\ud800\ufffe\r\n\t ａ𝖑"), max_size=40),
)
"""Text an attacker would write: markup, formulas, escapes, and any code point at all, surrogates included."""


class Page(HTMLParser):
    """The tags of a page with their attributes, and its text outside script and style."""

    def __init__(self, page: bytes) -> None:
        super().__init__(convert_charrefs=True)
        self.tags: list[tuple[str, dict[str, str | None]]] = []
        self.raw: dict[str, list[str]] = {"script": [], "style": []}
        self._pieces: list[str] = []
        self._inside = ""
        self.feed(page.decode("utf-8", "strict"))
        self.close()

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.tags.append((tag, dict(attrs)))
        self._inside = tag if tag in self.raw else ""

    def handle_endtag(self, tag: str) -> None:
        self._inside = ""

    def handle_data(self, data: str) -> None:
        (self.raw[self._inside] if self._inside else self._pieces).append(data)

    @property
    def text(self) -> str:
        """All text with whitespace collapsed."""
        return " ".join("".join(self._pieces).split())

    def with_tag(self, tag: str) -> list[dict[str, str | None]]:
        """The attributes of every element of that name."""
        return [attributes for name, attributes in self.tags if name == tag]
