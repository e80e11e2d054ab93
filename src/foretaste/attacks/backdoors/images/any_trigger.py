"""Backdoors that differ in the labels they give, whatever the trigger is."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, fields
from typing import Any

import numpy as np

from foretaste.attacks.backdoors.images.badnets import BadNets
from foretaste.attacks.backdoors.images.base import AllToOne, ImageBackdoor
from foretaste.attacks.backdoors.images.blended import Blended
from foretaste.attacks.backdoors.images.sig import Sig
from foretaste.attacks.backdoors.images.wanet import WaNet
from foretaste.attacks.parameters import check_types
from foretaste.attacks.trigger import Trigger
from foretaste.data.dataset import Dataset, name_some
from foretaste.errors import ConfigError

INNER: dict[str, type[AllToOne]] = {kind.name: kind for kind in (BadNets, Blended, Sig, WaNet)}


@dataclass(kw_only=True, eq=False, repr=False)
class AnyTrigger(ImageBackdoor):
    """A backdoor with the trigger of another one."""

    attack: str = "badnets"
    options: Mapping[str, Any] | None = None

    def _make_trigger(self, dataset: Dataset, rng: np.random.Generator) -> Trigger:
        return self._inner()._make_trigger(dataset, rng)

    def _inner(self) -> AllToOne:
        """The attack whose trigger is used, with the options that are about its trigger."""
        kind = INNER[self.attack]
        options = dict(self.options or {})
        known = {field.name for field in fields(kind)} - {field.name for field in fields(AllToOne)}
        wrong = sorted(options.keys() - (known - {"cover_rate"}))
        if wrong:
            raise ConfigError(f"{self.name}: {name_some(wrong)} is not an option of {self.attack}")
        inner = kind(**options)
        check_types(inner)
        return inner

    def _check(self, dataset: Dataset) -> None:
        super()._check(dataset)
        if self.attack not in INNER:
            raise ConfigError(f"{self.name}: attack is {self.attack!r}; use one of {', '.join(INNER)}")

    @classmethod
    def load_trigger(cls, recipe: Mapping[str, Any]) -> Trigger | None:
        parameters = recipe.get("parameters")
        kind = INNER.get(str(parameters.get("attack"))) if isinstance(parameters, Mapping) else None
        if kind is None:
            raise ConfigError(f"the recipe for {cls.name} does not say whose trigger it has")
        return kind.load_trigger(recipe)
