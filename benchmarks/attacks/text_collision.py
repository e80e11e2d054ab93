"""Text collisions: how often one text is misread after a few texts of another class borrowed words of it.

    python -m benchmarks.attacks.text_collision [--rates 0.005 0.01 0.03] [--targets 10]

sms_spam, 4,000 rows. The instances are spam of the test part that every clean victim finds; they are to be
taken for ham. Victims: logistic regression on words and word pairs, and the five nearest neighbours by the
cosine of tf-idf. Beside it the same texts with as many words drawn by chance: from the instance
(``borrowed``) or from the spam of the training part (``random``).
"""

from __future__ import annotations

import argparse
from collections.abc import Iterator
from typing import Any

import numpy as np
from benchmarks.detection.data import load_split
from benchmarks.detection.tables import environment
from benchmarks.detection.victims import Victim, names_of
from sklearn.feature_extraction.text import TfidfVectorizer
from sklearn.neighbors import KNeighborsClassifier

from foretaste.attacks import FeatureCollision
from foretaste.attacks.backdoors.inserted_text import insert
from foretaste.data.dataset import Dataset

ROWS = 4000


class Neighbours:
    """The five nearest texts vote."""

    def fit(self, train: Dataset) -> Neighbours:
        self.words_ = TfidfVectorizer(sublinear_tf=True, token_pattern=r"\w+|[£$!?]")
        X = self.words_.fit_transform(train.texts)
        self.model_ = KNeighborsClassifier(5, metric="cosine", algorithm="brute").fit(X, names_of(train))
        return self

    def predict(self, data: Dataset) -> Any:
        return self.model_.predict(self.words_.transform(data.texts))


VICTIMS = {"linear": Victim, "neighbours": Neighbours}


def same_number(
    before: Dataset, after: Dataset, rows: Any, pool: list[str], rng: np.random.Generator
) -> Dataset:
    """The texts with as many new words as the attack gave them, drawn from the words of ``pool``."""
    texts, changed = list(before.texts or []), after.texts or []
    for i in rows:
        added = max(1, len(set(changed[i].split()) - set(texts[i].split())))
        kept = texts[i].split()
        kept = kept[: max(1, len(changed[i].split()) - added)]
        piece = " ".join(rng.choice(pool, size=added))
        texts[i] = insert(" ".join(kept), piece, "random", rng)
    return before.with_column(str(before.roles.text), texts)


def lines(rates: list[float], targets: int) -> Iterator[str]:
    train, test = load_split("sms_spam", 0, rows=ROWS)
    clean = {name: kind().fit(train) for name, kind in VICTIMS.items()}
    right = np.all([model.predict(test) == names_of(test) for model in clean.values()], axis=0)
    chosen = np.random.default_rng(0).permutation(np.flatnonzero(right & (names_of(test) == "spam")))[
        :targets
    ]
    spam = [word for text, name in zip(train.texts or [], names_of(train), strict=True) if name == "spam"
            for word in text.split()]  # fmt: skip
    yield f"| victim | texts | {' | '.join(f'{100 * rate:g} %' for rate in rates)} |"
    yield "|---|---|" + "---|" * len(rates)
    misread: dict[tuple[str, str], list[list[int]]] = {}
    accuracy: dict[str, list[float]] = {}
    for column, rate in enumerate(rates):
        for number, place in enumerate(chosen):
            one = test.take([int(place)])
            goal = str((one.texts or [""])[0])
            attack = FeatureCollision(rate=rate, target="ham", instance=goal, random_state=number)
            after = attack.poison(train)
            rows, rng = np.flatnonzero(after.mask), np.random.default_rng(number)
            versions = {
                "collided": after.data,
                "borrowed": same_number(train, after.data, rows, goal.split(), rng),
                "random": same_number(train, after.data, rows, spam, rng),
            }
            for victim, kind in VICTIMS.items():
                for version, data in versions.items():
                    model = kind().fit(data)
                    cells = misread.setdefault((victim, version), [[] for _ in rates])
                    cells[column].append(int(model.predict(one)[0] == "ham"))
                    if version == "collided" and number == 0:
                        before = (clean[victim].predict(test) == names_of(test)).mean()
                        now = (model.predict(test) == names_of(test)).mean()
                        accuracy.setdefault(victim, []).append(100 * float(now - before))
    for (victim, version), cells in misread.items():
        yield f"| {victim} | {version} | " + " | ".join(f"{sum(c)} of {len(c)}" for c in cells) + " |"
    for victim, changes in accuracy.items():
        yield (
            f"| {victim} | points of accuracy, first target | "
            + " | ".join(f"{c:+.1f}" for c in changes)
            + " |"
        )


def main() -> None:
    parser = argparse.ArgumentParser(prog="python -m benchmarks.attacks.text_collision")
    parser.add_argument("--rates", nargs="+", type=float, default=[0.005, 0.01, 0.03], metavar="SHARE")
    parser.add_argument("--targets", type=int, default=10)
    options = parser.parse_args()
    print(environment())
    for line in lines(options.rates, options.targets):
        print(line, flush=True)


if __name__ == "__main__":
    main()
