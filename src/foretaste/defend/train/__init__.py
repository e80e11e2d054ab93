"""Robust trainers: meta-estimators that train a plain classifier so that bad rows count for less."""

from foretaste.defend.train.partition_ensemble import PartitionEnsemble

__all__ = ["PartitionEnsemble"]
