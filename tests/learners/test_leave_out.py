"""Models that can be asked what they would say without something, and folds that keep copies apart."""

from __future__ import annotations

import numpy as np
import pytest
from sklearn.tree import ExtraTreeClassifier

from foretaste.data.dataset import Dataset, Roles
from foretaste.detect.context import Context
from foretaste.detect.triggers.cells import OwnLabel
from foretaste.detect.triggers.phrases import LEAST_LEFT, RestOfTheWords, phrase_table
from foretaste.learners.linear import linear_folds, logistic_folds, naive_bayes_folds
from foretaste.learners.nearest import neighbour_vote
from foretaste.learners.subspace_forest import SubspaceForest, grow_forest
from foretaste.learners.trees import boosting_folds


@pytest.fixture(scope="module")
def numbers() -> tuple[np.ndarray, np.ndarray]:
    rng = np.random.default_rng(0)
    X = rng.normal(size=(500, 6)).astype(np.float32)
    return X, (X[:, 0] + 0.5 * X[:, 1] > 0).astype(np.int64)


@pytest.fixture(scope="module")
def forest(numbers: tuple[np.ndarray, np.ndarray]) -> SubspaceForest:
    X, y = numbers
    return grow_forest(X, y, 2, np.arange(500) // 2, n_trees=60, random_state=1)


def test_without_columns_only_blind_trees_answer(forest: SubspaceForest) -> None:
    blind = ~forest.sees[:, [0, 3]].any(axis=1)
    rows, ones = np.arange(500), np.ones(500, np.int64)
    votes, answers = forest.own_votes(rows, ones)
    count = answers[:, blind].sum(axis=1)
    answered = count > 0
    share = votes[:, blind].sum(axis=1)[answered] / count[answered]
    expected = np.stack([1 - share, share], axis=1)
    assert forest.predict((0, 3))[answered] == pytest.approx(expected, abs=1e-5)
    assert np.isnan(forest.predict((0, 3))[~answered]).all()
    assert forest.predict((0, 3), rows=np.array([4, 9])) == pytest.approx(
        forest.predict((0, 3))[[4, 9]], nan_ok=True
    )


def test_without_the_telling_column_nothing_is_known(
    forest: SubspaceForest, numbers: tuple[np.ndarray, np.ndarray]
) -> None:
    y = numbers[1]
    accuracy = [(np.nan_to_num(forest.predict(w), nan=0.5).argmax(axis=1) == y).mean() for w in ((), (0, 1))]
    assert accuracy[0] > 0.85
    assert 0.4 < accuracy[1] < 0.6


def test_copies_are_out_of_bag_together(forest: SubspaceForest) -> None:
    assert np.array_equal(forest.asked[:, ::2], forest.asked[:, 1::2])
    assert (forest.sees.sum(axis=1) == 3).all()


def test_a_tree_votes_as_if_grown_alone(numbers: tuple[np.ndarray, np.ndarray]) -> None:
    X, y = numbers
    forest = grow_forest(X, y, 2, np.arange(500), n_trees=3, random_state=2, jobs=1)
    again = grow_forest(X, y, 2, np.arange(500), n_trees=3, random_state=2, jobs=2)
    assert np.array_equal(forest.predict(), again.predict(), equal_nan=True)
    out = forest.asked[0]
    assert np.array_equal(out, ~forest.in_bag[0])
    columns = np.flatnonzero(forest.sees[0])
    seed = np.random.default_rng(2).integers(2**31, size=3)[0]
    tree = ExtraTreeClassifier(max_features=None, min_samples_leaf=2, random_state=int(seed))
    tree.fit(X[~out][:, columns], y[~out])
    expected = tree.predict_proba(X[out][:, columns])[:, 1]
    votes, answers = forest.own_votes(np.flatnonzero(out), np.ones(out.sum(), np.int64))
    assert votes[:, 0] == pytest.approx(expected, abs=1e-6)
    assert answers[:, 0].all()


def test_rows_without_a_label_are_predicted_and_not_learned(numbers: tuple[np.ndarray, np.ndarray]) -> None:
    X, y = numbers
    hidden = y.copy()
    hidden[:100] = -1
    forest = grow_forest(X, hidden, 2, np.arange(500), n_trees=40, random_state=1)
    assert (forest.predict()[:100].argmax(axis=1) == y[:100]).mean() > 0.75
    flipped = np.where(np.arange(500) < 100, 1 - y, y)
    flipped[:100] = -1
    again = grow_forest(X, flipped, 2, np.arange(500), n_trees=40, random_state=1)
    assert np.array_equal(forest.predict(), again.predict())


def test_trees_taught_other_labels_answer_by_them(
    forest: SubspaceForest, numbers: tuple[np.ndarray, np.ndarray]
) -> None:
    """As if grown on labels of which a tenth was wrong, and those rows were left out later."""
    X, y = numbers
    rng = np.random.default_rng(3)
    wrong = rng.permutation(500)[:50]
    noisy = y.copy()
    noisy[wrong] = 1 - y[wrong]
    grown = grow_forest(X, noisy, 2, np.arange(500) // 2, n_trees=60, random_state=1)
    noisy[wrong] = -1
    taught = grown.taught(noisy, 2)
    right = [(np.nan_to_num(f.predict(), nan=0.5).argmax(axis=1) == y).mean() for f in (grown, taught)]
    assert right[1] >= right[0]
    assert np.array_equal(forest.taught(y, 2).predict(), forest.predict())
    # a leaf that lost all its rows says nothing
    tree = 0
    leaf = taught.leaves[tree, np.flatnonzero(taught.in_bag[tree])[0]]
    inside = np.flatnonzero((taught.leaves[tree] == leaf) & taught.in_bag[tree])
    noisy[inside] = -1
    asked = np.flatnonzero((taught.leaves[tree] == leaf) & taught.asked[tree])
    assert not grown.taught(noisy, 2).own_votes(asked, y[asked])[1][:, tree].any()


def test_large_data_teach_with_a_sample_and_are_asked_as_often(
    numbers: tuple[np.ndarray, np.ndarray],
) -> None:
    X, y = numbers
    forest = grow_forest(X, y, 2, np.arange(500), n_trees=200, max_rows=50, random_state=1)
    assert forest.in_bag.mean() == pytest.approx(0.1, abs=0.01)
    assert forest.asked.mean() == pytest.approx(0.37, abs=0.01)
    assert not (forest.in_bag & forest.asked).any()
    assert (forest.predict().argmax(axis=1) == y).mean() > 0.8


def test_leaving_phrases_out_is_subtraction() -> None:
    """The fast way gives what masking the words in every row, and asking the same models again, gives.

    What is left of a text weighs as much as the whole did.
    """
    rng = np.random.default_rng(3)
    words = np.array([f"w{i}" for i in range(60)])
    texts, labels = [], []
    for i in range(240):
        half = words[:40] if i % 2 else words[20:]
        texts.append(" ".join(rng.choice(half, 8)))
        labels.append("b" if i % 2 else "a")
    import pyarrow as pa

    context = Context(Dataset(pa.table({"text": texts, "label": labels}), Roles(label="label", text="text")))
    assert context.text is not None
    table = phrase_table(context.text.phrases, context.text.phrase_names, 10)
    some = table.presence[:, :15]
    rest = RestOfTheWords(context, 0)
    members = rest.without(some, table.names[:15])
    own = rest._own(table.names[:15], every_run=True)
    closures = rest.closure(some).T.maximum(own).toarray() > 0
    tfidf, models = context.text.word_tfidf.toarray(), context.words
    for i in rng.choice(len(members.row), 40):
        row, fold = members.row[i], context.folds[members.row[i]]
        masked = np.where(closures[:, members.pattern[i]], 0, tfidf[row])
        left = np.sqrt(max((masked**2).sum(), LEAST_LEFT))
        expected = masked @ models.weights[fold, 0] / left + models.intercepts[fold, 0]
        assert members.log_odds[i] == pytest.approx(expected, abs=1e-4)
    assert ((members.content >= -1e-6) & (members.content <= 1 + 1e-6)).all()


def test_own_label_agrees_with_the_forest(small_context: Context) -> None:
    own = OwnLabel(small_context)
    share = small_context.forest.predict((1,))[own.known, small_context.y[own.known]]
    expected = np.log(np.clip(share, 0.005, 0.995)) - np.log1p(-np.clip(share, 0.005, 0.995))
    fast = next(own.without([(1,)]))
    answered = np.isfinite(share)
    assert fast[answered] == pytest.approx(expected[answered], abs=1e-3)
    some = np.array([3, 8, 20])
    assert own.of(some, (1,)) == pytest.approx(fast[some], abs=1e-3)
    assert own.of(some, tuple(range(4))) is None


@pytest.fixture(scope="module")
def small_context() -> Context:
    import pyarrow as pa

    rng = np.random.default_rng(4)
    X = rng.normal(size=(300, 4))
    table = pa.table({f"x{j}": X[:, j] for j in range(4)} | {"label": np.where(X[:, 0] > 0, "a", "b")})
    return Context(Dataset(table, Roles(label="label", features=("x0", "x1", "x2", "x3"))))


def test_no_model_learns_from_its_own_fold(numbers: tuple[np.ndarray, np.ndarray]) -> None:
    from scipy import sparse

    X, y = numbers[0][:160], numbers[1][:160]
    folds = np.arange(160) % 3
    positive = sparse.csr_matrix(np.abs(X))
    flipped = np.where(folds == 0, 1 - y, y)
    for fit in (
        lambda labels: linear_folds(sparse.csr_matrix(X), labels, 2, folds).log_probability,
        lambda labels: naive_bayes_folds(positive, labels, 2, folds),
        lambda labels: logistic_folds(X, labels, 2, folds),
        lambda labels: boosting_folds(X, labels, 2, folds),
    ):
        mine, other = fit(y), fit(flipped)
        assert mine.shape == (160, 2)
        assert np.array_equal(mine[folds == 0], other[folds == 0])
        assert not np.array_equal(mine[folds == 1], other[folds == 1])


def test_a_neighbour_of_the_same_group_has_no_vote() -> None:
    indices = np.array([[1, 2], [0, 2], [0, 1]], np.int32)
    cosines = np.full((3, 2), 0.9, np.float32)
    y, groups = np.array([0, 1, 1]), np.array([7, 7, 8])
    votes = np.exp(neighbour_vote(indices, cosines, y, 2, groups))
    assert votes.sum(axis=1) == pytest.approx(np.ones(3))
    assert votes[0, 1] > votes[0, 0]  # row 1 is of row 0's group: only row 2 speaks
