"""What part every column plays."""

from __future__ import annotations

import numpy as np
import pyarrow as pa
import pytest

from foretaste.data import Dataset
from foretaste.data.free_text import is_free_text, text_shape
from foretaste.errors import ConfigError, DataError

N = 200
RNG = np.random.default_rng(3)
LABELS = RNG.choice(["ham", "spam"], N)
WORDS = np.array(
    [
        "the",
        "quick",
        "brown",
        "fox",
        "jumps",
        "over",
        "a",
        "lazy",
        "dog",
        "while",
        "seven",
        "green",
        "birds",
        "sing",
        "loudly",
        "today",
    ]
)


def sentences(n: int = N, words: int = 8) -> list[str]:
    return [" ".join(RNG.choice(WORDS, words)) for _ in range(n)]


def judge(**columns) -> dict[str, tuple[str, str | None]]:
    data = Dataset.from_table(pa.table({"label": LABELS, **columns}), label="label")
    return {note.column: (note.role, note.rule) for note in data.columns if note.column != "label"}


def one(values) -> tuple[str, str | None]:
    return judge(column=values)["column"]


# -- text ---------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    "values",
    [
        sentences(),
        sentences(N // 4) * 4,  # a campaign repeats itself
        [f"http://example.org/{i}/login?user={i * i}" for i in range(N)],
        [f"host{i}.example{i % 7}.com" for i in range(N)],
        ["这是一个关于第" + "甲乙丙丁戊己庚辛壬癸"[i % 10] * (i // 10 + 1) + "的句子" for i in range(N)],
        [f"ราคาพิเศษสำหรับคุณ{chr(0x0E01 + i % 40)}{chr(0x0E01 + i // 40)}" for i in range(N)],
        [None if i % 5 == 0 else s for i, s in enumerate(sentences())],
    ],
    ids=["sentences", "repeated", "urls", "hosts", "chinese", "thai", "with missing"],
)
def test_free_text_is_recognised(values):
    assert one(values) == ("text", None)


@pytest.mark.parametrize(
    "values",
    [
        RNG.choice(["married", "never married and no plans to do so", "divorced from a second spouse"], N),
        RNG.choice(["New York", "San Francisco", "Los Angeles"], N),
        RNG.choice(["a.com", "b.org"], N),
    ],
    ids=["long categories", "cities", "few hosts"],
)
def test_categories_are_no_text(values):
    assert one(values) == ("feature", None)


def test_the_longest_of_several_texts_is_read_and_the_others_are_named():
    found = judge(title=sentences(words=4), body=sentences(words=20))
    assert found == {"title": ("unused", "FT904"), "body": ("text", None)}
    data = Dataset.from_table(
        pa.table({"title": sentences(words=4), "body": sentences(words=20)}), text="title"
    )
    assert data.roles.text == "title"
    assert {c.column: c.role for c in data.columns}["body"] == "unused"


def test_a_named_text_column_is_text_whatever_it_looks_like_but_not_a_number():
    data = Dataset.from_table(pa.table({"c": ["a", "b"]}), text="c")
    assert data.texts == ["a", "b"]
    with pytest.raises(DataError, match=r"it holds int64, not text"):
        Dataset.from_table(pa.table({"c": [1, 2]}), text="c")


# -- identifiers --------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("name", "values"),
    [
        ("n", np.arange(N)),
        ("n", np.arange(N)[::-1]),
        ("n", RNG.permutation(N)),
        ("n", np.sort(RNG.choice(10**6, N, replace=False))),
        ("loan", RNG.choice(9 * 10**9, N, replace=False) + 10**9),
        ("order_id", RNG.choice(10**6, N, replace=False)),
        ("n", np.arange(N).astype(float)),
        ("token", [f"{i:032x}" for i in RNG.choice(10**9, N, replace=False)]),
        ("name", [f"user{i}" for i in range(N)]),
    ],
    ids=["running", "backwards", "shuffled", "sorted", "long", "by name", "as float", "hash", "user names"],
)
def test_row_identifiers_are_not_used(name, values):
    assert judge(**{name: values})[name] == ("unused", "FT903")


@pytest.mark.parametrize(
    "values",
    [
        RNG.normal(size=N),
        RNG.lognormal(8, 1, N).round(2),
        RNG.choice(np.arange(1, 20_000), N, replace=False),  # an amount that happens to differ in every row
        (RNG.lognormal(11, 0.6, N)).astype(int),
        RNG.integers(0, 50, N),
    ],
    ids=["measure", "money", "all different integers", "weights", "counts"],
)
def test_measures_that_differ_in_nearly_every_row_are_features(values):
    assert one(values) == ("feature", None)


# -- leaks, constants, others -------------------------------------------------------------------------------


def test_a_column_that_equals_the_label_in_other_words_is_not_used():
    assert one(np.where(LABELS == "ham", 0, 1)) == ("unused", "FT901")
    assert one(np.where(LABELS == "ham", "yes", "no")) == ("unused", "FT901")
    changed = np.where(LABELS == "ham", 0, 1)
    changed[5] = 1 - changed[5]
    assert one(changed) == ("feature", None)


def test_a_column_each_of_whose_values_has_one_label_is_not_used():
    kinds = np.where(LABELS == "ham", RNG.integers(0, 2, N), RNG.integers(2, 4, N))
    assert one(kinds) == ("unused", "FT901")
    assert one([None if kind == 3 else f"kind {kind}" for kind in kinds]) == ("unused", "FT901")
    kinds[7] = 3 - kinds[7]
    assert one(kinds) == ("feature", None)


def test_rare_values_have_one_label_by_chance():
    assert one([f"kind {i // 4}" for i in range(N)])[1] != "FT901"


def test_two_rows_say_nothing_about_leaks_or_identifiers():
    data = Dataset.from_table(pa.table({"a": [1, 2], "b": ["x", "y"], "y": ["u", "v"]}), label="y")
    assert [c.role for c in data.columns] == ["feature", "feature", "label"]


@pytest.mark.parametrize("values", [[7] * N, ["x"] * N, [1.5] * N, [True] * N, [""] * N])
def test_constants_are_not_used(values):
    assert one(values) == ("unused", "FT902")


def test_one_value_that_is_sometimes_missing_is_no_constant():
    assert one(["x" if i % 3 else None for i in range(N)]) == ("feature", None)


def test_other_remarks():
    found = judge(
        gone=pa.nulls(N),
        nan=np.full(N, np.nan),
        mixed=[str(i % 9) if i % 2 else "abc"[i % 3] for i in range(N)],
        infinite=np.where(np.arange(N) == 3, np.inf, RNG.normal(size=N)),
        blob=[bytes([i % 256]) for i in range(N)],
        when=np.datetime64("2026-01-01", "s") + RNG.integers(0, 10**6, N),
    )
    assert found == {
        "gone": ("unused", "FT904"),
        "nan": ("unused", "FT904"),
        "mixed": ("feature", "FT904"),
        "infinite": ("feature", "FT904"),
        "blob": ("unused", "FT904"),
        "when": ("feature", "FT904"),
    }


def test_every_column_has_one_note_in_table_order(small_table):
    data = Dataset.from_table(small_table, label="label", source="source", time="when", id="id")
    assert [(c.column, c.role) for c in data.columns] == [
        ("id", "id"),
        ("amount", "feature"),
        ("colour", "feature"),
        ("text", "text"),
        ("source", "source"),
        ("when", "time"),
        ("label", "label"),
    ]
    assert data.roles.features == ("amount", "colour")


# -- names and labels ---------------------------------------------------------------------------------------


def test_a_wrong_column_name_gives_the_closest_one():
    with pytest.raises(DataError, match=r"there is no column 'Labl' to use as label; did you mean 'label'?"):
        Dataset.from_table(pa.table({"label": ["a"], "x": [1]}), label="Labl")
    with pytest.raises(DataError, match=r"to use as source; its columns are 'a', 'b'"):
        Dataset.from_table(pa.table({"a": ["a"], "b": [1]}), source="zzzzz")


def test_one_column_cannot_play_two_parts():
    with pytest.raises(ConfigError, match=r"column 'a' cannot be both the label and the source"):
        Dataset.from_table(pa.table({"a": ["x", "y"]}), label="a", source="a")


@pytest.mark.parametrize(
    "values",
    [
        RNG.normal(size=N),
        RNG.lognormal(10, 1, N).astype(int),
        pa.array(RNG.normal(size=N)).cast(pa.decimal128(20, 8), safe=False),
    ],
    ids=["float", "integer prices", "decimal"],
)
def test_a_label_on_a_scale_is_refused_as_regression(values):
    with pytest.raises(DataError, match=r"different numbers are a quantity, not classes; regression labels"):
        Dataset.from_table(pa.table({"y": values, "x": np.arange(N)}), label="y", name="a.csv")


@pytest.mark.parametrize(
    "values",
    [
        np.arange(20_000) % 10_000,
        [f"class {i % 10_000}" for i in range(20_000)],
        (np.arange(20_000) % 43).astype(float),
        [1.5, 2.5] * 10_000,
    ],
    ids=["ten thousand numbers", "ten thousand names", "numbers as floats", "two halves"],
)
def test_many_classes_are_classes(values):
    data = Dataset.from_table(pa.table({"y": values}), label="y")
    assert len(data.labels) == len(set(np.asarray(values).tolist()))


def test_missing_labels_stay_as_rows_without_a_class():
    data = Dataset.from_table(pa.table({"y": ["b", None, "a"], "x": [1, 2, 3]}), label="y")
    assert data.labels.codes.tolist() == [1, -1, 0]
    assert data.notes == ("1 of 3 rows have no label",)
    nan = Dataset.from_table(pa.table({"y": [1.0, np.nan, 0.0]}), label="y")
    assert nan.labels.codes.tolist() == [1, -1, 0]
    assert nan.labels.names == ["0", "1"]


def test_a_single_class_is_read_with_a_note():
    data = Dataset.from_table(pa.table({"y": ["a"] * 5, "x": range(5)}), label="y")
    assert data.notes == ("all rows have the same label",)
    assert data.labels.names == ["a"]


@pytest.mark.parametrize(
    ("values", "sentence"),
    [
        (pa.nulls(3), "every label is missing"),
        (pa.array([np.nan] * 3), "every label is missing"),
        (pa.array([b"a", b"b", b"c"]), "it holds binary, which cannot be a label"),
    ],
)
def test_what_cannot_be_a_label_is_refused(values, sentence):
    with pytest.raises(DataError, match=sentence):
        Dataset.from_table(pa.table({"y": values}), label="y")


# -- real data ----------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("file", "label", "text", "unused"),
    [
        ("adult/train.parquet", "income", None, {}),
        ("sms_spam/sms_spam.parquet", "label", "text", {}),
        ("enron1_spam/enron1_spam.parquet", "label", "text", {"orig_id": "FT903"}),
        (
            "url_phishtank/urls.parquet",
            "label",
            "url",
            {"source": "FT901", "target": "FT901", "phish_id": "FT903"},
        ),
        ("nsl_kdd/train20.parquet", "label", None, {"num_outbound_cmds": "FT902", "attack": "FT901"}),
        ("german_credit/german_credit.parquet", "label", None, {}),
        ("creditcard_fraud_sample/creditcard.parquet", "Class", None, {}),
        ("deceptive_opinion_spam/deceptive.parquet", "deceptive", "text", {"id": "FT903"}),
        (
            "sba_loans/sba_case.parquet",
            "Default",
            None,
            {"LoanNr_ChkDgt": "FT903", "MIS_Status": "FT901", "State": "FT902"},
        ),
        ("hate_offensive_davidson/davidson.parquet", "label", "text", {"orig_id": "FT903"}),
    ],
)
def test_columns_of_real_data_play_the_part_a_person_would_give_them(shared_data, file, label, text, unused):
    data = Dataset.read(shared_data / file, label=label)
    assert data.roles.text == text
    rules = {c.column: c.rule for c in data.columns if c.role == "unused"}
    assert rules.items() >= unused.items()
    if not unused:
        assert rules == {}


def test_shape_of_nothing_is_no_text():
    assert not is_free_text(text_shape(pa.array([], pa.string())), 0.0)


# -- images -------------------------------------------------------------------------------------------------

PNG = b"\x89PNG\r\n\x1a\n" + bytes(20)


def test_the_only_column_of_image_files_is_the_image() -> None:
    assert judge(picture=[PNG] * (N - 1) + [None]) == {"picture": ("image", None)}
    stored = [{"bytes": b"\xff\xd8\xff\xe0" + bytes(9), "path": None}] * N  # as Hugging Face stores them
    assert judge(picture=stored) == {"picture": ("image", None)}
    pixels = np.zeros((N, 4, 4, 3), np.uint8)
    assert judge(picture=pa.FixedShapeTensorArray.from_numpy_ndarray(pixels)) == {"picture": ("image", None)}


def test_other_bytes_vectors_and_one_of_several_columns_of_images_are_no_image() -> None:
    unused = ("unused", "FT904")
    assert one([PNG] * (N - 1) + [b"no picture"]) == ("image", None)  # one that is broken is left out later
    assert one([b"no picture"] * N) == unused
    assert one(pa.FixedShapeTensorArray.from_numpy_ndarray(np.zeros((N, 64), np.uint8))) == unused
    assert one(pa.FixedShapeTensorArray.from_numpy_ndarray(np.zeros((N, 4, 4), np.float32))) == unused
    assert judge(front=[PNG] * N, back=[PNG] * N) == {"front": unused, "back": unused}
    assert judge(caption=sentences(), picture=[PNG] * N)["picture"] == unused
