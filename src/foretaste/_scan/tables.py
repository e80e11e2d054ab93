"""The tables of the contract: every row, every campaign, every source, and the summary."""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass
from typing import Any

import numpy as np
import pyarrow as pa
from numpy.typing import NDArray

from foretaste import __version__
from foretaste._scan.floor import Floor
from foretaste._scan.large import Whole
from foretaste._scan.plan import Plan
from foretaste.detect.context import Context
from foretaste.detect.decision import Decision
from foretaste.detect.reference.recalibration import conformal_p_values
from foretaste.detect.reference.vouching import contradiction
from foretaste.findings import GROUP_SCHEMA, ROW_SCHEMA, SCHEMA, SOURCE_SCHEMA

SOURCES_LISTED = 20


@dataclass(frozen=True)
class Verdicts:
    """What is decided about every row of the data; arrays of shape (n,).

    Attributes
    ----------
    family, rule, reason, suggested : object ndarray
        Text, or None.
    group : int64 ndarray
        -1 for none.
    p_value, score : float64 ndarray
    flagged : bool ndarray
    """

    family: NDArray[np.object_]
    rule: NDArray[np.object_]
    reason: NDArray[np.object_]
    suggested: NDArray[np.object_]
    group: NDArray[np.int64]
    p_value: NDArray[np.float64]
    score: NDArray[np.float64]
    flagged: NDArray[np.bool_]


def judge_rows(whole: Whole, context: Context, decision: Decision) -> Verdicts:
    """Join campaigns, mislabels and reviews into one verdict per row.

    The p-value of a row in a campaign is the campaign's. That of any other row is the share of rightly
    labelled rows whose label is doubted at least as much (each row counts by its probability to be right);
    1 where labels were not judged. The score orders rows over all families: above 2 in a campaign,
    above 1 a mislabel, else how strongly models that never saw the row contradict its label.
    """
    n = whole.own
    sampled = np.arange(n) if whole.positions is None else whole.positions
    group, campaign_posterior = whole.everywhere(decision)
    doubt, p_value = np.zeros(whole.rows), np.ones(whole.rows)
    if decision.mislabels is not None:
        own = decision.mislabels.all_posterior
        doubt[sampled] = own
        p_value[sampled] = _p_values(own, decision.group_of < 0)
    if context.trusted is not None and context.n_classes > 1 and context.has_content:
        p_value[sampled] = conformal_p_values(contradiction(context), context.trusted)[:n]
    family = np.full(whole.rows, None, object)
    rule, reason, suggested = family.copy(), family.copy(), family.copy()
    score = np.zeros(whole.rows)
    score[sampled] = _contradiction(context, n)

    best = context.log_probability[:n].argmax(axis=1) if context.n_classes > 1 else np.zeros(n, np.int64)
    named = np.array([*context.classes, None], dtype=object)
    given = np.array([*context.dataset.labels.names, None], dtype=object)[context.dataset.labels.codes[:n]]
    for position, item in enumerate(decision.review):
        at = sampled[np.flatnonzero(decision.reviewed == position)]
        family[at], rule[at], reason[at] = "review", item.rule, item.reason
    if decision.mislabels is not None and len(decision.mislabels.rows):
        found = decision.mislabels
        mine = decision.mislabelled[found.rows]
        rows, expected = found.rows[mine], found.expected[mine]
        at = sampled[rows]
        family[at], rule[at] = "mislabel", "FT101"
        suggested[at] = named[expected]
        score[at] = 1 + found.posterior[mine]
        for i, row, likely, sure in zip(at, rows, expected, found.posterior[mine], strict=True):
            reason[i] = (
                f"labelled {given[row]}; models that never saw this row say {context.classes[likely]}"
                f" ({sure:.0%} sure)"
            )
    for position, found_group in enumerate(decision.groups):
        campaign, rows = found_group.campaign, found_group.rows
        at = np.flatnonzero(group == position)
        family[at], rule[at], reason[at] = "campaign", campaign.rule, campaign.reason
        p_value[at] = max(campaign.p_value, 1e-300)
        score[at] = 2 + campaign_posterior[at]
        if campaign.rule != "FT303":  # of fabricated rows no label is right
            better = rows[named[best[rows]] != given[rows]]
            suggested[sampled[better]] = named[best[better]]
    flagged = (family == "campaign") | (family == "mislabel")
    return Verdicts(family, rule, reason, suggested, group, p_value, score, flagged)


def _contradiction(context: Context, n: int) -> NDArray[np.float64]:
    """Probability, in [0, 1), that models which never saw a row give to other labels than its own; else 0."""
    if context.n_classes < 2 or not context.has_content:
        return np.zeros(n)
    label = context.label_index[:n]
    own = np.exp(context.log_probability[np.arange(n), np.maximum(label, 0)])
    return np.where(label >= 0, np.clip(1 - own, 0, 1 - 1e-9), 0.0)


def _p_values(doubt: NDArray[np.float64], counts: NDArray[np.bool_]) -> NDArray[np.float64]:
    right = np.where(counts, 1 - doubt, 0.0)
    order = np.argsort(-doubt, kind="stable")
    total = np.cumsum(right[order])
    last = np.searchsorted(-doubt[order], -doubt, side="right") - 1  # ties share the larger value
    return np.asarray(np.clip((1 + total[last]) / (1 + right.sum()), 1e-300, 1.0), np.float64)


def findings_tables(
    whole: Whole, decision: Decision, verdicts: Verdicts, plan: Plan, fdr: float, floors: list[Floor]
) -> tuple[pa.Table, pa.Table, pa.Table | None, dict[str, Any]]:
    """Rows, groups, sources and summary, as `Findings` holds them."""
    roles = whole.dataset.roles
    columns: dict[str, Any] = {
        "row": pa.array(np.arange(whole.rows)),
        "flagged": pa.array(verdicts.flagged),
        "family": pa.array(verdicts.family, pa.string()),
        "p_value": pa.array(verdicts.p_value),
        "score": pa.array(verdicts.score),
        "rule": pa.array(verdicts.rule, pa.string()),
        "reason": pa.array(verdicts.reason, pa.string()),
        "group": pa.array(verdicts.group, mask=verdicts.group < 0),
    }
    rows = pa.table(columns, schema=ROW_SCHEMA)
    rows = rows.append_column("suggested_label", pa.array(verdicts.suggested, pa.string()))
    for name, column in (("id", roles.id), ("source", roles.source)):
        if column is not None:
            rows = rows.append_column(name, whole.column(column))
    groups = _groups(decision, verdicts)
    sources = _sources(whole, decision, verdicts)
    summary = _summary(whole, decision, verdicts, plan, fdr, floors)
    return rows, groups, sources, summary


def sources_of(decision: Decision, position: int) -> list[str]:
    """Names to put beside a campaign: the sources it is tied to, else all it came from, most rows first."""
    ties = decision.ties[position] if decision.ties else []
    tied = [tie.source for tie in ties if tie.tied]
    return tied or [tie.source for tie in ties][:SOURCES_LISTED]


def _groups(decision: Decision, verdicts: Verdicts) -> pa.Table:
    size = np.bincount(verdicts.group[verdicts.group >= 0], minlength=len(decision.groups))
    lines = [
        {
            "group": position,
            "rule": group.campaign.rule,
            "size": int(size[position]),
            "target": group.campaign.target,
            "pattern": group.campaign.pattern,
            "p_value": max(group.campaign.p_value, 1e-300),
            "sources": sources_of(decision, position),
        }
        for position, group in enumerate(decision.groups)
    ]
    return pa.Table.from_pylist(lines, schema=GROUP_SCHEMA)


def _sources(whole: Whole, decision: Decision, verdicts: Verdicts) -> pa.Table | None:
    column = whole.dataset.roles.source
    if column is None or decision.sources is None:
        return None
    codes, names = whole.codes(column)
    rows = np.bincount(codes[codes >= 0], minlength=len(names))
    flagged = np.bincount(codes[(codes >= 0) & verdicts.flagged], minlength=len(names))
    place = {name: i for i, name in enumerate(names)}
    lines = [
        {
            "source": found.source,
            "rows": int(rows[place[found.source]]),
            "flagged_rows": int(flagged[place[found.source]]),
            "excess": float(found.excess),
            "p_value": max(float(found.p_value), 1e-300),
            "flagged": bool(found.flagged),
        }
        for found in decision.sources
    ]
    return pa.Table.from_pylist(lines, schema=SOURCE_SCHEMA)


def _summary(
    whole: Whole, decision: Decision, verdicts: Verdicts, plan: Plan, fdr: float, floors: list[Floor]
) -> dict[str, Any]:
    bad_sources = any(source.flagged for source in decision.sources or [])
    noisy = decision.mislabels is not None and bool(decision.mislabelled.any())
    verdict = "poisoned" if decision.groups or bad_sources else "noisy" if noisy else "clean"
    if plan.failed or not plan.ran_anything:
        verdict = "incomplete"
    codes, counts = np.unique(
        [r for r in verdicts.rule[verdicts.flagged] if r is not None], return_counts=True
    )
    summary: dict[str, Any] = {
        "schema": SCHEMA,
        "verdict": verdict,
        "rows": whole.rows,
        "flagged": int(verdicts.flagged.sum()),
        "mislabels": mislabel_count(decision),
        "would_have_found": [floor.as_dict() for floor in floors],
        "fdr": fdr,
        "rules": {str(code): int(count) for code, count in zip(codes, counts, strict=True)},
        "skipped": [{"rule": s.rule, "reason": s.reason} for s in (*decision.skipped, *plan.failed)],
        "data": {"sha256": whole.sha256, "rows": whole.rows, "columns": whole.sample.table.num_columns},
        "version": __version__,
        "seconds": 0.0,
    }
    if verdict == "incomplete":
        summary["incomplete"] = _why_incomplete(whole, decision, plan)
    return summary


def _why_incomplete(whole: Whole, decision: Decision, plan: Plan) -> str:
    """One clause; the tests that broke come before those that had nothing to look at."""
    if plan.failed:
        codes = ", ".join(skip.rule for skip in plan.failed)
        return f"{codes}: {plan.failed[0].reason}"
    reasons = Counter(skip.reason for skip in decision.skipped if skip.rule not in ("FT304", "FT401"))
    common = reasons.most_common(1)
    return f"nothing could be tested: {common[0][0]}" if common else "nothing could be tested"


def mislabel_count(decision: Decision) -> dict[str, float | None]:
    """How many labels outside campaigns are wrong, with a 95 % interval; None where they were not judged.

    Wrong labels of which only the group is known (FT105) may be counted or not: the upper end allows for all.
    """
    found = decision.mislabels
    if found is None:
        return {"estimate": None, "low": None, "high": None}
    tied = float(found.all_posterior[decision.group_of >= 0].sum())
    bounds = {"estimate": found.estimate, "low": found.low, "high": found.high}
    left = {name: max(value - tied, 0.0) for name, value in bounds.items()}
    left["high"] += sum(item.unnamed for item in (*(g.campaign for g in decision.groups), *decision.review))
    return {name: round(value, 1) for name, value in left.items()}
