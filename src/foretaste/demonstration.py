"""The story ``foretaste demo`` tells, on handwritten digits that come with scikit-learn; no network.

1,797 images of 8 x 8 pixels (E. Alpaydin, C. Kaynak, *Optical Recognition of Handwritten Digits*, UCI 1998)
become a table with one column per pixel. An attacker slips in a backdoor and one of eight annotators
mislabels; a small neural network is trained on what came in, on what foretaste left, and on what an oracle
would leave.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import pyarrow as pa
from numpy.typing import NDArray

from foretaste.attacks import LabelFlip, Trigger, ValueTrigger
from foretaste.data.dataset import Dataset, Roles

TARGET = "8"
TRIGGER = {"pixel_0_6": 16, "pixel_7_6": 16}
"""Two white pixels. Each occurs by itself in ordinary digits: only together do they mean anything."""

BACKDOOR_RATE, MISLABEL_RATE = 0.03, 0.05
BAD_SOURCE = "annotator-5"
_PIXELS = tuple(f"pixel_{row}_{column}" for row in range(8) for column in range(8))
_ANNOTATORS, _TEST, _WHITE = 8, 450, 16.0


@dataclass(frozen=True)
class Story:
    """Poisoned training data with the truth about them, and test data.

    Attributes
    ----------
    train : Dataset
        1,347 rows, poisoned.
    backdoored, mislabelled : ndarray of bool, shape (1347,)
        The rows the attacker, and the bad source, touched.
    test : Dataset
        450 clean rows.
    trigger : Trigger
    """

    train: Dataset
    backdoored: NDArray[np.bool_]
    mislabelled: NDArray[np.bool_]
    test: Dataset
    trigger: Trigger


@dataclass(frozen=True)
class Measured:
    """How a model does: shares of test rows, 0 to 1.

    Attributes
    ----------
    accuracy : float
        Clean test digits it reads rightly.
    attack_success : float
        Test digits other than the target that it takes for the target once they carry the trigger.
    """

    accuracy: float
    attack_success: float


def poisoned_digits(seed: int = 0) -> Story:
    """Split the digits, make up who labelled them, and poison the training part."""
    from sklearn.datasets import load_digits

    images, digits = load_digits(return_X_y=True)
    rng = np.random.default_rng(seed)
    order = rng.permutation(len(images))
    names = np.array([f"annotator-{number}" for number in range(1, _ANNOTATORS + 1)])
    columns = {name: pa.array(images[order, at].astype(np.int64)) for at, name in enumerate(_PIXELS)}
    columns["annotator"] = pa.array(names[rng.integers(_ANNOTATORS, size=len(images))].tolist())
    columns["digit"] = pa.array(digits[order])
    roles = Roles(label="digit", source="annotator", features=_PIXELS)
    whole = Dataset(pa.table(columns), roles, name="digits.csv")
    test, train = whole.take(np.arange(_TEST)), whole.take(np.arange(_TEST, len(whole)))
    backdoor = ValueTrigger(rate=BACKDOOR_RATE, target=TARGET, values=TRIGGER, random_state=seed).poison(
        train
    )
    flips = LabelFlip(rate=MISLABEL_RATE, within_source=BAD_SOURCE, random_state=seed).poison(backdoor.data)
    assert backdoor.trigger is not None
    return Story(flips.data, backdoor.mask & ~flips.mask, flips.mask, test, backdoor.trigger)


def measure(train: pa.Table, story: Story, seed: int = 0) -> Measured:
    """Train a small neural network on ``train`` and see what it does with the test digits."""
    import warnings

    from sklearn.exceptions import ConvergenceWarning
    from sklearn.neural_network import MLPClassifier
    from threadpoolctl import threadpool_limits

    test = story.test
    model = MLPClassifier((64,), max_iter=100, random_state=seed)
    with warnings.catch_warnings(), threadpool_limits(1):  # matrices too small to share out
        warnings.simplefilter("ignore", ConvergenceWarning)
        model.fit(_pixels(train), _digits(train))
    truth = _digits(test.table)
    others = truth != int(TARGET)
    stamped = _pixels(story.trigger.apply(test).table)[others]
    return Measured(
        float(np.mean(model.predict(_pixels(test.table)) == truth)),
        float(np.mean(model.predict(stamped) == int(TARGET))),
    )


def _pixels(table: pa.Table) -> NDArray[np.float64]:
    """Brightness ``[n, 64]``, 0 to 1."""
    return np.stack([table.column(name).to_numpy() for name in _PIXELS], axis=1) / _WHITE


def _digits(table: pa.Table) -> NDArray[np.int64]:
    return np.asarray(table.column("digit").to_numpy(), dtype=np.int64)
