"""Attacks: poison your own data before someone else does. One file each, all samplers."""

from foretaste.attacks.bad_source import BadSource
from foretaste.attacks.base import Attack
from foretaste.attacks.fabricated_rows import FabricatedRows
from foretaste.attacks.label_flip import LabelFlip
from foretaste.attacks.near_duplicates import NearDuplicates
from foretaste.attacks.poisoned import Change, Poisoned
from foretaste.attacks.registry import attack_names, catalogue, find_attack, replay
from foretaste.attacks.sentence_trigger import SentenceTrigger
from foretaste.attacks.trigger import Trigger
from foretaste.attacks.value_trigger import ValueTrigger
from foretaste.attacks.word_trigger import WordTrigger

__all__ = [
    "Attack",
    "BadSource",
    "Change",
    "FabricatedRows",
    "LabelFlip",
    "NearDuplicates",
    "Poisoned",
    "SentenceTrigger",
    "Trigger",
    "ValueTrigger",
    "WordTrigger",
    "attack_names",
    "catalogue",
    "find_attack",
    "replay",
]
