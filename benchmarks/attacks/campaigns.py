"""Injected campaigns by what they are for: a footprint that stays small, accounts, feeds of indicators."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterator
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.parquet as pq
from benchmarks.detection.data import shared_data
from benchmarks.detection.victims import Victim, accuracy, copies_success, names_of
from sklearn.ensemble import IsolationForest
from sklearn.feature_extraction.text import TfidfVectorizer
from sklearn.linear_model import LogisticRegression

from foretaste.attacks import Drip, FabricatedBehaviour, IndicatorFeed, NearDuplicates, Sybil
from foretaste.data.dataset import Dataset, Roles

ROWS = 4000
KNOWN = 2000  # well-known names that nobody reported
CAMPAIGNS: dict[str, Callable[[float, str, int], Any]] = {
    "near-duplicates from one author": lambda rate, target, seed: NearDuplicates(
        rate=rate, target=target, source="u9999", random_state=seed
    ),
    "near-duplicates, paraphrased": lambda rate, target, seed: NearDuplicates(
        rate=rate, target=target, source="u9999", variation="paraphrase", random_state=seed
    ),
    "near-duplicates, form": lambda rate, target, seed: NearDuplicates(
        rate=rate, target=target, source="u9999", variation="form", random_state=seed
    ),
    "sybil": lambda rate, target, seed: Sybil(rate=rate, target=target, random_state=seed),
    "drip burst": lambda rate, target, seed: Drip(
        rate=rate, target=target, schedule="burst", random_state=seed
    ),
    "drip steady": lambda rate, target, seed: Drip(rate=rate, target=target, random_state=seed),
    "drip growing": lambda rate, target, seed: Drip(
        rate=rate, target=target, schedule="growing", random_state=seed
    ),
}


def lines(rates: list[float], seeds: list[int]) -> Iterator[str]:
    for part in (footprints, behaviour, blocklists, names):
        yield from part(rates, seeds)


def footprints(rates: list[float], seeds: list[int]) -> Iterator[str]:
    """Fresh copies taken for the target, and what shows: most rows of one author, of one period."""
    table = pq.read_table(shared_data() / "youtube_spam/youtube_spam.parquet")
    roles = Roles(label="label", text="text", source="author", time="time", id="comment_id")
    for name, make in CAMPAIGNS.items():
        entries = []
        for rate in rates:
            wins, most, busiest = [], [], []
            for seed in seeds:
                train, _ = halves(Dataset(table, roles, "youtube_spam"), seed, 1400)
                after = make(rate, "0", seed).poison(train)
                clean, victim = Victim(seed).fit(train), Victim(seed).fit(after.data)
                wins.append([copies_success(model, train, after.recipe) for model in (victim, clean)])
                new = after.data.take(np.flatnonzero(after.mask))
                assert new.sources is not None
                most.append(np.bincount(new.sources.codes).max())
                busiest.append(busiest_period(train, new))
            success, chance = 100 * np.mean(wins, axis=0)
            entries.append(f"{success:.0f} ({chance:.0f}); {max(most)}; {max(busiest)}")
        measure = (
            "youtube_spam, copies taken for the target in % (clean victim); most of an author; of a period"
        )
        yield f"| {measure} | {name} | {' | '.join(entries)} |"


def busiest_period(train: Dataset, new: Dataset, periods: int = 50) -> int:
    """Most injected rows between two of the moments that cut the honest rows into periods of equal size."""
    assert train.times is not None
    assert new.times is not None
    edges = np.nanquantile(train.times, np.arange(1, periods) / periods)
    moments = new.times[np.isfinite(new.times)]
    return int(np.bincount(np.searchsorted(edges, moments), minlength=periods).max(initial=0))


def behaviour(rates: list[float], seeds: list[int]) -> Iterator[str]:
    """Frauds, and events at night, that are no longer found."""
    for title, data, score in (
        ("fraud_simulated, frauds found in % (points of accuracy)", payments(), found_frauds),
        ("cert_insider_sample, events at night called unusual in %", events(), found_nights),
    ):
        entries = []
        for rate in rates:
            before, after, change = [], [], []
            for seed in seeds:
                train, test = halves(data, seed, 20_000)
                poisoned = FabricatedBehaviour(rate=rate, target="0", malicious="1", random_state=seed)
                scores = [score(part, test) for part in (train, poisoned.poison(train).data)]
                before.append(scores[0][0]), after.append(scores[1][0])
                change.append(scores[1][1] - scores[0][1])
            entries.append(
                f"{100 * np.mean(before):.0f} to {100 * np.mean(after):.0f} ({100 * np.mean(change):+.1f})"
            )
        yield f"| {title} | fabricated-behaviour | {' | '.join(entries)} |"


def payments() -> Dataset:
    """Card payments: amount, hour, and the amount as a multiple of the customer's median.

    Frauds at compromised terminals (scenario 2) are left out: no such feature tells them.
    """
    table = pq.read_table(shared_data() / "fraud_simulated/transactions.parquet")
    table = table.filter(pc.not_equal(table["TX_FRAUD_SCENARIO"], 2))
    _, customer = np.unique(table["CUSTOMER_ID"].to_numpy(), return_inverse=True)
    amount = table["TX_AMOUNT"].to_numpy()
    order = np.lexsort((amount, customer))
    ends = np.cumsum(np.bincount(customer))
    middle = amount[order][(np.r_[0, ends[:-1]] + ends - 1) // 2]
    columns = {
        "amount": amount,
        "hour": pc.hour(table["TX_DATETIME"]),
        "times_median": amount / np.maximum(middle[customer], 1),
        "customer": table["CUSTOMER_ID"],
        "time": table["TX_DATETIME"],
        "fraud": table["TX_FRAUD"],
    }
    roles = Roles(label="fraud", source="customer", time="time", features=("amount", "hour", "times_median"))
    return Dataset(pa.table(columns), roles, "fraud_simulated")


def found_frauds(train: Dataset, test: Dataset) -> tuple[float, float]:
    victim = Victim(0).fit(train)
    frauds = names_of(test) == "1"
    return float((victim.predict(test.take(np.flatnonzero(frauds))) == "1").mean()), accuracy(victim, test)


def events() -> Dataset:
    """Events of five logs; the suspicious class is what happens between 20 and 7 o'clock."""
    parts = []
    for log in ("logon", "device", "http", "email", "file"):
        table = pq.read_table(shared_data() / f"cert_insider_sample/{log}.parquet")
        kind = pc.binary_join_element_wise(pa.scalar(log), table["activity"].cast(pa.string()), " ")
        parts.append(table.select(["date", "user"]).append_column("kind", kind))
    table = pa.concat_tables(parts, promote_options="permissive")
    hour = pc.hour(table["date"]).to_numpy()
    night = (hour < 7) | (hour >= 20)
    table = table.append_column("hour", pa.array(hour)).append_column(
        "weekday", pc.day_of_week(table["date"])
    )
    table = table.append_column("night", pa.array(night.astype(np.int64)))
    roles = Roles(label="night", source="user", time="date", features=("hour", "weekday", "kind"))
    return Dataset(table, roles, "cert_insider_sample")


def found_nights(train: Dataset, test: Dataset) -> tuple[float, float]:
    """Share of the events at night that an isolation forest of what is called usual finds unusual.

    Second: the share of the other events that it does not; its threshold is passed by 5 % of the usual ones.
    """
    _, kinds = np.unique(
        np.r_[train.column("kind").to_pylist(), test.column("kind").to_pylist()], return_inverse=True
    )

    def matrix(data: Dataset, kind: Any) -> Any:
        angle = data.column("hour").to_numpy() / 24 * 2 * np.pi
        return np.column_stack([np.sin(angle), np.cos(angle), data.column("weekday").to_numpy() > 4, kind])

    known, asked = matrix(train, kinds[: len(train)]), matrix(test, kinds[len(train) :])
    usual = known[names_of(train) == "0"]
    forest = IsolationForest(random_state=0).fit(usual)
    odd = forest.score_samples(asked) < np.quantile(forest.score_samples(usual), 0.05)
    night = names_of(test) == "1"
    return float(odd[night].mean()), float((~odd[~night]).mean())


def blocklists(rates: list[float], seeds: list[int]) -> Iterator[str]:
    """Who blocks what some feed lists: well-known names that are blocked, threats that no longer are.

    A share of the rows as large as the rate is dropped, and as large a one is aged; entries of the first
    moment have expired. In brackets: who blocks only what two feeds agree about.
    """
    table = pq.read_table(shared_data() / "ti_cps_feeds/feeds.parquet")
    table = table.filter(pc.invert(table["at_start"])).select(["feed", "indicator", "first_seen"])
    known = well_known("cloudflare-top1k")
    entries = []
    for rate in rates:
        blocked, agreed, lost = [], [], []
        for seed in seeds:
            rows = np.sort(np.random.default_rng(seed).permutation(table.num_rows)[:ROWS])
            feed = Dataset(
                table.take(pa.array(rows)), Roles(source="feed", time="first_seen"), "ti_cps_feeds"
            )
            attack = IndicatorFeed(
                rate=rate, column="indicator", known_good=known, aged=rate, dropped=rate, random_state=seed
            )
            before, after = (listed(data) for data in (feed, attack.poison(feed).data))
            blocked.append(sum(name in after for name in known))
            agreed.append(sum(after.get(name, 0) > 1 for name in known))
            lost.append(np.mean([name not in after for name in before]))
        entries.append(f"{np.mean(blocked):.0f} ({np.mean(agreed):.0f}); {100 * np.mean(lost):.1f}")
    measure = f"ti_cps_feeds, of {len(known)} well-known names blocked (by two feeds); threats lost in %"
    yield f"| {measure} | indicator-feed | {' | '.join(entries)} |"


def listed(feed: Dataset) -> dict[str, int]:
    """How many feeds list each indicator that has not expired."""
    assert feed.times is not None
    fresh = np.flatnonzero(feed.times > np.nanmin(feed.times))
    current = feed.take(fresh)
    pairs = set(zip(current.column("indicator").to_pylist(), current.column("feed").to_pylist(), strict=True))
    return Counter(name for name, _ in pairs)


def names(rates: list[float], seeds: list[int]) -> Iterator[str]:
    """A model of names learned from a feed: false alarms about reported names, and about others."""
    bad = pq.read_table(shared_data() / "ti_maltrail/maltrail.parquet", columns=["indicator", "type"])
    bad_names = bad.filter(pc.equal(bad["type"], "domain"))["indicator"].to_pylist()
    good = well_known("tranco10k")
    entries = []
    for rate in rates:
        wins = []
        for seed in seeds:
            rng = np.random.default_rng(seed)
            harmless = [good[i] for i in rng.permutation(len(good))]
            reported, others, learned = harmless[:KNOWN], harmless[KNOWN : 2 * KNOWN], harmless[2 * KNOWN :]
            threats = [bad_names[i] for i in rng.permutation(len(bad_names))[:ROWS]]
            table = pa.table(
                {"name": threats + learned[:ROWS], "bad": [1] * ROWS + [0] * len(learned[:ROWS])}
            )
            data = Dataset(table, Roles(label="bad", text="name"), "ti_maltrail and ti_misp_knowngood")
            attack = IndicatorFeed(
                rate=rate, target="1", column="name", known_good=reported, random_state=seed
            )
            after = attack.poison(data)
            told = {str(after.data.column("name")[int(row)]) for row in np.flatnonzero(after.mask)}
            wins.append(
                [share_bad(part, group) for group in (sorted(told), others) for part in (data, after.data)]
            )
        mine, mine_after, rest, rest_after = 100 * np.mean(wins, axis=0)
        entries.append(f"{mine:.0f} to {mine_after:.0f}; {rest:.1f} to {rest_after:.1f}")
    measure = "ti_maltrail and well-known names, reported names called threats in %; others"
    yield f"| {measure} | indicator-feed | {' | '.join(entries)} |"


def share_bad(data: Dataset, asked: list[str]) -> float:
    vectors = TfidfVectorizer(analyzer="char_wb", ngram_range=(2, 4), sublinear_tf=True, min_df=2)
    X = vectors.fit_transform(data.texts or [])
    model = LogisticRegression(C=30, solver="liblinear").fit(X, data.column("bad").to_numpy())
    return float(model.predict(vectors.transform(asked)).mean())


def well_known(name: str) -> list[str]:
    """The names of one list of ti_misp_knowngood."""
    table = pq.read_table(shared_data() / "ti_misp_knowngood/values.parquet")
    return sorted(set(table.filter(pc.equal(table["list"], name))["value"].to_pylist()))


def halves(data: Dataset, seed: int, rows: int) -> tuple[Dataset, Dataset]:
    """Training rows, at most so many, and as many of the others."""
    order = np.random.default_rng(seed).permutation(len(data))
    rows = min(rows, round(0.7 * len(data)))
    return data.take(np.sort(order[:rows])), data.take(np.sort(order[rows : 2 * rows]))
