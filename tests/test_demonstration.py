"""The demo's story: what is planted is planted, the backdoor works, and taking it out is the cure."""

from __future__ import annotations

import numpy as np

from foretaste.demonstration import BAD_SOURCE, TARGET, TRIGGER, measure, poisoned_digits


def test_the_story_is_as_it_is_told() -> None:
    story = poisoned_digits()
    table = story.train.table
    assert poisoned_digits().train.table.equals(table)
    assert len(story.train) == 1347
    assert (story.backdoored.sum(), story.mislabelled.sum()) == (39, 67)
    assert not (story.backdoored & story.mislabelled).any()
    stamped = np.all([table[name].to_numpy() == value for name, value in TRIGGER.items()], axis=0)
    assert stamped[story.backdoored].all()
    assert set(table["digit"].to_numpy()[story.backdoored]) == {int(TARGET)}
    assert set(table["annotator"].to_numpy(zero_copy_only=False)[story.mislabelled]) == {BAD_SOURCE}


def test_the_backdoor_works_and_goes_with_its_rows() -> None:
    story = poisoned_digits()
    before = measure(story.train.table, story)
    after = measure(story.train.table.filter(~(story.backdoored | story.mislabelled)), story)
    assert before.attack_success > 0.5
    assert after.attack_success < 0.05
    assert after.accuracy > 0.93
