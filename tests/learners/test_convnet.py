"""The small net: it learns, says what it saw in training, and is the same for the same seed."""

import sys

import numpy as np
import pytest
from sklearn.datasets import load_digits

from foretaste.errors import DataError, MissingExtraError
from foretaste.learners.convnet import fit_convnet


@pytest.fixture(scope="module")
def digits():
    images, y = load_digits(return_X_y=True)
    return (images * 15).astype(np.uint8).reshape(-1, 8, 8), y.astype(np.int64)


@pytest.fixture(scope="module")
def trained(digits):
    pytest.importorskip("torch", reason="the extra torch is not installed")
    images, y = digits
    held_out = np.where(np.arange(len(y)) % 3, y, -1)
    return fit_convnet(images, held_out, 10, epochs=8, device="cpu")


def test_predicts_digits_it_has_not_seen(trained, digits):
    images, y = digits
    unseen = np.arange(len(y)) % 3 == 0
    log_p = trained.predict_log_proba(images[unseen])
    assert np.allclose(np.exp(log_p).sum(axis=1), 1, atol=1e-5)
    assert (log_p.argmax(axis=1) == y[unseen]).mean() > 0.95


def test_loss_of_every_training_row_and_of_no_other_is_kept(trained, digits):
    losses = trained.losses
    unseen = np.arange(len(digits[1])) % 3 == 0
    assert np.isnan(losses[:, unseen]).all()
    assert np.isfinite(losses[:, ~unseen]).all()
    assert losses[-1][~unseen].mean() < losses[0][~unseen].mean() / 3


def test_wrong_labels_keep_the_highest_loss(digits):
    pytest.importorskip("torch", reason="the extra torch is not installed")
    images, y = digits
    wrong = np.arange(len(y)) % 20 == 7
    losses = fit_convnet(images, np.where(wrong, (y + 3) % 10, y), 10, epochs=8, device="cpu").losses
    worst = np.argsort(-losses[1:].mean(axis=0))[: wrong.sum()]
    assert wrong[worst].mean() > 0.8


def test_activations_are_the_channel_maxima(trained, digits):
    import torch

    images = digits[0][:50]
    found = trained.activations(images)
    pixels = torch.from_numpy(images[:, None].astype(np.float32) - 127.5) / 64
    with torch.no_grad():
        first = trained.network[0].eval()(pixels)
    assert [a.shape for a in found] == [(50, 24), (50, 48), (50, 72)]
    assert np.allclose(found[0], first.numpy().max(axis=(2, 3)), atol=1e-5)


def test_the_same_seed_gives_the_same_net(digits):
    torch = pytest.importorskip("torch", reason="the extra torch is not installed")
    images, y = digits[0][:300], digits[1][:300]
    torch.manual_seed(5)
    expected = torch.rand(3)
    torch.manual_seed(5)
    one, two, other = (
        fit_convnet(images, y, 10, epochs=1, random_state=seed, device="cpu").predict_log_proba(images)
        for seed in (1, 1, 2)
    )
    assert (one == two).all()
    assert not (one == other).all()
    assert (torch.rand(3) == expected).all(), "the user's own random numbers go on as they were"


@pytest.mark.parametrize("shape", [(20, 5, 3), (20, 1, 1, 3), (20, 90, 50, 3), (20, 7, 64, 4)])
def test_images_of_any_size_can_be_learned(shape):
    pytest.importorskip("torch", reason="the extra torch is not installed")
    images = np.random.default_rng(0).integers(0, 256, shape, dtype=np.uint8)
    net = fit_convnet(images, np.arange(20) % 2, 2, epochs=1, device="cpu")
    assert np.isfinite(net.predict_log_proba(images)).all()


def test_what_is_no_image_is_refused_in_one_sentence(trained):
    with pytest.raises(DataError, match="uint8"):
        fit_convnet(np.zeros((4, 3)), np.zeros(4, int), 2)
    with pytest.raises(DataError, match="labels cannot train"):
        fit_convnet(np.zeros((4, 3, 3), np.uint8), np.full(4, -1), 2)
    with pytest.raises(DataError, match="given to a net for"):
        trained.predict_log_proba(np.zeros((4, 3, 3), np.uint8))


def test_without_torch_it_says_what_to_install(monkeypatch):
    monkeypatch.setitem(sys.modules, "torch", None)
    with pytest.raises(MissingExtraError, match=r"foretaste\[torch\]"):
        fit_convnet(np.zeros((4, 3, 3), np.uint8), np.arange(4) % 2, 2)
