"""The rule pages as HTML: just the Markdown they use (paragraphs, lists, emphasis, strong, code)."""

from __future__ import annotations

import itertools
import re

from markupsafe import Markup, escape

_ITEM = re.compile(r"(- |\d+\. )(.*)")


def html(markdown: str) -> Markup:
    """Turn one section of a rule page into HTML; everything is escaped first.

    Examples
    --------
    >>> print(html("See *this*:\\n\\n1. `a < b`\\n2. **two**\\n   lines"))
    <p>See <em>this</em>:</p><ol><li><code>a &lt; b</code></li><li><strong>two</strong> lines</li></ol>
    """
    found = []
    for kind, blocks in itertools.groupby(_blocks(markdown), key=lambda block: block[0]):
        tag = "p" if kind == "p" else "li"
        inner = "".join(f"<{tag}>{_inline(text)}</{tag}>" for _, text in blocks)
        found.append(inner if kind == "p" else f"<{kind}>{inner}</{kind}>")
    return Markup("".join(found))


def _blocks(markdown: str) -> list[tuple[str, str]]:
    """Paragraphs (``p``) and list items (``ul``, ``ol``), each with its lines joined."""
    blocks: list[tuple[str, str]] = []
    broken = True
    for line in markdown.splitlines():
        item = _ITEM.match(line)
        if item:
            blocks.append(("ul" if item[1] == "- " else "ol", item[2]))
        elif line.strip() and broken:
            blocks.append(("p", line.strip()))
        elif line.strip():
            kind, text = blocks.pop()
            blocks.append((kind, f"{text} {line.strip()}"))
        broken = not line.strip()
    return blocks


def _inline(text: str) -> str:
    safe = str(escape(text))
    safe = re.sub(r"`([^`]+)`", r"<code>\1</code>", safe)
    safe = re.sub(r"\*\*([^*]+)\*\*", r"<strong>\1</strong>", safe)
    return re.sub(r"(?<![\w*])\*([^*<>]+)\*(?![\w*])", r"<em>\1</em>", safe)
