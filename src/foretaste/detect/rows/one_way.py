"""Wrong labels that go one way (FT102): from one class to one other, where chance would spread them."""

from __future__ import annotations

import numpy as np
from scipy.stats import binom

from foretaste.detect.context import Context
from foretaste.detect.evidence import Campaign, Mislabels, Statistic

LEAST_ONE_WAY = 10


def one_way(context: Context, mislabels: Mislabels) -> list[Campaign]:
    """Wrong labels that nearly all go from one class to one other, far beyond the classes' sizes."""
    total = len(mislabels.rows)
    if total < LEAST_ONE_WAY:
        return []
    given = context.y[mislabels.rows]
    k = context.n_classes
    counts = np.zeros((k, k))
    np.add.at(counts, (mislabels.expected, given), 1)
    size = np.bincount(context.y[context.y >= 0], minlength=k) - counts.sum(axis=0) + counts.sum(axis=1)
    source, target = np.unravel_index(int(counts.argmax()), counts.shape)
    count = int(counts[source, target])
    share = float(size[source] / size.sum() / (k - 1))
    p_value = float(binom.sf(count - 1, total, share)) * k * (k - 1)
    rate = count / max(size[source], 1)
    rest = (total - count) / max(size.sum() - size[source], 1)
    if count < max(LEAST_ONE_WAY, 0.9 * total) or p_value > 1e-6 or rate < 5 * rest:
        return []
    rows = (mislabels.expected == source) & (given == target)
    a, b = context.classes[source], context.classes[target]
    return [
        Campaign(
            rule="FT102",
            rows=mislabels.rows[rows],
            target=b,
            pattern=f"{a} labelled {b}",
            kind="rows",
            p_value=max(p_value, 1e-300),
            q_value=min(1.0, max(p_value, 1e-300)),
            effect=float(mislabels.posterior[rows].mean()),
            support=int(size[source]),
            statistic=Statistic("share of wrong labels that go this way", count / total, share, None),
            reason=f"{count} of {total} probably wrong labels turn {a} into {b}; "
            f"chance would turn {share:.0%} that way",
            posterior=mislabels.posterior[rows],
        )
    ]
