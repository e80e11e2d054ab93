"""Repairs: objects whose ``repair(model, X, y)`` gives a mended copy of a trained model."""

from foretaste.defend.repair.feature_pruning import FeaturePruning
from foretaste.defend.repair.fine_pruning import FinePruning

__all__ = ["FeaturePruning", "FinePruning"]
