"""Detectors by name: ours, and those of other packages (entry-point group ``foretaste.detectors``)."""

from __future__ import annotations

from importlib import import_module
from importlib.metadata import entry_points

from foretaste.detect.base import Detector
from foretaste.errors import ConfigError

GROUP = "foretaste.detectors"
BUILT_IN = {
    "text-triggers": "triggers.text:TextTriggers",
    "value-triggers": "triggers.values:ValueTriggers",
    "clean-label-patterns": "triggers.clean_label:CleanLabelPatterns",
    "shared-artefacts": "artefacts.shared:SharedArtefacts",
    "near-duplicates": "duplicates.near_duplicates:NearDuplicates",
    "fabricated-rows": "rows.fabricated:FabricatedRows",
    "drift": "reference.drift:Drift",
    "shifted-embeddings": "representations.shifted_embeddings:ShiftedEmbeddings",
    "spectral-signatures": "representations.spectral_signature:SpectralSignature",
    "robust-spectral-signatures": "representations.robust_spectral:RobustSpectral",
    "activation-clustering": "representations.activation_clustering:ActivationClustering",
    "deep-neighbours": "representations.deep_neighbours:DeepNeighbours",
    "loss-dynamics": "representations.loss_dynamics:LossDynamics",
    "bad-sources": "sources.excess:BadSources",
    "bursts": "sources.bursts:Bursts",
    "label-audit": "rows.label_audit:LabelAudit",
    "concentrated-mislabels": "rows.concentrated:ConcentratedMislabels",
    "wrong-in-one-group": "rows.one_group:WrongInOneGroup",
}


def detector_names() -> list[str]:
    """Every detector there is: ours in the order of a scan, then others by name."""
    others = {point.name for point in entry_points(group=GROUP)} - set(BUILT_IN)
    return [*BUILT_IN, *sorted(others)]


def find_detector(name: str) -> type[Detector]:
    """The class of a detector; a built-in one is never replaced by another package.

    Raises
    ------
    ConfigError
        When there is none of that name, or another package's entry point is not a detector.

    Examples
    --------
    >>> find_detector("label-audit").rules
    ('FT101', 'FT102')
    """
    if name in BUILT_IN:
        module, attribute = BUILT_IN[name].split(":")
        found: type[Detector] = getattr(import_module(f"foretaste.detect.{module}"), attribute)
        return found
    for point in entry_points(group=GROUP, name=name):
        loaded = point.load()
        if not (isinstance(loaded, type) and issubclass(loaded, Detector)):
            raise ConfigError(f"the entry point {name!r} of {GROUP} is not a detector class")
        return loaded
    raise ConfigError(f"there is no detector {name!r}; there are {', '.join(detector_names())}")


def detectors(stage: str, **settings: float) -> list[Detector]:
    """Every detector of one stage of a scan, in order.

    Parameters
    ----------
    stage : str
        ``pattern``, ``place`` or ``label``.
    **settings
        Values for those of their parameters that have such a name (``alpha``, ``fdr``).
    """
    classes = [find_detector(name) for name in detector_names()]
    return [
        kind(**{name: value for name, value in settings.items() if name in kind().get_params()})
        for kind in classes
        if kind.stage == stage
    ]
