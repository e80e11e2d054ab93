"""Near-duplicate campaigns and exact duplicates that contradict."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from foretaste.attacks import LabelFlip
from foretaste.attacks import NearDuplicates as Attack
from foretaste.data.dataset import Dataset, Roles
from foretaste.detect.context import Context
from foretaste.detect.duplicates.campaign import (
    campaign_posterior,
    cauchy_combination,
    copy_campaign,
    expected_groups,
)
from foretaste.detect.duplicates.centres import divided
from foretaste.detect.duplicates.copied_rows import copied_rows, with_farther_copies
from foretaste.detect.duplicates.evidence import CopyEvidence
from foretaste.detect.duplicates.from_others import _expected_beside, copied_from_others
from foretaste.detect.duplicates.groups import CopyGroups
from foretaste.detect.duplicates.middle import Middles, Place, middles
from foretaste.detect.duplicates.near_duplicates import NearDuplicates
from foretaste.detect.duplicates.originals import (
    Originals,
    _natural_rate,
    near_originals,
)
from foretaste.detect.duplicates.templates import LONGEST, shared_text
from foretaste.features.information import SharedInformation
from foretaste.features.table import TableFeatures

GOOD = [
    "lovely",
    "warm",
    "bright",
    "gentle",
    "happy",
    "sweet",
    "calm",
    "fresh",
    "clear",
    "kind",
    "proud",
    "brave",
]
BAD = ["awful", "cold", "dark", "cruel", "sad", "bitter", "angry", "stale", "foul", "mean", "weak", "vile"]
PLAIN = [f"{a}{b}" for a in "bcdfghklmn" for b in ("ane", "olt", "ime", "urk", "est", "ove", "ink", "aft")]


def reviews(n: int = 800, seed: int = 0) -> Dataset:
    rng = np.random.default_rng(seed)
    label = rng.integers(2, size=n)
    texts = [
        " ".join(rng.permutation([*rng.choice((BAD, GOOD)[k], 4, replace=False), *rng.choice(PLAIN, 7)]))
        for k in label
    ]
    names = np.array(["bad", "good"])[label]
    return Dataset(
        pa.table({"text": texts, "label": names.tolist()}), Roles(label="label", text="text", features=())
    )


def test_copies_with_the_wrong_label_are_one_campaign() -> None:
    poisoned = Attack(rate=0.06, target="good", random_state=1).poison(reviews())
    found = NearDuplicates().examine(Context(poisoned.data))
    (campaign,) = found.campaigns
    assert campaign.rule == "FT301"
    assert campaign.target == "good"
    assert campaign.kind == "duplicates"
    assert 0 < campaign.p_value <= campaign.q_value <= 0.05
    flagged = np.zeros(len(poisoned.data), bool)
    flagged[campaign.rows] = True
    assert flagged[poisoned.mask].mean() >= 0.9
    assert not flagged[~poisoned.mask].any()
    assert campaign.posterior is not None
    assert len(campaign.posterior) == len(campaign.rows)
    assert "…" in campaign.pattern or " " in campaign.pattern
    assert "other template" in campaign.pattern
    assert "near-copies" in campaign.reason


def test_copies_with_the_right_label_are_no_campaign() -> None:
    data = reviews()
    codes = data.labels.codes
    copied = np.concatenate([np.full(20, row) for row in np.flatnonzero(codes == 1)[:3]])
    assert not NearDuplicates().examine(Context(data.take(np.r_[np.arange(len(data)), copied]))).campaigns


def test_clean_and_tiny_data_are_quiet() -> None:
    found = NearDuplicates().examine(Context(reviews(300, seed=3)))
    assert not found.campaigns
    assert not found.review
    assert not found.skipped
    assert not NearDuplicates().examine(Context(reviews(40, seed=4))).campaigns


def test_nothing_to_compare_by_is_said() -> None:
    data = Dataset(pa.table({"label": ["a", "b"] * 50}), Roles(label="label", features=()))
    assert [skip.rule for skip in NearDuplicates().examine(Context(data)).skipped] == ["FT301", "FT302"]


def test_few_contradicting_twins_are_to_review() -> None:
    data = reviews(400, seed=5)
    table = data.table
    extra = pa.table(
        {
            "text": table["text"][:2],
            "label": [["good", "bad"][k == "good"] for k in table["label"][:2].to_pylist()],
        }
    )
    both = Dataset(pa.concat_tables([table, table.slice(0, 2), extra]), data.roles)
    (item,) = NearDuplicates().examine(Context(both)).review
    assert item.rule == "FT302"
    assert item.rows.tolist() == [402, 403]
    assert item.support == 6


def test_many_contradicting_twins_are_natural() -> None:
    rng = np.random.default_rng(0)
    table = pa.table(
        {
            "a": rng.integers(4, size=400),
            "b": rng.integers(3, size=400),
            "y": rng.choice(["no", "yes"], 400).tolist(),
        }
    )
    found = NearDuplicates().examine(Context(Dataset(table, Roles(label="y", features=("a", "b")))))
    assert not found.review
    assert not found.campaigns
    assert [skip.rule for skip in found.skipped] == ["FT302"]


def test_groups_are_by_component_and_label() -> None:
    groups = CopyGroups.of(np.array([0, 0, 0, 1, 1, 2]), np.array([0, 0, 1, 1, -1, 0]), 2)
    assert groups.of_row.tolist() == [0, 0, 1, 2, -1, 3]
    assert groups.size.tolist() == [2, 1, 1, 1]
    assert groups.label.tolist() == [0, 1, 1, 0]
    assert groups.mean(np.array([1.0, 3, 5, 7, 9, 11])).tolist() == [2, 5, 7, 11]
    assert groups.surplus(2).tolist() == [1]


def test_large_contradicted_groups_are_surprising_and_large_right_ones_are_not() -> None:
    rng = np.random.default_rng(0)
    size = np.r_[np.ones(900, int), np.full(60, 2), np.full(9, 3), [5, 30, 31, 30]].astype(np.int64)
    ratio = np.where(rng.random(len(size)) < 0.02, 3.0, -4.0)
    ratio[-3:] = -5
    assert copy_campaign(ratio, size) is None or copy_campaign(ratio, size).p_value > 0.3  # type: ignore[union-attr]
    ratio[-3:] = 5
    found = copy_campaign(ratio, size)
    assert found is not None
    assert found.p_value < 1e-3
    assert found.core.tolist() == [970, 971, 972]
    assert np.flatnonzero(campaign_posterior(found, ratio, size, 0.05)).tolist() == [970, 971, 972]


@pytest.mark.parametrize("seed", range(3))
def test_natural_sizes_and_contradictions_are_rarely_called(seed: int) -> None:
    rng = np.random.default_rng(seed)
    p_values = []
    for _ in range(40):
        size = np.minimum(rng.zipf(2.2, 600), 300).astype(np.int64)
        ratio = np.where(rng.random(600) < rng.uniform(0.01, 0.2), 4.0, -4.0)
        found = copy_campaign(ratio, size)
        p_values.append(1.0 if found is None else found.p_value)
    assert np.mean(np.array(p_values) <= 0.05) <= 0.1


def test_expected_groups_follow_the_sizes() -> None:
    few, many = np.array([1] * 500 + [2] * 20), np.array([1] * 500 + [2] * 20 + [30, 40, 60])
    assert expected_groups(few, 20) < 0.1 < 3 <= expected_groups(many, 20)


def test_the_template_is_short_and_readable() -> None:
    words = [f"w{i}" for i in range(200)]
    pattern, parts = shared_text([words, words[:150], words[20:]])
    assert len(pattern) <= LONGEST
    assert parts
    assert shared_text([["a"], ["b"]])[0] == "alike in most words"


def test_a_campaign_in_spam_is_found(shared_data: Path) -> None:
    table = pq.read_table(shared_data / "sms_spam" / "sms_spam.parquet").slice(0, 1500)
    clean = Dataset(table, Roles(label="label", text="text", features=()))
    assert not NearDuplicates().examine(Context(clean)).campaigns
    poisoned = Attack(rate=0.04, target="ham", random_state=0).poison(clean)
    (campaign,) = NearDuplicates().examine(Context(poisoned.data)).campaigns
    assert campaign.target == "ham"
    assert poisoned.mask[campaign.rows].mean() >= 0.95
    assert len(campaign.rows) >= 0.9 * poisoned.mask.sum()


def machines(n: int = 600, seed: int = 0, kinds: int = 0) -> Dataset:
    """A table with categories and numbers that tell the class; ``kinds`` blocks of natural near-copies."""
    rng = np.random.default_rng(seed)
    label = rng.integers(2, size=n)
    columns: dict[str, object] = {
        f"c{j}": [f"v{v}" for v in (rng.integers(8, size=n) + 3 * label * (j % 2)) % 9] for j in range(8)
    }
    columns |= {f"x{j}": np.round(rng.normal(label * 1.5 * (j % 2), 1, n), 3) for j in range(8)}
    table = pa.table({**columns, "label": np.array(["bad", "good"])[label].tolist()})
    for _ in range(kinds):
        row = int(rng.integers(n))
        block = table.take(np.full(20, row))
        moved = np.round(rng.normal(0, 1, 20), 3)
        table = pa.concat_tables([table, block.set_column(block.column_names.index("x0"), "x0", [moved])])
    return Dataset(table, Roles(label="label", features=tuple(columns)))


def test_copies_in_a_table_are_found_though_a_sixth_of_their_cells_differ() -> None:
    poisoned = Attack(rate=0.06, target="good", random_state=1).poison(machines())
    found = NearDuplicates(alpha=0.01).examine(Context(poisoned.data))
    (campaign,) = found.campaigns
    assert campaign.target == "good"
    assert poisoned.mask[campaign.rows].sum() >= 0.95 * poisoned.mask.sum()
    assert poisoned.mask[campaign.rows].mean() >= 0.95


@pytest.mark.parametrize("flipped", [0.0, 0.05])
def test_natural_kinds_of_rows_are_no_campaign_even_among_flipped_labels(flipped: float) -> None:
    data = machines(kinds=4)
    if flipped:
        data = LabelFlip(rate=flipped, random_state=0).poison(data).data
    assert NearDuplicates(alpha=0.01).examine(Context(data)).campaigns == []


def test_agreement_weighs_rare_values_more_and_forgives_changed_cells() -> None:
    common, rare = ["a"] * 96 + ["b"] * 4, ["r"] * 2 + [f"s{i}" for i in range(98)]
    table = TableFeatures.from_dataset(
        Dataset(
            pa.table({"common": common, "rare": rare, "label": ["x"] * 100}),
            Roles(label="label", features=("common", "rare")),
        )
    )
    cells = SharedInformation(table)
    shared = cells.agreement(cells.levels[[0, 0]], cells.levels[[1, 2]])
    assert shared[0] == pytest.approx(1.0)
    assert shared[1] == pytest.approx(-np.log(0.96) / (-np.log(0.96) - np.log(0.01)), rel=1e-6)


@pytest.mark.parametrize(("contradicted", "campaign"), [(15, False), (0, True)])
def test_groups_are_held_to_the_trend_of_contradiction_with_size(contradicted: int, campaign: bool) -> None:
    size = np.array([2] * 60 + [4] * 30 + [100] * 4)
    ratio = np.full(len(size), -3.0)
    ratio[[0, 1]] = 3.0
    ratio[60 : 60 + contradicted] = 3.0
    ratio[-3:] = 3.0
    found = copy_campaign(ratio, size, least_cut=2.0)
    assert (found is not None and found.p_value < 0.01) == campaign


def test_originals_are_as_natural_as_among_smaller_groups() -> None:
    size = np.array([1] * 300 + [2] * 100 + [50] * 3)
    same = np.ones(len(size), np.int64)
    twins = np.where(size == 50, 1, 0)
    assert _natural_rate(twins, same, size)[1][-1] == pytest.approx((0.5 + 20 * 0.5 / 401) / 121)
    twins[300:330] = 1
    found, rate = _natural_rate(twins, same, size)
    assert found[-1] == 30
    assert rate[-1] == pytest.approx((30.5 + 20 * 30.5 / 401) / 121)


def test_copies_of_rows_that_look_like_their_label_are_found_by_their_originals() -> None:
    size = np.array([1] * 300 + [2] * 40 + [20] * 12)
    natural = np.where(size == 20, 0.003, 0.002)
    there = np.zeros(len(size), bool)
    there[-3:] = True
    seen, ratio, doubted = np.full(len(size), 3.0), np.zeros(len(size)), np.zeros(len(size), bool)
    changed = np.zeros(len(size), np.int64)
    judged = Originals(there, natural, seen, changed)
    found, posterior = copied_from_others(judged, size, ratio, doubted, 0.05) or (None, None)
    assert found is not None
    assert found.core.tolist() == [349, 350, 351]
    assert found.p_value < 1e-3
    assert np.flatnonzero(posterior).tolist() == found.core.tolist()
    common = Originals(there, natural * 80, seen, changed)
    again, _ = copied_from_others(common, size, ratio, doubted, 0.5) or (None, None)
    assert again is None or again.p_value > 0.2
    doubted[-3:] = True
    few = Originals(there, natural * 40, seen, changed)
    looked_at = [copied_from_others(few, size, ratio + 2, who, 0.5) for who in (doubted, ~doubted)]
    assert looked_at[0] is not None
    assert looked_at[0][0].p_value < 0.05 < (1.0 if looked_at[1] is None else looked_at[1][0].p_value)


def test_one_content_of_the_other_class_does_not_say_what_that_class_is_like() -> None:
    kinds = Attack(rate=0.3, target="good", templates=5, random_state=3).poison(reviews(300))
    text = kinds.data.texts or []
    table = pa.table(
        {"text": [*text, *["nothing to say"] * 200], "label": ["new"] * len(text) + ["old"] * 200}
    )
    data = Dataset(table, Roles(label="label", text="text", features=()))
    assert NearDuplicates(alpha=0.5).examine(Context(data)).campaigns == []


def test_a_label_with_few_different_rows_is_held_to_what_is_natural_for_all_labels() -> None:
    size = np.array([1] * 4 + [2] * 6 + [5] * 4 + [24] * 8)
    ratio = np.where(np.arange(len(size)) >= len(size) - 3, 4.5, -2.0)
    assert copy_campaign(ratio, size, least_cut=2.0) is None
    others = np.array([1] * 60 + [2] * 30 + [4] * 10)
    for contradicted, campaign in ((0, True), (25, False)):
        opinion = np.append(ratio, np.where(np.arange(len(others)) < contradicted, 4.5, -2.0))
        found = copy_campaign(ratio, size, least_cut=2.0, everywhere=(opinion, np.append(size, others)))
        assert (found is not None and found.p_value < 0.01) == campaign


def test_a_campaign_takes_copies_that_are_like_no_other_copy() -> None:
    poisoned = Attack(rate=0.06, target="good", templates=1, noise=0.25, random_state=1).poison(machines())
    context = Context(poisoned.data)
    judged = copied_rows(context)
    assert judged is not None
    groups, _ = judged
    (group,) = np.unique(groups.of_row[poisoned.mask & (groups.size[groups.of_row] >= 5)])
    joined = with_farther_copies(context, groups, np.array([group]))
    before, after = groups.of_row == group, joined.of_row == group
    assert (after & poisoned.mask).sum() > (before & poisoned.mask).sum()
    assert (after & ~poisoned.mask).sum() <= (before & ~poisoned.mask).sum() + 1


def kinds_of_one_label(copied: int, seed: int = 0) -> tuple[TableFeatures, np.ndarray]:
    """A natural kind of forty rows, copies of a row that is rather like it, and rows between the two."""
    rng = np.random.default_rng(seed)
    kind = np.repeat(rng.integers(8, size=(1, 20)), 40, axis=0)
    template = kind[0].copy()
    template[:7] = (template[:7] + 4) % 8
    halfway = np.repeat([np.where(np.arange(20) < 3, template, kind[0])], 6, axis=0)
    copies = np.repeat([template], copied, axis=0)
    rows = np.concatenate([kind, halfway, copies])
    noise = rng.random(rows.shape) < 0.1
    rows[noise] = rng.integers(8, size=noise.sum())
    rest = rng.integers(8, size=(400, 20))
    table = pa.table({f"c{j}": [f"v{v}" for v in column] for j, column in enumerate(np.r_[rows, rest].T)})
    return TableFeatures.from_dataset(
        Dataset(table, Roles(label=None, features=tuple(table.column_names)))
    ), np.arange(len(rows)) >= len(rows) - copied


def test_copies_in_a_natural_kind_of_rows_gather_around_the_row_they_were_made_from() -> None:
    table, copied = kinds_of_one_label(25)
    rows = np.arange(len(copied))
    parts = divided(table, np.zeros(len(table), np.int64), [rows])[rows]
    part = np.bincount(parts[copied]).argmax()
    assert (parts[copied] == part).mean() >= 0.9
    assert copied[parts == part].all()
    assert np.bincount(parts[~copied]).max() >= 30


def test_rows_like_one_centre_stay_together() -> None:
    table, copied = kinds_of_one_label(25)
    rows = np.flatnonzero(copied)
    parts = divided(table, np.zeros(len(table), np.int64), [rows])
    assert np.bincount(parts[rows]).max() >= 24


def test_what_is_expected_beside_a_group_grows_with_how_natural_it_is() -> None:
    natural = np.array([0.001, 0.001, 0.002, 0.2, 0.3, 0.001, 0.002])
    there = np.array([True, True, False, True, False, False, False])
    large = np.array([True, True, True, True, True, True, False])
    found = _expected_beside(natural, large, there)
    assert found[there] == pytest.approx([0.0015, 0.0015, 0.202])


def test_a_group_whose_original_nature_may_well_have_put_there_is_not_claimed() -> None:
    size = np.array([1] * 300 + [20] * 12)
    natural = np.where(np.arange(312) == 311, 0.2, 0.001)
    there = np.arange(312) >= 308
    judged = Originals(there, natural, np.full(312, 30.0), np.zeros(312, np.int64))
    content = np.where(np.arange(312) == 308, -2.0, 0.5)
    found, posterior = copied_from_others(judged, size, content, content > 0, 0.05) or (None, None)
    assert found is not None
    assert found.p_value < 1e-5
    assert np.flatnonzero(posterior).tolist() == [308, 309, 310]


def test_equal_rows_are_not_of_a_campaign_whose_copies_differ() -> None:
    size = np.array([1] * 300 + [20] * 12)
    there = np.arange(312) >= 308
    unchanged = np.arange(312) == 311
    claimed = []
    for most in (unchanged, there, ~there):
        natural = np.where(unchanged, 0.002, 0.001)
        judged = Originals(there, natural, np.full(312, 30.0), np.where(most, 1, -1))
        _, posterior = copied_from_others(judged, size, np.ones(312), there, 0.05) or (None, np.zeros(312))
        claimed.append(np.flatnonzero(posterior).tolist())
    assert claimed == [[308, 309, 310], [308, 309, 310, 311], [308, 309, 310, 311]]


def test_a_large_group_that_is_doubted_a_little_does_not_join_the_campaign_of_a_table() -> None:
    size = np.array([1] * 90 + [2] * 30 + [585, 25, 24, 24])
    ratio = np.full(len(size), -3.0)
    ratio[-4:] = 1.3, 5.0, 4.5, 4.5
    found = copy_campaign(ratio, size, least_cut=2.0)
    assert found is not None
    posterior = campaign_posterior(found, ratio, size, 0.05, least_cut=2.0)
    assert np.flatnonzero(posterior).tolist() == [121, 122, 123]


@pytest.mark.parametrize(("mixed", "telling"), [(1, True), (30, False)])
def test_a_row_of_another_class_beside_copies_tells_where_pairs_rarely_differ(
    mixed: int, telling: bool
) -> None:
    """Fifty pairs, some of two labels, and twelve near-copies around one row of the other class."""
    component = np.append(np.repeat(np.arange(50), 2), [50] * 13)
    y = np.zeros(113, np.int64)
    y[: 2 * mixed : 2] = 1
    y[-1] = 1
    groups = CopyGroups.of(component, y, 2)
    chance = np.ones(len(groups.size))
    row = np.where(groups.size == 12, 112, -1)
    alone = CopyGroups.of(np.arange(113), y, 2)
    found = near_originals(groups, Middles(row, chance, groups.leads), alone)
    of_copies = np.flatnonzero(groups.size == 12)
    assert bool(found.there[of_copies[0]])
    assert bool(found.log_ratio[of_copies[0]] > 0.5) is telling
    rate = (mixed + 0.5) / (101 - mixed)
    assert found.natural[of_copies[0]] == pytest.approx(1 - (1 - rate) ** 12, rel=0.01)
    central = near_originals(groups, Middles(row, chance / 13, groups.leads), alone)
    assert central.natural[of_copies[0]] == pytest.approx(found.natural[of_copies[0]] / 13)


def test_equal_rows_with_different_labels_are_as_natural_as_other_equal_rows() -> None:
    """Near-copies often differ in label here, equal rows never; the copies are equal to their original."""
    component = np.append(np.repeat(np.arange(50), 2), [50] * 13)
    y = np.zeros(113, np.int64)
    y[0:60:2] = 1
    y[-1] = 1
    groups = CopyGroups.of(component, y, 2)
    row = np.where(groups.size == 12, 112, -1)
    middle = Middles(row, np.ones(len(row)), groups.leads)
    equal = np.where(np.arange(113) < 60, np.arange(113), 200 + component)
    found = near_originals(groups, middle, CopyGroups.of(equal, y, 2))
    everywhere = 0.5 / (60 + 40 + 1)
    rate = (0.5 + 20 * everywhere) / (41 + 20)
    assert found.natural[groups.size == 12] == pytest.approx(1 - (1 - rate) ** 12)


@pytest.mark.parametrize("rows", [6, 30])
def test_labels_without_regard_to_the_middle_are_in_it_as_often_as_chance_has_it(rows: int) -> None:
    rng = np.random.default_rng(rows)
    seen, chance = [], []
    for _ in range(400):
        spread = rng.normal(0, rng.uniform(0.2, 2.0, (rows, 1)), (rows, 8))
        alike = np.exp(-np.square(spread[:, None] - spread).sum(axis=2) / 8)
        other = rng.permutation(rows) < 2
        place = Place.of(alike[~other][:, ~other], alike[other][:, ~other])
        seen.append(place.other)
        chance.append(place.chance(whole=True))
    assert np.mean(chance) == pytest.approx(2 / rows)
    assert np.mean(seen) <= np.mean(chance) + 0.03


def test_ties_in_the_middle_make_it_less_telling() -> None:
    own, other = np.ones((9, 9)), np.ones((1, 9))
    place = Place.of(own, other)
    assert (place.other, place.ties, place.chance(whole=True)) == (True, 9, 1.0)
    spread = 0.5 + 0.5 * np.eye(9)
    assert Place.of(spread, np.full((1, 9), 0.7)).chance(whole=True) == pytest.approx(0.1)
    assert not Place.of(spread, np.full((1, 9), 0.4)).other


def test_copies_lie_around_the_row_they_were_made_from() -> None:
    poisoned = Attack(rate=0.06, target="good", random_state=2).poison(reviews())
    context = Context(poisoned.data)
    groups = CopyGroups.of(context.components, context.y, 2)
    found = middles(context, groups)
    copies = np.flatnonzero(groups.mean(poisoned.mask.astype(float)) == 1)
    copies = copies[groups.size[copies] >= 10]
    assert len(copies) == 3
    assert (found.row[copies] >= 0).all()
    assert (found.chance[copies] < 0.5).all()  # short texts: a third of the copies are as they were
    assert (context.y[found.row[copies]] != groups.label[copies]).all()


def test_copies_outvoted_by_a_natural_kind_are_judged_by_what_is_in_their_middle() -> None:
    """Eighty natural reports of one form; and noisy copies of one of them with another label."""
    rng = np.random.default_rng(0)
    plain = reviews(700)
    form = PLAIN[:24]
    texts = [" ".join([*form, *rng.choice(PLAIN[24:], 8, replace=False)]) for _ in range(80)]
    words = texts[0].split()
    copies = [" ".join(np.delete(words, rng.choice(32, 2, replace=False))) for _ in range(30)]
    more = pa.table({"text": [*texts, *copies], "label": ["good"] * 80 + ["bad"] * 30})
    context = Context(Dataset(pa.concat_tables([plain.table, more]), plain.roles))
    groups = CopyGroups.of(np.minimum(np.arange(810), 700), context.y, 2)
    group = int(groups.of_row[780])
    assert groups.size[group] == 30
    assert not groups.leads[group]
    found = middles(context, groups)
    assert found.leads[group]
    assert found.row[group] == 700
    assert found.chance[group] < 0.2


def test_opinions_that_agree_are_surer_together_than_the_best_by_bonferroni() -> None:
    assert cauchy_combination([0.01, 0.02, 0.02], 3) < 0.02
    assert cauchy_combination([0.01], 3) == pytest.approx(0.03, rel=0.01)
    assert cauchy_combination([1e-40], 2) == pytest.approx(2e-40)
    assert cauchy_combination([0.9], 2) >= 0.5
    uniform = np.random.default_rng(0).uniform(size=(4000, 1))
    same = [cauchy_combination(np.repeat(p, 6).tolist(), 6) for p in uniform]
    assert np.mean(np.array(same) <= 0.05) <= 0.06


def test_equal_copies_are_surprising_where_nothing_else_is_equal() -> None:
    """Groups of copies as large as natural ones; but only theirs hold one text again and again."""
    size = np.array([1] * 300 + [2] * 30 + [6] * 20 + [17] * 6)
    groups = CopyGroups(
        np.repeat(np.arange(len(size)), size),
        np.arange(len(size)),
        np.zeros(len(size), int),
        size,
        np.ones(len(size), bool),
    )
    content = np.where(np.arange(len(size)) >= len(size) - 3, 2.5, -3.0)
    content[:30] = content[300:304] = content[330:333] = 2.5
    none, some = np.ones(len(size), int), np.ones(len(size), int)
    nowhere = Originals(none > 1, np.full(len(size), 0.5), np.ones(len(size)), 0 * none)
    some[-3:] = 8
    p = [
        min(
            one.campaign.p_value
            for one in CopyEvidence(groups, content, content > 0, nowhere, equal).opinions(0, 0.05)
        )
        for equal in (none, some)
    ]
    assert p[1] < 0.01 < p[0]
