"""What the representations of images and embeddings give away, rule by rule, on clean and poisoned data.

    python -m benchmarks.representations [--rows 4000] [--seeds 1 2] [--only cifar10 embedding]

One line per data set, attack and rule: campaigns, recall and realised false-discovery rate over rows, the
separation of the strongest campaign, seconds of processor time (the first rule of a case pays for the net).

No scan asks these rules of texts or tables. ``--only sms_spam sst2 nsl_kdd`` asks them all the same: of
latent semantic vectors or standardised features, and of the hidden layer of a net trained on the suspects.
"""

from __future__ import annotations

import argparse
import time
import warnings
from collections.abc import Iterator

import numpy as np
import pyarrow.parquet as pq
from benchmarks.detection.cells import make_cell
from benchmarks.detection.data import shared_data
from sklearn.decomposition import TruncatedSVD
from sklearn.feature_extraction.text import TfidfVectorizer
from sklearn.neural_network import MLPClassifier
from threadpoolctl import threadpool_limits

from foretaste.attacks import find_attack
from foretaste.data import Dataset, from_arrays
from foretaste.detect.context import Context
from foretaste.detect.registry import find_detector
from foretaste.detect.representations.shared_direction import bunch_along, campaigns_of
from foretaste.detect.representations.space import Space

IMAGES = {
    "cifar10": "cifar10_train10k/train.npz",
    "fashion_mnist": "fashion_mnist/test.npz",
    "gtsrb": "gtsrb/gtsrb.npz",
    "pneumoniamnist": "pneumoniamnist/train.npz",
}
TEXTS = {"ag_news": ("ag_news/ag_news.parquet", 384), "sms_spam": ("sms_spam/sms_spam.parquet", 256)}
IMAGE_ATTACKS = {
    "none": None,
    "label-flip 3 %": ("label-flip", {"rate": 0.03}),
    "badnets 1 %": ("badnets", {"rate": 0.01}),
    "badnets 0.5 %": ("badnets", {"rate": 0.005}),
    "blended 2 %": ("blended", {"rate": 0.02}),
    "badnets clean-label 2 %": ("badnets", {"rate": 0.02, "clean_label": True}),
    "sig 3 %": ("sig", {"rate": 0.03}),
}
SHIFTS = {
    "none": (0.0, 0.0),
    "shift 1 %": (0.01, 0.5),
    "weaker shift 1 %": (0.01, 0.3),
    "shift 0.5 %": (0.005, 0.5),
}
NET_RULES = (
    "spectral-signatures",
    "robust-spectral-signatures",
    "activation-clustering",
    "deep-neighbours",
    "loss-dynamics",
)

FLAT = {
    "sms_spam": (("none", 0.0), ("token", 0.01), ("sentence", 0.01)),
    "sst2": (("none", 0.0), ("token", 0.01), ("sentence", 0.01)),
    "nsl_kdd": (("none", 0.0), ("values", 0.01)),
}

Case = tuple[str, str, Dataset, np.ndarray]


def images(name: str, rows: int, seed: int) -> Iterator[Case]:
    """One set of images under every attack; the target is drawn anew for each seed."""
    arrays = np.load(shared_data() / IMAGES[name])
    rng = np.random.default_rng([seed, *name.encode()])
    take = np.sort(rng.permutation(len(arrays["x"]))[:rows])
    y = arrays["y"][take].astype(str).ravel()
    clean = from_arrays(arrays["x"][take], y)
    target = str(rng.choice(np.unique(y)))
    for title, planted in IMAGE_ATTACKS.items():
        if planted is None:
            yield name, title, clean, np.zeros(len(y), bool)
            continue
        kind, settings = planted
        aim = {} if kind == "label-flip" else {"target": target}
        done = find_attack(kind)(**settings, **aim, random_state=seed).poison(clean)
        yield name, title, done.data, done.mask


def embeddings(name: str, rows: int, seed: int) -> Iterator[Case]:
    """Latent semantic vectors of texts; rows of other classes moved by a share of the typical length."""
    file, dimensions = TEXTS[name]
    table = pq.read_table(shared_data() / file)
    rng = np.random.default_rng([seed, *name.encode()])
    take = np.sort(rng.permutation(table.num_rows)[:rows])
    words = TfidfVectorizer(sublinear_tf=True, min_df=2).fit_transform(
        table.column("text").take(take).to_pylist()
    )
    vectors = TruncatedSVD(dimensions, random_state=0).fit_transform(words)
    vectors /= np.maximum(np.linalg.norm(vectors, axis=1, keepdims=True), 1e-9)
    labels = np.array(table.column("label").take(take).to_pylist()).astype(str)
    target = str(rng.choice(np.unique(labels)))
    direction = rng.normal(size=dimensions)
    direction /= np.linalg.norm(direction)
    for title, (rate, strength) in SHIFTS.items():
        x, y, mask = vectors.copy(), labels.copy(), np.zeros(len(labels), bool)
        mask[rng.choice(np.flatnonzero(y != target), round(rate * len(y)), replace=False)] = True
        x[mask] += strength * direction
        y[mask] = target
        yield f"{name} embedding", title, from_arrays(x, y), mask


def measure(case: Case, rules: tuple[str, ...]) -> None:
    """Print what each rule finds in one case."""
    name, title, data, mask = case
    context = Context(data, jobs=1)
    for rule in rules:
        started = time.process_time()
        found = find_detector(rule)().examine(context)
        seconds = time.process_time() - started
        rows = np.unique(np.concatenate([c.rows for c in found.campaigns] or [np.zeros(0, np.int64)]))
        hit = int(mask[rows].sum())
        strongest = max((c.statistic.value for c in found.campaigns), default=0.0)
        print(
            f"{name:20} {title:24} {rule:28} campaigns {len(found.campaigns)}  rows {len(rows):4}  "
            f"recall {hit / max(mask.sum(), 1):.2f}  fdr {1 - hit / len(rows) if len(rows) else 0:.2f}  "
            f"separation {strongest:4.1f}  {seconds:5.1f} s",
            flush=True,
        )


def flat_spaces(context: Context) -> list[Space]:
    """Texts or tables as points: without learning, and as the hidden layer of a small net has them."""
    known = np.flatnonzero(context.y >= 0)
    if context.text is not None:
        plain, inputs = context.text.semantic, context.text.word_tfidf
    else:
        assert context.table is not None
        plain = inputs = context.table.standard
    net = MLPClassifier((64,), max_iter=15, early_stopping=False, random_state=0)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        net.fit(inputs[known], context.y[known])
    hidden = np.maximum(inputs[known] @ net.coefs_[0] + net.intercepts_[0], 0)
    plain = np.asarray(plain[known], np.float32)
    return [
        Space(name, known, context.y[known], context.n_classes, np.asarray(rows, np.float64), plain, plain)
        for name, rows in (("plain", plain), ("hidden layer", hidden))
    ]


def measure_flat(name: str, attack: str, rate: float, rows: int, seed: int) -> None:
    """Print what each rule finds in one representation of a text or a table."""
    train, truth = make_cell(name, attack, rate, seed, rows=rows)
    context, mask = Context(train, jobs=1), truth["mask"]
    for space in flat_spaces(context):
        for rule in NET_RULES[:-1]:  # what is learned when is known of nets trained with torch only
            detector = find_detector(rule)()
            lines = list(detector.lines(context, [space]))
            bunches = [bunch_along(place, *line) for place, line in lines]
            campaigns = campaigns_of(
                context, detector.rules[0], [b for b in bunches if b is not None], tests=len(lines),
                alpha=detector.alpha, how=detector.how,
            )  # fmt: skip
            found = np.unique(np.concatenate([c.rows for c in campaigns] or [np.zeros(0, np.int64)]))
            hit = int(mask[found].sum())
            print(
                f"{name:9} {attack:9} {rate:.3f} {space.name:13} {rule:28} campaigns {len(campaigns)}  "
                f"rows {len(found):4}  recall {hit / max(mask.sum(), 1):.2f}  "
                f"fdr {1 - hit / len(found) if len(found) else 0:.2f}",
                flush=True,
            )


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.split("\n")[0])
    parser.add_argument("--rows", type=int, default=4000)
    parser.add_argument("--seeds", type=int, nargs="+", default=[1])
    parser.add_argument("--only", nargs="+", default=[*IMAGES, "embedding"])
    chosen = parser.parse_args()
    with threadpool_limits(1):
        for seed in chosen.seeds:
            for name in IMAGES:
                if name in chosen.only:
                    for case in images(name, chosen.rows, seed):
                        measure(case, NET_RULES)
            for name in TEXTS if "embedding" in chosen.only else ():
                for case in embeddings(name, chosen.rows, seed):
                    measure(case, ("shifted-embeddings",))
            for name, attacks in FLAT.items():
                if name in chosen.only:
                    for attack, rate in attacks:
                        measure_flat(name, attack, rate, chosen.rows, seed)


if __name__ == "__main__":
    main()
