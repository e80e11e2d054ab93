"""Clean-label attacks on one row: close to the instance in feature space, within their bounds, resumable."""

from __future__ import annotations

import doctest
import inspect
import itertools
import json
from collections import Counter
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from sklearn.datasets import load_breast_cancer, load_digits
from sklearn.neighbors import KNeighborsClassifier

from foretaste.attacks import (
    Attack,
    BullseyePolytope,
    FeatureCollision,
    HiddenTrigger,
    LabelConsistent,
    Narcissus,
    Unlearnable,
    WitchesBrew,
    attack_names,
    checkpoint,
    find_attack,
)
from foretaste.attacks.clean_label.networks import Networks
from foretaste.errors import ConfigError
from foretaste.learners.augmentation import jittered
from foretaste.learners.convnet import fit_convnet, prepared

torch = pytest.importorskip("torch")


def digits(rows: int = 400) -> tuple[Any, Any]:
    X, y = load_digits(return_X_y=True)
    return np.minimum(X[:rows] * 16, 255).astype(np.uint8).reshape(-1, 8, 8), y[:rows]


def features(nets: Networks, images: Any) -> Any:
    return nets.features(nets.tensor(images.reshape(len(images), 8, 8, 1)))[0].numpy()


def test_a_neighbour_classifier_is_made_to_misjudge_one_row_of_a_table() -> None:
    X, y = load_breast_cancer(return_X_y=True)
    X = (X - X.mean(axis=0)) / X.std(axis=0)
    model = KNeighborsClassifier(5).fit(X[:500], y[:500])
    instance = next(row for row in X[500:] if model.predict_proba([row])[0, 0] == 1)
    attack = FeatureCollision(rate=0.01, target=1, instance=list(instance))
    X_bad, y_bad = attack.fit_resample(X[:500], y[:500])
    assert (y_bad == y[:500]).all()
    assert (X_bad[~attack.poison_mask_] == X[:500][~attack.poison_mask_]).all()
    assert set(y_bad[attack.poison_mask_]) == {1}
    dirty = KNeighborsClassifier(5).fit(X_bad, y_bad)
    assert dirty.predict([instance])[0] == 1
    assert (dirty.predict(X[500:]) == y[500:]).mean() > 0.9


def test_similarity_says_how_far_a_table_row_goes() -> None:
    X, y = np.array([[0.0], [1.0], [9.0], [10.0]] * 5), np.repeat([0, 0, 1, 1] * 5, 1)
    for similarity, at in ((0.0, 0.0), (1.0, None)):
        attack = FeatureCollision(rate=0.1, target=1, instance=0, similarity=similarity)
        X_bad, _ = attack.fit_resample(X, y)
        moved, before = X_bad[attack.poison_mask_], X[attack.poison_mask_]
        assert np.allclose(moved, before / 2 if at is None else at)


@pytest.mark.parametrize("method", ["bullseye", "convex"])
def test_a_polytope_closes_in_on_the_instance_within_its_bound(method: str) -> None:
    X, y = digits()
    attack = BullseyePolytope(
        rate=0.025, target=3, instance=0, method=method, epochs=3, epsilon=60.0, steps=60
    )
    X_bad, y_bad = attack.fit_resample(X, y)
    assert (y_bad == y).all()
    assert set(y_bad[attack.poison_mask_]) == {3}
    assert np.abs(X_bad.astype(int) - X).max() <= 60
    goal = features(attack.surrogate_, attack.instance_)
    apart = [
        np.linalg.norm(features(attack.surrogate_, images[attack.poison_mask_]).mean(axis=0) - goal)
        for images in (X, X_bad)
    ]
    assert apart[1] < 0.7 * apart[0]


def test_features_collide_and_the_last_layer_falls_for_it() -> None:
    X, y = digits()
    attack = FeatureCollision(rate=0.02, target=8, instance=1, epochs=3, similarity=0.01, steps=150)
    X_bad, _ = attack.fit_resample(X, y)
    goal = features(attack.surrogate_, attack.instance_)
    apart = [
        np.linalg.norm(features(attack.surrogate_, images[attack.poison_mask_]) - goal, axis=1).mean()
        for images in (X, X_bad)
    ]
    assert apart[1] < 0.5 * apart[0]
    assert y[1] != 8
    near = KNeighborsClassifier(3)
    near.fit(np.delete(features(attack.surrogate_, X_bad), 1, axis=0), np.delete(y, 1))
    assert near.predict(goal)[0] == 8


def test_gradients_come_to_point_the_same_way() -> None:
    X, y = digits()
    turned = {}
    for steps in (1, 40):
        attack = WitchesBrew(
            rate=0.025,
            target=3,
            instance=0,
            epochs=2,
            epsilon=40.0,
            steps=steps,
            networks=1,
            shift=0,
            mirror=False,
        )
        X_bad, _ = attack.fit_resample(X, y)
        assert np.abs(X_bad.astype(int) - X).max() <= 40
        net = attack.surrogate_.nets[0].network.requires_grad_(True)

        def slope(images: Any, nets: Networks = attack.surrogate_, net: Any = net) -> Any:
            logits = nets.logits(nets.tensor(images.reshape(-1, 8, 8, 1)))[0]
            loss = torch.nn.functional.cross_entropy(logits, torch.full((len(images),), 3))
            return torch.cat([g.ravel() for g in torch.autograd.grad(loss, list(net.parameters()))])

        one, two = slope(X_bad[attack.poison_mask_]), slope(attack.instance_)
        turned[steps] = float(torch.nn.functional.cosine_similarity(one, two, dim=0))
        assert attack.alignment_ == pytest.approx(turned[steps], abs=0.15)
    assert turned[40] > turned[1] + 0.1


def test_the_images_disturbed_are_those_whose_gradients_point_there_already() -> None:
    X, y = digits()
    along = {}
    for selection in ("aligned", "random"):
        attack = WitchesBrew(
            rate=0.025, target=3, instance=0, epochs=8, epsilon=1.0, steps=1, networks=2, selection=selection,
            mirror=False,
        )  # fmt: skip
        attack.fit_resample(X, y)
        assert set(y[attack.poison_mask_]) == {3}
        assert attack.poison_mask_.sum() == 10
        along[selection] = 0.0
        for net in attack.surrogate_.nets:
            net.network.requires_grad_(True)
            slopes = []
            for images in (X[attack.poison_mask_], X[:1]):
                logits = net.network(prepared(torch.from_numpy(images[:, None]).float()))
                loss = torch.nn.functional.cross_entropy(logits, torch.full((len(images),), 3))
                slopes.append(torch.autograd.grad(loss, net.network[-1].weight)[0])
            along[selection] += float((slopes[0] * slopes[1]).sum())
    print("RATIO", along)
    assert along["aligned"] > 3 * along["random"]


def test_hidden_triggers_are_near_patched_images_and_show_nothing() -> None:
    X, y = digits()
    attack = HiddenTrigger(rate=0.03, target=3, source_class=0, size=3, epochs=2, epsilon=50.0, steps=40)
    X_bad, y_bad = attack.fit_resample(X, y)
    assert (y_bad == y).all()
    assert set(y[attack.poison_mask_]) == {3}
    assert np.abs(X_bad.astype(int) - X).max() <= 50
    goals = features(attack.surrogate_, attack.trigger_.apply(X[y == 0])).mean(axis=0)
    apart = [
        np.linalg.norm(features(attack.surrogate_, images[attack.poison_mask_]).mean(axis=0) - goals)
        for images in (X, X_bad)
    ]
    assert apart[1] < 0.7 * apart[0]
    assert attack.recipe_["notes"]["source_class"] == "0"


def test_label_consistent_images_are_hard_and_carry_the_patch() -> None:
    X, y = digits()
    attack = LabelConsistent(rate=0.03, target=3, size=2, pattern="solid", epochs=2, epsilon=60.0)
    X_bad, y_bad = attack.fit_resample(X, y)
    assert (y_bad == y).all()
    assert set(y[attack.poison_mask_]) == {3}
    assert (X_bad[attack.poison_mask_][:, 5:7, 5:7] == 255).all()
    judge = fit_convnet(X, y, 10, epochs=3, random_state=9, device="cpu")
    chance = [
        np.exp(judge.predict_log_proba(images[attack.poison_mask_])[:, 3]).mean() for images in (X, X_bad)
    ]
    assert chance[0] > 0.8
    assert chance[1] < 0.4
    plain = LabelConsistent(rate=0.03, target=3, epsilon=0.0, size=2).fit_resample(X, y)[0]
    assert (plain != X).sum() <= 12 * 4


def test_narcissus_finds_noise_that_says_the_target_class() -> None:
    X, y = digits()
    attack = Narcissus(rate=0.03, target=3, epochs=3, epsilon=40.0, steps=40)
    X_bad, y_bad = attack.fit_resample(X, y)
    assert (y_bad == y).all()
    assert set(y[attack.poison_mask_]) == {3}
    assert np.abs(X_bad.astype(int) - X).max() <= 40
    judge = fit_convnet(X, y, 10, epochs=3, random_state=9, device="cpu")
    others = X[y != 3]
    louder = judge.predict_log_proba(attack.trigger_.apply(others)) - judge.predict_log_proba(others)
    assert louder[:, 3].mean() > 0.5
    assert louder[:, 3].mean() == max(louder.mean(axis=0))
    again = Narcissus.load_trigger(json.loads(json.dumps(attack.recipe_)))
    assert again == attack.trigger_


@pytest.mark.parametrize("noise", ["class", "sample"])
def test_a_net_learns_little_from_unlearnable_images(noise: str) -> None:
    X, y = digits(900)
    train, test = slice(0, 600), slice(600, 900)
    attack = Unlearnable(noise=noise, epsilon=48.0, rounds=3, steps=8, epochs=2)
    X_bad, y_bad = attack.fit_resample(X[train], y[train])
    assert (y_bad == y[train]).all()
    assert attack.poison_mask_.all()
    assert np.abs(X_bad.astype(int) - X[train]).max() <= 48
    right = [
        (fit_convnet(images, y[train], 10, epochs=4, device="cpu").predict_log_proba(X[test]).argmax(axis=1)
         == y[test]).mean()
        for images in (X[train], X_bad)
    ]  # fmt: skip
    assert right[0] > 0.85
    assert right[1] < right[0] - 0.15


def test_images_are_moved_by_whole_pixels_and_mirrored_as_often_as_not() -> None:
    image = np.arange(12).reshape(3, 4)
    wanted = {}
    for flip in (False, True):
        wide = np.pad(image[:, ::-1] if flip else image, 1, mode="edge")
        for row, column in itertools.product(range(3), range(3)):
            wanted[wide[row : row + 3, column : column + 4].tobytes()] = (row, column, flip)
    many = torch.from_numpy(image[None, None]).repeat(900, 1, 1, 1)
    moved = jittered(many, 1, True, np.random.default_rng(0)).numpy()
    found = Counter(wanted[one.tobytes()] for one in moved)
    assert len(found) == 18
    assert min(found.values()) > 20
    plain = jittered(many, 0, False, np.random.default_rng(0))
    assert (plain == many).all()


# resumed


@pytest.mark.parametrize(
    "make",
    [
        lambda path: WitchesBrew(rate=0.05, target=3, epochs=1, steps=6, restarts=2, checkpoint=path),
        lambda path: BullseyePolytope(rate=0.05, target=3, epochs=1, steps=8, checkpoint=path),
        lambda path: HiddenTrigger(rate=0.05, target=3, epochs=1, steps=8, checkpoint=path),
        lambda path: LabelConsistent(rate=0.05, target=3, epochs=1, steps=8, checkpoint=path),
        lambda path: Narcissus(rate=0.05, target=3, epochs=1, steps=8, checkpoint=path),
        lambda path: Unlearnable(epochs=1, steps=1, rounds=9, checkpoint=path),
        lambda path: FeatureCollision(rate=0.05, target=3, epochs=1, steps=8, checkpoint=path),
    ],
)
def test_an_interrupted_attack_goes_on_and_gives_the_same_bytes(
    make: Any, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    X, y = digits(200)
    whole, _ = make(None).fit_resample(X, y)
    path = str(tmp_path / "state.npz")
    monkeypatch.setattr(checkpoint, "SECONDS", 0.0)
    save, calls = checkpoint.Checkpoint.save, []

    def interrupted(self: Any, *arguments: Any, **named: Any) -> None:
        save(self, *arguments, **named)
        phase, state = arguments
        calls.append((phase, state.get("step"), state.get("round")))
        if len(calls) == 7:
            raise KeyboardInterrupt

    monkeypatch.setattr(checkpoint.Checkpoint, "save", interrupted)
    with pytest.raises(KeyboardInterrupt):
        make(path).fit_resample(X, y)
    resumed, _ = make(path).fit_resample(X, y)
    assert (resumed == whole).all()
    assert len(calls) == len(set(calls))  # nothing was done twice
    with pytest.raises(ConfigError, match="of another attack, parameters or data"):
        make(path).fit_resample(255 - X, y)


def test_a_file_that_is_no_checkpoint_is_refused(tmp_path: Path) -> None:
    X, y = digits(100)
    for content in (b"", b"PK\x03\x04 no archive", np.arange(3).tobytes()):
        (tmp_path / "state.npz").write_bytes(content)
        with pytest.raises(ConfigError, match="no checkpoint of an attack"):
            FeatureCollision(rate=0.05, checkpoint=str(tmp_path / "state.npz")).fit_resample(X, y)


# the instance


def test_an_instance_is_a_row_a_file_an_archive_or_pixels(tmp_path: Path) -> None:
    from PIL import Image

    X, y = digits(100)
    Image.fromarray(X[7]).save(tmp_path / "seven.png")
    np.savez(tmp_path / "test.npz", x=X)
    named = [7, "7", str(tmp_path / "seven.png"), f"{tmp_path / 'test.npz'}:7", X[7], X[7].tolist()]
    for instance in named:
        attack = FeatureCollision(rate=0.05, target=3, instance=instance, epochs=1, steps=1)
        attack.fit_resample(X, y)
        assert (attack.instance_[0, ..., 0] == X[7]).all()
    assert attack.recipe_["notes"]["instance_row"] is None
    attack = FeatureCollision(rate=0.05, target=3, epochs=1, steps=1)
    attack.fit_resample(X, y)
    assert y[attack.recipe_["notes"]["instance_row"]] != 3


@pytest.mark.parametrize(
    ("attack", "message"),
    [
        (FeatureCollision(rate=0.05, instance=1000), "instance is row 1000 and there is no such row"),
        (FeatureCollision(rate=0.05, instance="nowhere.png"), "'nowhere.png' cannot be read"),
        (FeatureCollision(rate=0.05, instance=np.zeros((3, 3), np.uint8)), r"the instance is uint8 \(3, 3\)"),
        (FeatureCollision(rate=0.05, watermark=1.0), "watermark is 1.0"),
        (BullseyePolytope(rate=0.05, method="hull"), "method is 'hull'; use one of bullseye, convex"),
        (BullseyePolytope(rate=0.05, epsilon=0.0), "epsilon is 0.0"),
        (WitchesBrew(rate=0.05, restarts=0), "restarts must be at least 1"),
        (WitchesBrew(rate=0.05, steps=0), "steps is 0; use at least 1"),
        (WitchesBrew(rate=0.05, selection="best"), "use one of aligned, random"),
    ],
)
def test_says_which_setting_is_wrong(attack: Attack, message: str) -> None:
    with pytest.raises(ConfigError, match=message):
        attack.fit_resample(*digits(100))


@pytest.mark.parametrize("name", [name for name in attack_names() if find_attack(name).extra == "torch"])
def test_the_example_in_the_docstring_is_true(name: str) -> None:
    kind = find_attack(name)
    text = (inspect.getdoc(kind) or "").replace("# doctest: +SKIP", "")
    names = vars(inspect.getmodule(kind)) | {"np": np}
    example = doctest.DocTestParser().get_doctest(text, names, name, None, 0)
    assert example.examples
    assert doctest.DocTestRunner(verbose=False).run(example).failed == 0
