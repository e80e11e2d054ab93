"""Test error of linear models after optimised rows, and error multiples of regression."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
from benchmarks.detection.data import load_split, shared_data
from benchmarks.detection.victims import names_of
from sklearn.linear_model import LinearRegression
from sklearn.svm import LinearSVC

from foretaste.attacks import Attack, LabelFlip, RegressionPoisoning, SvmPoisoning
from foretaste.attacks.design import Design
from foretaste.data.dataset import Dataset, Roles

PRICES = {
    "ames_housing": ("ames_housing/ames_housing.parquet", "SalePrice"),
    "california_housing": ("california_housing/california_housing.parquet", "median_house_value"),
    "wine_quality": ("wine_quality/wine_quality.parquet", "quality"),
}
ROWS = 2500


def optimised_rows(rates: list[float], seeds: list[int]) -> Iterator[str]:
    """Test error of a linear support vector machine, and multiples of a regression's squared error."""
    for name in ("wine_colour", "nsl_kdd"):
        splits = [load_split(name, seed, rows=ROWS // 2) for seed in seeds]
        clean = np.mean([1 - scaled_accuracy(*split) for split in splits])
        makers: dict[str, Callable[[float, int], Attack]] = {
            "label-flip": lambda rate, seed: LabelFlip(rate=rate, random_state=seed),
            "svm-poisoning": lambda rate, seed: SvmPoisoning(rate=rate, random_state=seed),
        }
        for attack, make in makers.items():
            errors = []
            for rate in rates:
                found = [
                    1 - scaled_accuracy(make(rate, seed).poison(train).data, test)
                    for seed, (train, test) in zip(seeds, splits, strict=True)
                ]
                errors.append(np.mean(found))
            yield row(
                f"{name}, error of a linear machine in % (clean {100 * clean:.1f})", attack, errors, 100
            )
    for name in PRICES:
        for method in ("statp", "optp"):
            multiples = []
            for rate in rates:
                found = []
                for seed in seeds:
                    train, test = prices(name, seed)
                    after = RegressionPoisoning(rate=rate, method=method, random_state=seed).poison(train)
                    found.append(squared_error(after.data, test) / squared_error(train, test))
                multiples.append(np.mean(found))
            yield row(f"{name}, multiple of the test MSE", f"regression-poisoning {method}", multiples, 1, 2)


def row(measure: str, attack: str, values: list[Any], scale: float = 1, digits: int = 1) -> str:
    return f"| {measure} | {attack} | " + " | ".join(f"{scale * value:.{digits}f}" for value in values) + " |"


def scaled_accuracy(train: Dataset, test: Dataset) -> float:
    """A linear support vector machine on columns scaled to unit variance, as `SvmPoisoning` expects it."""
    both = Dataset(pa.concat_tables([train.table, test.table]), train.roles)
    X, Z = np.split(Design.of(both, None, "benchmark").matrix, [len(train)])
    model = LinearSVC(C=1.0, dual=False, max_iter=3000).fit(X, names_of(train))
    return float((model.predict(Z) == names_of(test)).mean())


def prices(name: str, seed: int, rows: int = 1400) -> tuple[Dataset, Dataset]:
    """Training and test rows of a regression task: its numeric columns without gaps (1,400 rows each)."""
    file, label = PRICES[name]
    table = pq.read_table(shared_data() / file)
    kept = [
        field.name
        for field in table.schema
        if (pa.types.is_integer(field.type) or pa.types.is_floating(field.type))
        and table[field.name].null_count == 0
        and field.name not in ("Order", "PID")
    ]
    order = np.random.default_rng(seed).permutation(table.num_rows)
    roles = Roles(label=label, features=tuple(name for name in kept if name != label))
    whole = Dataset(table.select(kept), roles, name)
    return whole.take(order[:rows]), whole.take(order[rows : 2 * rows])


def squared_error(train: Dataset, test: Dataset) -> float:
    def parts(data: Dataset) -> tuple[Any, Any]:
        X = np.column_stack([data.column(name).to_numpy().astype(float) for name in data.roles.features])
        return X, data.column(str(data.roles.label)).to_numpy().astype(float)

    X, y = parts(test)
    return float(((LinearRegression().fit(*parts(train)).predict(X) - y) ** 2).mean())
