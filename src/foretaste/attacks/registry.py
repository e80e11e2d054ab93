"""Attacks by name: ours, and those other packages offer under the entry-point group ``foretaste.attacks``."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from importlib import import_module
from importlib.metadata import entry_points
from typing import Any

from foretaste.attacks.base import Attack
from foretaste.data.dataset import name_some
from foretaste.errors import ConfigError

GROUP = "foretaste.attacks"
BUILT_IN = {
    "adaptive-blend": "backdoors.images.adaptive_blend:AdaptiveBlend",
    "adaptive-patch": "backdoors.images.adaptive_patch:AdaptivePatch",
    "alfa": "labels.alfa:Alfa",
    "all-to-all": "backdoors.images.all_to_all:AllToAll",
    "bad-source": "injection.bad_source:BadSource",
    "badnets": "backdoors.images.badnets:BadNets",
    "blended": "backdoors.images.blended:Blended",
    "bpp": "backdoors.images.bpp:Bpp",
    "bullseye-polytope": "clean_label.bullseye_polytope:BullseyePolytope",
    "clip-mix": "backdoors.audio.clip_mix:ClipMix",
    "drip": "injection.drip:Drip",
    "fabricated-behaviour": "control.fabricated_behaviour:FabricatedBehaviour",
    "fabricated-rows": "injection.fabricated_rows:FabricatedRows",
    "family-confusion": "blind_spots.family_confusion:FamilyConfusion",
    "feature-collision": "clean_label.feature_collision:FeatureCollision",
    "front-running": "web.front_running:FrontRunning",
    "hidden-trigger": "clean_label.hidden_trigger:HiddenTrigger",
    "hide-attack": "blind_spots.hide_attack:HideAttack",
    "image-filter": "backdoors.images.image_filter:ImageFilter",
    "indicator-feed": "control.indicator_feed:IndicatorFeed",
    "label-consistent": "clean_label.label_consistent:LabelConsistent",
    "label-flip": "labels.label_flip:LabelFlip",
    "narcissus": "clean_label.narcissus:Narcissus",
    "near-duplicates": "injection.near_duplicates:NearDuplicates",
    "regression-poisoning": "availability.regression_poisoning:RegressionPoisoning",
    "sentence-trigger": "backdoors.sentence_trigger:SentenceTrigger",
    "shilling": "control.shilling:Shilling",
    "sig": "backdoors.images.sig:Sig",
    "source-specific": "backdoors.images.source_specific:SourceSpecific",
    "spectrogram-patch": "backdoors.audio.spectrogram_patch:SpectrogramPatch",
    "split-view": "web.split_view:SplitView",
    "style-trigger": "backdoors.style_trigger:StyleTrigger",
    "subpopulation": "targeted.subpopulation:Subpopulation",
    "svm-poisoning": "availability.svm_poisoning:SvmPoisoning",
    "sybil": "injection.sybil:Sybil",
    "syntactic-template": "backdoors.syntactic_template:SyntacticTemplate",
    "targeted-flip": "targeted.targeted_flip:TargetedFlip",
    "targeted-instance": "targeted.targeted_instance:TargetedInstance",
    "tone": "backdoors.audio.tone:Tone",
    "truth-serum": "privacy.truth_serum:TruthSerum",
    "unlearnable": "availability.unlearnable:Unlearnable",
    "value-trigger": "backdoors.value_trigger:ValueTrigger",
    "wanet": "backdoors.images.wanet:WaNet",
    "witches-brew": "clean_label.witches_brew:WitchesBrew",
    "word-trigger": "backdoors.word_trigger:WordTrigger",
}


@dataclass(frozen=True)
class Entry:
    """One line of the catalogue."""

    name: str
    summary: str
    goal: str
    access: str
    knowledge: str
    modalities: tuple[str, ...]
    paper: str


def attack_names() -> list[str]:
    """Every attack there is, in alphabetical order."""
    return sorted({*BUILT_IN, *(point.name for point in entry_points(group=GROUP))})


def find_attack(name: str) -> type[Attack]:
    """The class of an attack; a built-in one is never replaced by another package.

    Raises
    ------
    ConfigError
        When there is none of that name, or another package's entry point is not an attack.

    Examples
    --------
    >>> find_attack("label-flip").access
    'label'
    """
    if name in BUILT_IN:
        module, attribute = BUILT_IN[name].split(":")
        found: type[Attack] = getattr(import_module(f"foretaste.attacks.{module}"), attribute)
        return found
    for point in entry_points(group=GROUP, name=name):
        loaded = point.load()
        if not (isinstance(loaded, type) and issubclass(loaded, Attack)):
            raise ConfigError(f"the entry point {name!r} of {GROUP} is not an attack class")
        return loaded
    raise ConfigError(f"there is no attack {name!r}; there are {name_some(attack_names(), 50)}")


def catalogue() -> list[Entry]:
    """What ``foretaste attack --list`` shows."""
    classes = [find_attack(name) for name in attack_names()]
    return [
        Entry(
            kind.name,
            (kind.__doc__ or "").strip().split("\n")[0],
            kind.goal,
            kind.access,
            kind.knowledge,
            kind.modalities,
            kind.paper,
        )
        for kind in classes
    ]


def replay(recipe: Mapping[str, Any]) -> Attack:
    """The attack a recipe describes, ready to poison the same data in the same way.

    Raises
    ------
    ConfigError
        When the recipe is of another schema, attack or version.
    """
    if recipe.get("schema") != 1:
        raise ConfigError(f"the recipe has schema {recipe.get('schema')!r}; this version reads schema 1")
    return find_attack(str(recipe.get("attack"))).from_recipe(recipe)
