"""The state of a long optimisation on disk, so that an interrupted attack goes on where it was."""

from __future__ import annotations

import hashlib
import json
import time
import zipfile
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from foretaste.attacks.base import Attack
from foretaste.attacks.poisoned import to_json
from foretaste.data.atomic import appearing
from foretaste.data.dataset import Dataset
from foretaste.errors import ConfigError

SECONDS = 10.0
"""An unfinished phase is saved this often."""

State = dict[str, NDArray[Any]]


class Checkpoint:
    """A file with the state of every phase of one attack on one data set; without a path it keeps nothing.

    Parameters
    ----------
    path : str or None
        ``.npz``.
    identity : str
        What `identify` gives: a file of another attack, of other parameters or data is refused.
    """

    def __init__(self, path: str | None, identity: str) -> None:
        self._path = None if path is None else Path(path)
        self._identity = identity
        self._saved = time.monotonic()
        self._states: State = {}
        if self._path is not None and self._path.exists():
            self._states = self._read(self._path)

    def load(self, phase: str) -> State | None:
        """What was saved last about a phase."""
        start = f"{phase}/"
        found = {key[len(start) :]: value for key, value in self._states.items() if key.startswith(start)}
        return found or None

    def save(self, phase: str, state: Mapping[str, Any], *, done: bool = False) -> None:
        """Keep this state of a phase, unless something was kept a moment ago."""
        now = time.monotonic()
        if self._path is None or (now - self._saved < SECONDS and not done):
            return
        self._saved = now
        self._states = {k: v for k, v in self._states.items() if not k.startswith(f"{phase}/")}
        self._states |= {f"{phase}/{key}": np.asarray(value) for key, value in state.items()}
        with appearing(self._path) as new, new.open("wb") as stream:
            np.savez(stream, identity=np.array(self._identity), **self._states)  # type: ignore[arg-type]

    def _read(self, path: Path) -> State:
        try:
            with path.open("rb") as stream, np.load(stream, allow_pickle=False) as archive:
                states = {name: archive[name] for name in archive.files}
            identity = str(states.pop("identity"))
        except (
            OSError,
            ValueError,
            TypeError,
            AttributeError,
            KeyError,
            zipfile.BadZipFile,
            EOFError,
        ) as error:
            raise ConfigError(f"{path}: this is no checkpoint of an attack; name another file") from error
        if identity != self._identity:
            raise ConfigError(
                f"{path}: this checkpoint is of another attack, parameters or data; remove it or name another"
            )
        return states


def identify(
    attack: Attack, chance: int | np.random.Generator, dataset: Dataset, *features: NDArray[Any]
) -> str:
    """A hash of what decides the result: the attack, its version and parameters, the rows and labels.

    Parameters
    ----------
    attack : Attack
    chance : int or numpy.random.Generator
        The seed, or a generator from which nothing is drawn.
    dataset : Dataset
        Its images count, and its labels.
    features : ndarray
        What else is learned from.
    """
    seed = chance if isinstance(chance, int) else repr(chance.bit_generator.state)
    left_out = {"checkpoint", "device", "random_state"}
    plain = {key: to_json(value) for key, value in attack.get_params().items() if key not in left_out}
    labels = dataset.labels
    about = [attack.name, attack.version, plain, seed, len(dataset), labels.names]
    digest = hashlib.sha256(json.dumps(about, sort_keys=True).encode())
    if dataset.images is not None:
        digest.update(repr((dataset.images.shape, dataset.images.dtype)).encode())
        digest.update(np.ascontiguousarray(dataset.images).tobytes())
        digest.update(np.asarray(dataset.has_image).tobytes())
    for array in features:
        digest.update(repr((array.shape, array.dtype)).encode())
        digest.update(np.ascontiguousarray(array).tobytes())
    digest.update(labels.codes.tobytes())
    return digest.hexdigest()
