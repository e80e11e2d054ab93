"""Attacks: poison your own data before someone else does. One file each, all samplers."""

from foretaste.attacks.availability.regression_poisoning import RegressionPoisoning
from foretaste.attacks.availability.svm_poisoning import SvmPoisoning
from foretaste.attacks.availability.unlearnable import Unlearnable
from foretaste.attacks.backdoors.audio.clip_mix import ClipMix
from foretaste.attacks.backdoors.audio.spectrogram_patch import SpectrogramPatch
from foretaste.attacks.backdoors.audio.tone import Tone
from foretaste.attacks.backdoors.images.adaptive_blend import AdaptiveBlend
from foretaste.attacks.backdoors.images.adaptive_patch import AdaptivePatch
from foretaste.attacks.backdoors.images.all_to_all import AllToAll
from foretaste.attacks.backdoors.images.badnets import BadNets
from foretaste.attacks.backdoors.images.blended import Blended
from foretaste.attacks.backdoors.images.bpp import Bpp
from foretaste.attacks.backdoors.images.image_filter import ImageFilter
from foretaste.attacks.backdoors.images.sig import Sig
from foretaste.attacks.backdoors.images.source_specific import SourceSpecific
from foretaste.attacks.backdoors.images.wanet import WaNet
from foretaste.attacks.backdoors.sentence_trigger import SentenceTrigger
from foretaste.attacks.backdoors.style_trigger import StyleTrigger
from foretaste.attacks.backdoors.syntactic_template import SyntacticTemplate
from foretaste.attacks.backdoors.value_trigger import ValueTrigger
from foretaste.attacks.backdoors.word_trigger import WordTrigger
from foretaste.attacks.base import Attack
from foretaste.attacks.blind_spots.family_confusion import FamilyConfusion
from foretaste.attacks.blind_spots.hide_attack import HideAttack
from foretaste.attacks.clean_label.bullseye_polytope import BullseyePolytope
from foretaste.attacks.clean_label.feature_collision import FeatureCollision
from foretaste.attacks.clean_label.hidden_trigger import HiddenTrigger
from foretaste.attacks.clean_label.label_consistent import LabelConsistent
from foretaste.attacks.clean_label.narcissus import Narcissus
from foretaste.attacks.clean_label.witches_brew import WitchesBrew
from foretaste.attacks.control.fabricated_behaviour import FabricatedBehaviour
from foretaste.attacks.control.indicator_feed import IndicatorFeed
from foretaste.attacks.control.shilling import Shilling
from foretaste.attacks.injection.bad_source import BadSource
from foretaste.attacks.injection.drip import Drip
from foretaste.attacks.injection.fabricated_rows import FabricatedRows
from foretaste.attacks.injection.near_duplicates import NearDuplicates
from foretaste.attacks.injection.sybil import Sybil
from foretaste.attacks.labels.alfa import Alfa
from foretaste.attacks.labels.label_flip import LabelFlip
from foretaste.attacks.poisoned import Change, Poisoned
from foretaste.attacks.privacy.truth_serum import TruthSerum
from foretaste.attacks.registry import attack_names, catalogue, find_attack, replay
from foretaste.attacks.targeted.subpopulation import Subpopulation
from foretaste.attacks.targeted.targeted_flip import TargetedFlip
from foretaste.attacks.targeted.targeted_instance import TargetedInstance
from foretaste.attacks.trigger import Trigger
from foretaste.attacks.web.front_running import FrontRunning
from foretaste.attacks.web.split_view import SplitView

__all__ = [
    "AdaptiveBlend",
    "AdaptivePatch",
    "Alfa",
    "AllToAll",
    "Attack",
    "BadNets",
    "BadSource",
    "Blended",
    "Bpp",
    "BullseyePolytope",
    "Change",
    "ClipMix",
    "Drip",
    "FabricatedBehaviour",
    "FabricatedRows",
    "FamilyConfusion",
    "FeatureCollision",
    "FrontRunning",
    "HiddenTrigger",
    "HideAttack",
    "ImageFilter",
    "IndicatorFeed",
    "LabelConsistent",
    "LabelFlip",
    "Narcissus",
    "NearDuplicates",
    "Poisoned",
    "RegressionPoisoning",
    "SentenceTrigger",
    "Shilling",
    "Sig",
    "SourceSpecific",
    "SpectrogramPatch",
    "SplitView",
    "StyleTrigger",
    "Subpopulation",
    "SvmPoisoning",
    "Sybil",
    "SyntacticTemplate",
    "TargetedFlip",
    "TargetedInstance",
    "Tone",
    "Trigger",
    "TruthSerum",
    "Unlearnable",
    "ValueTrigger",
    "WaNet",
    "WitchesBrew",
    "WordTrigger",
    "attack_names",
    "catalogue",
    "find_attack",
    "replay",
]
