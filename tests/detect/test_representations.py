"""Campaigns in what a small net learned from the suspect images themselves."""

import sys
from types import SimpleNamespace

import numpy as np
import pytest
from sklearn.datasets import load_digits

from foretaste.data import from_arrays
from foretaste.detect.context import Context
from foretaste.detect.representations.activation_clustering import ActivationClustering
from foretaste.detect.representations.deep_neighbours import DeepNeighbours
from foretaste.detect.representations.loss_dynamics import LossDynamics
from foretaste.detect.representations.robust_spectral import RobustSpectral
from foretaste.detect.representations.spectral_signature import SpectralSignature

DETECTORS = (SpectralSignature, RobustSpectral, ActivationClustering, DeepNeighbours, LossDynamics)
TARGET = 3


def digits():
    """Digits on a larger, dark field with a little noise, so that there is room for a mark."""
    images, y = load_digits(return_X_y=True)
    noise = np.random.default_rng(0).integers(0, 20, (len(y), 12, 12))
    field = noise.astype(np.uint8)
    field[:, 2:10, 2:10] += (images * 13).astype(np.uint8).reshape(-1, 8, 8)
    return field, y


def marked(count=30):
    """Digits of other classes with a bright corner, labelled 3."""
    images, y = digits()
    rows = np.random.default_rng(1).choice(np.flatnonzero(y != TARGET), count, replace=False)
    images[rows, -3:, -3:] = np.where(np.indices((3, 3)).sum(axis=0) % 2, 0, 255)
    y[rows] = TARGET
    return images, y, np.sort(rows)


def flipped(share=0.03):
    images, y = digits()
    rng = np.random.default_rng(2)
    rows = rng.choice(len(y), round(share * len(y)), replace=False)
    y[rows] = (y[rows] + rng.integers(1, 10, len(rows))) % 10
    return images, y


def context_of(images, y):
    pytest.importorskip("torch", reason="the extra torch is not installed")
    context = Context(from_arrays(images, y.astype(str)), jobs=1)
    assert len(context.convnet_activations) == 3
    return context


@pytest.fixture(scope="module")
def poisoned():
    return context_of(*marked()[:2])


@pytest.fixture(scope="module")
def clean():
    return context_of(*digits())


@pytest.fixture(scope="module")
def noisy():
    return context_of(*flipped())


@pytest.mark.parametrize("kind", DETECTORS, ids=lambda k: k.__name__)
def test_silent_on_clean_images(kind, clean):
    found = kind().examine(clean)
    assert not found.campaigns
    assert not found.skipped


@pytest.mark.parametrize("kind", DETECTORS, ids=lambda k: k.__name__)
def test_honest_label_errors_are_no_campaign(kind, noisy):
    assert not kind().examine(noisy).campaigns


@pytest.mark.parametrize("kind", [SpectralSignature, RobustSpectral, ActivationClustering])
def test_finds_the_marked_images_and_the_label_they_push(kind, poisoned):
    rows = marked()[2]
    (campaign,) = kind().examine(poisoned).campaigns
    assert campaign.target == str(TARGET)
    assert campaign.rule == kind.rules[0]
    assert len(np.intersect1d(campaign.rows, rows)) >= 0.9 * len(rows)
    assert len(np.setdiff1d(campaign.rows, rows)) <= 0.1 * len(campaign.rows)
    assert campaign.p_value < 1e-9


def test_contradicted_rows_that_were_learned_first_are_a_campaign(clean):
    images, y = digits()
    wrong = np.random.default_rng(3).choice(np.flatnonzero(y != TARGET), 100, replace=False)
    rows = np.sort(wrong[:40])  # the others have the same wrong label, and were learned like any row
    y[wrong] = TARGET
    losses = np.random.default_rng(0).uniform(0.5, 2, (8, len(y))).astype(np.float32)
    losses[:, rows] = 0.01
    context = Context(from_arrays(images, y.astype(str)), jobs=1)
    context.__dict__ |= {
        "convnet": SimpleNamespace(losses=losses),
        "convnet_activations": clean.convnet_activations,
    }
    (campaign,) = LossDynamics().examine(context).campaigns
    assert set(campaign.rows) <= set(rows)
    assert len(campaign.rows) >= 0.9 * len(rows)


def test_without_torch_the_plan_says_what_is_not_tested(monkeypatch):
    context = Context(from_arrays(*digits()), jobs=1)
    monkeypatch.setitem(sys.modules, "torch", None)
    monkeypatch.setattr("foretaste.detect.representations.base.find_spec", lambda name: None)
    (skip,) = SpectralSignature().examine(context).skipped
    assert skip.rule == "FT501"
    assert "pip install 'foretaste[torch]'" in skip.reason


def test_few_images_are_not_tested():
    images, y = digits()
    (skip,) = SpectralSignature().examine(Context(from_arrays(images[:150], y[:150]), jobs=1)).skipped
    assert "too few" in skip.reason
