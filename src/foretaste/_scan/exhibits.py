"""``evidence.json``: what a report shows beside the tables; it can be rendered without the data."""

from __future__ import annotations

from typing import Any

import numpy as np

from foretaste._scan.environment import environment
from foretaste._scan.examples import Examples
from foretaste._scan.figures import distribution, flips, timeline, two_dimensions
from foretaste._scan.floor import Floor, without_power
from foretaste._scan.large import Whole
from foretaste._scan.plan import Plan
from foretaste._scan.tables import Verdicts, mislabel_count
from foretaste.detect.context import Context
from foretaste.detect.decision import Decision, Group
from foretaste.detect.evidence import Campaign
from foretaste.findings import SCHEMA
from foretaste.rules import rule

ROWS = 2000
CLASSES = 1000


def exhibits(
    whole: Whole,
    context: Context,
    decision: Decision,
    verdicts: Verdicts,
    plan: Plan,
    settings: dict[str, Any],
    floors: list[Floor],
) -> dict[str, Any]:
    """The content of ``evidence.json`` (``docs/formats.md``)."""
    dataset = whole.dataset
    examples = Examples(whole, context)
    shown: dict[str, Any] = {
        "schema": SCHEMA,
        "data": _data(whole),
        "command": "",
        "environment": environment(),
        "settings": settings,
        "campaigns": [_group(whole, decision, examples, i) for i in range(len(decision.groups))],
        "review": [_review(item, examples) for item in decision.review],
        "rows": _rows(whole, verdicts, examples),
        "mislabels": _mislabels(context, decision),
        "plan": plan.steps,
        "columns": [
            {"column": note.column, "role": note.role, "rule": note.rule, "note": note.note}
            for note in dataset.columns
        ],
        "not_testable": _not_testable(whole, context, decision, plan) + without_power(floors),
        "would_have_found": [floor.as_dict() for floor in floors],
        "flips": flips(context, decision, whole.own),
    }
    if decision.mislabels is not None:
        shown["distribution"] = distribution(context, decision, whole.own)
    shown["map"] = two_dimensions(context, decision, whole)
    if dataset.times is not None:
        shown["timeline"] = timeline(dataset.times, decision.flagged)
    if decision.sources is not None:
        shown["sources"] = [
            {
                "source": s.source,
                "rows": s.rows,
                "flagged_rows": s.flagged_rows,
                "excess": s.excess if s.judged or s.flagged else None,
                "low": s.low if s.judged or s.flagged else None,
                "high": s.high if s.judged or s.flagged else None,
                "p_value": s.p_value if s.judged or s.flagged else None,
                "flagged": s.flagged,
                "judged": s.judged,
                "note": s.note,
            }
            for s in decision.sources[:500]
        ]
    return {key: value for key, value in shown.items() if value is not None}


def _data(whole: Whole) -> dict[str, Any]:
    dataset = whole.dataset
    labels = dataset.labels
    count = np.bincount(labels.codes[labels.codes >= 0], minlength=len(labels))
    largest = np.sort(np.argsort(-count, kind="stable")[:CLASSES])
    return {
        "name": dataset.name,
        "path": dataset.name if whole.file is None else str(whole.file.path),
        "format": "table" if whole.file is None else whole.file.format,
        "rows": whole.rows,
        "columns": dataset.table.num_columns,
        **{role: column for role, column in dataset.roles.named().items() if role != "image"},
        "classes": [{"name": labels.names[i], "rows": int(count[i])} for i in largest],
    }


def _campaign(campaign: Campaign) -> dict[str, Any]:
    return {
        "rule": campaign.rule,
        "title": rule(campaign.rule).title_of(campaign.kind),
        "target": campaign.target,
        "pattern": campaign.pattern,
        "reason": campaign.reason,
        "kind": campaign.kind,
        "parts": campaign.parts,
        "support": campaign.support,
        "effect": campaign.effect,
        "p_value": campaign.p_value,
        "q_value": campaign.q_value,
        "statistic": campaign.statistic.as_dict(),
    }


def _group(whole: Whole, decision: Decision, examples: Examples, position: int) -> dict[str, Any]:
    group: Group = decision.groups[position]
    weight = decision.posterior[group.rows]
    shown = group.rows[np.argsort(-weight, kind="stable")]
    ties = decision.ties[position] if decision.ties else []
    return {
        "group": position,
        **_campaign(group.campaign),
        "size": len(group.rows),
        "contradiction": group.campaign.effect,
        "sources": [{"source": tie.source, "rows": tie.rows, "p_value": tie.p_value} for tie in ties[:20]],
        "corroborated_by": list(group.corroborated_by),
        "examples": examples.spread(shown, group.campaign),
        "contrast": examples.typical(group.campaign, decision.flagged),
    }


def _review(item: Campaign, examples: Examples) -> dict[str, Any]:
    return {**_campaign(item), "size": len(item.rows), "examples": examples.spread(item.rows, item)}


def _rows(whole: Whole, verdicts: Verdicts, examples: Examples) -> list[dict[str, Any]]:
    """The strongest rows that anything was found about, most suspicious first."""
    score = verdicts.score if whole.positions is None else verdicts.score[whole.positions]
    family = verdicts.family if whole.positions is None else verdicts.family[whole.positions]
    listed = np.flatnonzero((family == "campaign") | (family == "mislabel"))
    listed = listed[np.argsort(-score[listed], kind="stable")][:ROWS]
    found = []
    for row in listed.tolist():
        at = row if whole.positions is None else int(whole.positions[row])
        found.append(
            {
                **examples.row(row),
                "family": verdicts.family[at],
                "rule": verdicts.rule[at],
                "group": int(verdicts.group[at]) if verdicts.group[at] >= 0 else None,
                "p_value": float(verdicts.p_value[at]),
                "score": float(verdicts.score[at]),
                "reason": verdicts.reason[at],
                "suggested_label": verdicts.suggested[at],
            }
        )
    return found


def _mislabels(context: Context, decision: Decision) -> dict[str, Any]:
    found = decision.mislabels
    if found is None:
        reasons = [skip.reason for skip in decision.skipped if skip.rule == "FT101"]
        reason = reasons[0] if reasons else "labels were not judged"
        return {**mislabel_count(decision), "status": "not testable", "reason": reason}
    given = context.label_index[found.rows]
    pairs: dict[tuple[int, int], float] = {}
    for row, label, likely, sure in zip(found.rows, given, found.expected, found.posterior, strict=True):
        if decision.mislabelled[row] and label >= 0:
            key = (int(label), int(likely))
            pairs[key] = pairs.get(key, 0.0) + float(sure)
    largest = sorted(pairs.items(), key=lambda item: (-item[1], item[0]))[:20]
    return {
        **mislabel_count(decision),
        "by_class": [
            {"from": context.classes[a], "to": context.classes[b], "estimate": round(count, 1)}
            for (a, b), count in largest
        ],
        "status": "ok",
        "reason": found.reason,
    }


def _not_testable(whole: Whole, context: Context, decision: Decision, plan: Plan) -> list[dict[str, str]]:
    gaps = [{"rule": skip.rule, "reason": skip.reason} for skip in (*decision.skipped, *plan.failed)]
    labels = whole.sample.labels
    unjudged = len(labels) - context.n_classes
    if unjudged > 0:
        which = "1 class is" if unjudged == 1 else f"{unjudged:,} classes are"
        reason = f"{which} too small, or there are too many, to be judged by label"
        gaps.append({"rule": "FT101", "reason": reason})
    gaps += [{"rule": "", "reason": note} for note in whole.sample.notes]
    if decision.mislabels is not None and decision.mislabels.reason:
        gaps.append({"rule": "FT101", "reason": decision.mislabels.reason})
    return list({(gap["rule"], gap["reason"]): gap for gap in gaps}.values())
