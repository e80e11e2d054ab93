"""What each attack achieves by its own measure, beside what its paper reports.

    python -m benchmarks.attacks.strength [labels availability text targeted control campaigns ...]

Every line is one attack on one data set; the columns are shares of rows after the attack. Means over seeds.
"""

from __future__ import annotations

import argparse
import warnings
from collections.abc import Callable, Iterator

from benchmarks.attacks import (
    campaigns,
    flips,
    linear,
    membership,
    recommender,
    rewriting,
    sound_triggers,
    victims_of_one,
    web_text,
)
from benchmarks.detection.tables import environment

Group = Callable[[list[float], list[int]], Iterator[str]]

GROUPS: dict[str, Group] = {
    "labels": flips.lines,
    "availability": linear.optimised_rows,
    "text": rewriting.lines,
    "sounds": sound_triggers.lines,
    "targeted": victims_of_one.targeted,
    "blind-spots": victims_of_one.blind_spots,
    "control": recommender.lines,
    "campaigns": campaigns.lines,
    "privacy": membership.lines,
    "web": web_text.lines,
}


def main() -> None:
    parser = argparse.ArgumentParser(prog="python -m benchmarks.attacks.strength")
    parser.add_argument("groups", nargs="*", choices=[*GROUPS, []], default=list(GROUPS), metavar="GROUP")
    parser.add_argument("--rates", nargs="+", type=float, default=[0.01, 0.03, 0.1], metavar="SHARE")
    parser.add_argument("--seeds", nargs="+", type=int, default=[0, 1], metavar="N")
    options = parser.parse_args()
    warnings.simplefilter("ignore")
    print(environment())
    for name in options.groups:
        print(f"\n### {name}")
        print(
            "| data, measure | attack | " + " | ".join(f"{100 * rate:g} %" for rate in options.rates) + " |"
        )
        print("|---" * (2 + len(options.rates)) + "|")
        for line in GROUPS[name](options.rates, options.seeds):
            print(line, flush=True)


if __name__ == "__main__":
    main()
