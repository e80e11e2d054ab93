"""Which cells there are: data sets, attacks, rates, seeds."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Any

from benchmarks.detection.cells import ATTACKS, modality
from benchmarks.detection.data import KINDS

FIRST = ("sms_spam", "enron1_spam", "sst2", "nsl_kdd", "adult", "tuandromd")
UNSEEN = (
    "hate_offensive_davidson",
    "ag_news",
    "youtube_spam",
    "url_phishtank",
    "deceptive_opinion_spam",
    "creditcard_fraud_sample",
    "german_credit",
    "wine_quality",
    "wine_colour",
)

IMAGES = ("fashion_mnist", "cifar10_train10k", "gtsrb")

# attack: rates; of the rows of the bad source for bad-source
STANDARD: dict[str, tuple[float, ...]] = {
    "none": (0.0,),
    "none-sources": (0.0,),
    "flip": (0.03, 0.10),
    "token": (0.005, 0.01, 0.03),
    "sentence": (0.005, 0.01, 0.03),
    "values": (0.005, 0.01, 0.03),
    "near-duplicates": (0.02,),
    "fabricated": (0.02,),
    "bad-source": (0.05, 0.10, 0.20),
    "badnets": (0.005, 0.01, 0.03),
    "blended": (0.01, 0.02),
    "sig": (0.03,),
    "wanet": (0.05,),
    "all-to-all": (0.03,),
    "adaptive-blend": (0.02,),
    "adaptive-patch": (0.02,),
}
MORE: dict[str, tuple[float, ...]] = {
    "flip-boundary": (0.03,),
    "flip-pair": (0.03,),
    "flip-topic": (0.03,),
    "token-common": (0.01, 0.03),
    "token-pair": (0.01, 0.03),
    "token-clean-hard": (0.03,),
    "syntactic": (0.01, 0.03),
    "collision": (0.005, 0.01, 0.03),
    "value-rare": (0.01,),
    "values-rare": (0.005, 0.01),
    "values-three": (0.01, 0.03),
    "values-clean-hard": (0.03,),
    "bad-source-token": (0.10,),
    "bad-source-values": (0.10,),
    "bad-source-skewed": (0.10,),
    "bad-source-100": (0.20,),
    "none-sources-100": (0.0,),
    "none-skewed": (0.0,),
}
QUICK: dict[str, tuple[float, ...]] = {
    "none": (0.0,),
    "flip": (0.03,),
    "token": (0.01,),
    "values": (0.01,),
    "near-duplicates": (0.02,),
    "bad-source": (0.10,),
    "badnets": (0.01,),
}


def cells(
    datasets: Sequence[str],
    attacks: dict[str, tuple[float, ...]],
    seeds: Sequence[int],
    contestants: Sequence[str],
    options: dict[str, Any],
) -> Iterator[dict[str, Any]]:
    """Every cell, seed by seed, so that a run that is stopped early has the whole grid for some seeds."""
    for seed in seeds:
        for dataset in datasets:
            for attack, rates in attacks.items():
                if attack in ATTACKS and modality(dataset) not in ATTACKS[attack][0]:
                    continue
                for rate in rates:
                    for contestant in contestants:
                        yield {
                            "dataset": dataset,
                            "attack": attack,
                            "rate": rate,
                            "seed": seed,
                            "contestant": contestant,
                            "max_rows": KINDS[dataset].usual_rows,
                            **options,
                        }
