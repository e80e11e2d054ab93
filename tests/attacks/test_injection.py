"""Injected rows: what they are like, and what they bring along."""

from __future__ import annotations

import numpy as np
import pyarrow as pa
import pytest
from poisonable import make_table, make_texts

from foretaste.attacks import FabricatedRows, NearDuplicates
from foretaste.attacks.injection.reworded import Synonyms, fill_form, form_places, noisy_text, paraphrase
from foretaste.data.dataset import Dataset, Roles
from foretaste.errors import ConfigError, DataError


def overlap(a: str, b: str) -> float:
    one, two = set(a.split()), set(b.split())
    return len(one & two) / len(one | two)


def test_copies_are_close_to_their_template_and_labelled_as_the_target() -> None:
    before = make_texts()
    after = NearDuplicates(rate=0.1, target="ham", source_class="spam", templates=3, noise=0.2).poison(before)
    rows = np.flatnonzero(after.mask)
    templates = after.recipe["notes"]["template_rows"]
    originals = [before.texts[row] for row in templates]  # type: ignore[index]
    assert {before.column("label")[row].as_py() for row in templates} == {"spam"}
    new = after.data.take(rows)
    assert set(new.column("label").to_pylist()) == {"ham"}
    best = [max(range(3), key=lambda k: overlap(text, originals[k])) for text in new.texts or []]
    assert np.bincount(best, minlength=3).tolist() == [15, 15, 14]
    closeness = [overlap(text, originals[k]) for text, k in zip(new.texts or [], best, strict=True)]
    assert 0.6 < np.mean(closeness) < 0.98
    assert len(set(new.texts or [])) > 0.9 * len(rows)


def test_without_noise_a_copy_is_exact() -> None:
    before = make_texts()
    after = NearDuplicates(rate=0.05, templates=1, noise=0.0).poison(before)
    template = (before.texts or [])[after.recipe["notes"]["template_rows"][0]]
    assert set(after.data.take(np.flatnonzero(after.mask)).texts or []) == {template}


def test_noise_drops_swaps_and_draws_digits_anew() -> None:
    rng = np.random.default_rng(0)
    text = "call 0800 123 456 now to claim the prize that is yours"
    copies = [noisy_text(text, 0.3, rng) for _ in range(300)]
    words = {"call", "now", "to", "claim", "the", "prize", "that", "is", "yours"}
    assert all({w for w in copy.split() if not w.isdigit()} <= words for copy in copies)
    kept = np.mean([len(copy.split()) for copy in copies]) / len(text.split())
    assert 0.81 < kept < 0.89  # drops half of the noise
    assert len({word for copy in copies for word in copy.split() if word.isdigit()}) > 100
    assert noisy_text("word", 0.99, rng) == "word"


SENTENCES = [
    f"{who} {verb} the {thing} {when}."
    for who in ("we", "they", "you")
    for verb in ("bought", "sold", "found")
    for thing in ("car", "house", "boat")
    for when in ("today", "yesterday")
]


def test_synonyms_stand_where_a_word_stands() -> None:
    synonyms = Synonyms(SENTENCES, ["Bought car"])
    assert set(synonyms.of("BOUGHT")) == {"sold", "found"}
    assert set(synonyms.of("car")) == {"house", "boat"}
    assert synonyms.of("sold") == []  # nobody asked
    assert synonyms.of("unheard") == []


def test_a_paraphrase_keeps_form_and_case_and_exchanges_words_of_a_kind() -> None:
    rng = np.random.default_rng(0)
    text = "We bought the CAR today. It is 12 years old!"
    synonyms = Synonyms(SENTENCES, [text])
    copies = {paraphrase(text, 0.5, synonyms, rng) for _ in range(200)}
    assert len(copies) > 100
    words = {word.strip(".!") for copy in copies for word in copy.split()}
    assert {"HOUSE", "BOAT", "sold", "They", "yesterday"} <= words
    assert not words & {"house", "Sold", "they"}
    assert any(copy.startswith("It is") for copy in copies)  # parts changed places
    assert paraphrase("no word of these", 0.9, synonyms, rng) == "no word of these"


def test_a_form_is_open_where_its_rarest_words_stand() -> None:
    texts = [*SENTENCES, *(f"we {verb} it" for verb in ("bought", "sold"))] * 2 + ["the the"]
    synonyms = Synonyms(texts, ["we bought the boat"])
    assert form_places("we bought the boat", 0.25, synonyms).tolist() == [3]


def test_a_form_is_open_at_the_same_places_in_every_copy() -> None:
    rng = np.random.default_rng(1)
    text = "they sold the boat yesterday"
    synonyms = Synonyms(SENTENCES, [text])
    places = form_places(text, 0.4, synonyms)
    assert len(places) == 2
    copies = [fill_form(text, places, synonyms, rng).split() for _ in range(50)]
    changed = np.array([[a != b for a, b in zip(copy, text.split(), strict=True)] for copy in copies])
    assert np.flatnonzero(changed.any(axis=0)).tolist() == places.tolist()


@pytest.mark.parametrize("variation", ["paraphrase", "form"])
def test_reworded_copies_are_near_their_template(variation: str) -> None:
    before = make_texts()
    attack = NearDuplicates(rate=0.1, target="ham", templates=1, noise=0.3, variation=variation)
    after, again = attack.poison(before), attack.poison(before)
    assert after.data.table.equals(again.data.table)
    template = (before.texts or [])[after.recipe["notes"]["template_rows"][0]]
    copies = after.data.take(np.flatnonzero(after.mask)).texts or []
    assert {len(copy.split()) for copy in copies} == {len(template.split())}
    assert 0.2 < np.mean([overlap(copy, template) for copy in copies]) < 0.95


def test_templates_have_no_exact_twin_where_that_can_be_had() -> None:
    rng = np.random.default_rng(0)
    common = np.repeat(np.arange(4).reshape(2, 2), 200, axis=0)
    X = np.vstack([common, rng.integers(10, 1000, size=(6, 2))])
    y = np.array([0, 1] * 203)
    for seed in range(5):
        attack = NearDuplicates(rate=0.05, target=0, templates=3, random_state=seed)
        attack.fit_resample(X, y)
        assert min(attack.recipe_["notes"]["template_rows"]) >= 400


def test_jitter_moves_few_cells_and_numbers_only_a_little() -> None:
    rng = np.random.default_rng(0)
    X = rng.permutation(np.arange(4000.0)).reshape(1000, 4)
    y = rng.integers(2, size=1000)
    attack = NearDuplicates(rate=0.2, target=1, templates=2, noise=0.25)
    new, _ = attack.fit_resample(X, y)
    templates = X[attack.recipe_["notes"]["template_rows"]]
    added = new[attack.poison_mask_]
    moved = np.abs(added[:, None, :] - templates[None]).min(axis=1) > 0
    assert 0.2 < moved.mean() < 0.3
    ranks = [np.searchsorted(np.sort(X[:, j]), added[:, j]) for j in range(4)]
    home = [np.searchsorted(np.sort(X[:, j]), templates[:, j]) for j in range(4)]
    steps = np.array([np.abs(ranks[j][:, None] - home[j]).min(axis=1).max() for j in range(4)])
    assert (steps <= 50).all()  # 5 % of 1000 distinct values
    assert all(np.isin(added[:, j], X[:, j]).all() for j in range(4))


def test_new_rows_have_ids_of_their_own_and_the_source_that_is_named() -> None:
    before = make_texts()
    after = NearDuplicates(rate=0.05, source="evil.example").poison(before)
    ids = after.data.column("id").to_pylist()
    assert len(set(ids)) == len(ids)
    sources = np.array(after.data.column("source").to_pylist())
    assert set(sources[after.mask]) == {"evil.example"}
    unnamed = NearDuplicates(rate=0.1).poison(before)
    spread = np.array(unnamed.data.column("source").to_pylist())[unnamed.mask]
    assert set(spread) == {f"site {i}" for i in range(4)}


def test_text_ids_are_new_too() -> None:
    before = make_texts()
    named = before.with_column("id", pa.array([f"m{i}" for i in range(len(before))]))
    after = NearDuplicates(rate=0.05).poison(named)
    ids = after.data.column("id").to_pylist()
    assert len(set(ids)) == len(ids)


def test_fabricated_columns_keep_their_values_and_lose_their_ties() -> None:
    rng = np.random.default_rng(0)
    x = rng.integers(20, size=2000)
    data = Dataset(
        pa.table({"a": x, "b": x, "y": (x > 9).astype(int)}), Roles(label="y", features=("a", "b"))
    )
    after = FabricatedRows(rate=0.3, target=1).poison(data)
    new = after.data.table.filter(pa.array(after.mask))
    a, b = (new.column(name).to_numpy() for name in "ab")
    assert abs(np.corrcoef(a, b)[0, 1]) < 0.1
    assert np.abs(np.bincount(a, minlength=20) / len(a) - np.bincount(x, minlength=20) / 2000).max() < 0.03
    assert set(new.column("y").to_pylist()) == {1}


def test_missing_cells_stay_as_common_as_they_are() -> None:
    before = make_table(3000)
    after = FabricatedRows(rate=0.3).poison(before)
    new = after.data.table.filter(pa.array(after.mask)).column("size")
    assert abs(new.null_count / len(new) - 0.05) < 0.02


@pytest.mark.parametrize(
    ("attack", "message"),
    [
        (NearDuplicates(templates=0), "copy at least one row"),
        (NearDuplicates(noise=1.0), "noise is 1.0"),
        (NearDuplicates(variation="rhyme"), "use one of noise, paraphrase, form"),
    ],
)
def test_says_which_setting_is_wrong(attack: NearDuplicates, message: str) -> None:
    with pytest.raises(ConfigError, match=message):
        attack.poison(make_texts())


def test_a_source_needs_a_column_and_a_value_of_its_type() -> None:
    with pytest.raises(DataError, match="no source column to name 'x' in"):
        FabricatedRows(source="x").poison(make_table())
    table = make_table()
    roles = Roles(label="class", source="count", features=("size",))
    with pytest.raises(DataError, match="column 'count': 'x' does not fit a column of int32"):
        FabricatedRows(source="x").poison(Dataset(table.table, roles))


def test_a_table_cannot_be_paraphrased() -> None:
    with pytest.raises(ConfigError, match="rewrites texts and there are none"):
        NearDuplicates(variation="form").poison(make_table(100))
