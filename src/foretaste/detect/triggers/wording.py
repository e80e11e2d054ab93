"""Saying a pattern of overlapping phrases as the fewest longest ones."""

from __future__ import annotations

from collections.abc import Sequence


def spell(phrases: Sequence[str], tokens: Sequence[str]) -> list[str]:
    """The runs of a row's tokens that the phrases cover, in the order of the row, without repeats.

    Parameters
    ----------
    phrases : sequence of str
        Phrases that occur in the same rows, tokens joined by a space.
    tokens : sequence of str
        One row that has them.

    Examples
    --------
    >>> spell(["watched this", "i watched", "cf"], "so i watched this today cf".split())
    ['i watched this', 'cf']
    """
    covered = [0] * len(tokens)  # 1 starts or goes on with a phrase; -1 marks a phrase's first token
    links = [False] * len(tokens)  # token i and i + 1 lie in one phrase
    for phrase in phrases:
        words = phrase.split(" ")
        for start in range(len(tokens) - len(words) + 1):
            if list(tokens[start : start + len(words)]) == words:
                for i in range(start, start + len(words)):
                    covered[i] = 1
                for i in range(start, start + len(words) - 1):
                    links[i] = True
    runs: list[str] = []
    run: list[str] = []
    for i, token in enumerate(tokens):
        if covered[i]:
            run.append(token)
        if run and (not covered[i] or not links[i]):
            runs.append(" ".join(run))
            run = []
    if run:
        runs.append(" ".join(run))
    return list(dict.fromkeys(runs)) or sorted(phrases, key=lambda phrase: (-len(phrase), phrase))[:1]
