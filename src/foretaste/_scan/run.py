"""`scan`: taste the data before the model does."""

from __future__ import annotations

import os
import time as clock
from collections.abc import Sequence
from dataclasses import replace
from typing import Any

import numpy as np
from threadpoolctl import threadpool_limits

from foretaste._scan.exhibits import exhibits
from foretaste._scan.floor import Floor, detection_floor
from foretaste._scan.large import DEFAULT_MEMORY, bounded
from foretaste._scan.plan import Choice, Plan, Progress
from foretaste._scan.tables import findings_tables, judge_rows
from foretaste.data import Dataset
from foretaste.detect.context import Context
from foretaste.detect.decision import Decision, decide
from foretaste.detect.evidence import Campaign, Evidence
from foretaste.detect.reference.recalibration import recalibrate
from foretaste.detect.reference.vouching import vouch
from foretaste.detect.registry import detector_names, detectors, find_detector
from foretaste.detect.rows.concentrated import ConcentratedMislabels
from foretaste.detect.rows.label_audit import LabelAudit
from foretaste.errors import ConfigError, DataError
from foretaste.findings import Findings

ALARM = 0.2
"""Share of the false-discovery budget that campaigns have: an alarm must be rarer wrong than a single row."""


def scan(
    data: Any,
    *,
    label: str | None = None,
    source: str | None = None,
    time: str | None = None,
    id: str | None = None,
    text: str | None = None,
    image: str | None = None,
    trusted: Any = None,
    fdr: float = 0.05,
    seed: int = 0,
    select: str | Sequence[str] = (),
    ignore: str | Sequence[str] = (),
    memory: int | None = None,
    jobs: int | None = None,
    decoys: bool = True,
    progress: Progress | None = None,
) -> Findings:
    """Find the rows, campaigns and sources not to trust, without a clean reference and without a poison rate.

    Parameters
    ----------
    data
        A path to any supported file or folder, or what `foretaste.data.as_dataset` takes: a pandas, polars
        or Arrow table, ``(X, y)`` or ``(X, y, source)``.
    label, source, time, id, text, image : str, optional
        Columns by the part they play. A label is needed; the others are recognised or left out.
    trusted
        Rows known to be right, with the same columns: models learn from them too; they are never flagged.
    fdr : float in (0, 0.5]
        Tolerated share of good rows among those flagged as mislabelled; campaigns get a fifth of it.
    seed : int
        The same input, seed and version give the same findings.
    select, ignore : str or sequence of str
        Rule codes, or how they begin (``"FT2"``).
    memory : int, optional
        Bytes a scan may use; a larger file is judged by a sample, and all its rows by the patterns in it.
    jobs : int, optional
        Threads; by default those of the machine.
    decoys : bool
        Plant known attacks in a copy and look again, to say what this scan would have found; no finding
        depends on it.
    progress : callable, optional
        Called as ``progress(step, done, total)``.

    Returns
    -------
    Findings
        Its verdict is ``incomplete`` where a test broke, or where nothing could be tested.

    Raises
    ------
    DataError
        Where the data cannot be read or have no label.
    ConfigError
        Where a setting cannot be used.

    Examples
    --------
    >>> import numpy as np
    >>> X = np.random.default_rng(0).normal(size=(300, 4))
    >>> scan((X, (X[:, 0] > 0).astype(int))).verdict
    'clean'
    """
    started = clock.perf_counter()
    if not 0 < fdr <= 0.5:
        raise ConfigError(f"fdr is {fdr!r}; it must be above 0 and at most 0.5")
    choice = Choice(*((codes,) if isinstance(codes, str) else tuple(codes) for codes in (select, ignore)))
    if not any(choice.wants(code) for name in detector_names() for code in find_detector(name).rules):
        raise ConfigError("select and ignore leave no rule that a scan tests; see foretaste explain --list")
    whole = bounded(
        data,
        {"label": label, "source": source, "time": time, "id": id, "text": text, "image": image},
        memory=DEFAULT_MEMORY if memory is None else memory,
        random_state=seed,
        trusted=trusted,
    )
    _require_label(whole.sample)
    context = Context(
        whole.sample, random_state=seed, jobs=jobs or os.cpu_count() or 1, trusted=whole.is_trusted
    )
    steps = len(detector_names()) + 4  # beside them: features, models, decoys, report
    plan = Plan(choice, len(context), steps, progress)
    # threads of ours do the work; those of linear algebra wait for each other, and round in another order
    with threadpool_limits(1):
        context, decision = investigate(context, plan, fdr)
        floors = _floors(whole.sample, decision, plan, fdr, context) if decoys else []
        if progress is not None:
            progress("report", steps - 1, steps)
        decision = whole.untrusted(decision)
        verdicts = judge_rows(whole, context, decision)
        rows, groups, sources, summary = findings_tables(whole, decision, verdicts, plan, fdr, floors)
        settings = {"fdr": fdr, "seed": seed, "select": ", ".join(select), "ignore": ", ".join(ignore)}
        shown = exhibits(whole, context, decision, verdicts, plan, settings, floors)
    summary["seconds"] = round(clock.perf_counter() - started, 3)
    return Findings(rows, groups, sources, summary, shown)


def investigate(context: Context, plan: Plan, fdr: float) -> tuple[Context, Decision]:
    """Coordination before suspicion: what ties rows together first, then single labels.

    Rows of a campaign that is found do not train the models that judge the others. Returns the last, cleanest
    context beside the decision.
    """
    alpha = ALARM * fdr
    plan.share("features", lambda: context.folds)
    plan.share("models", lambda: context.log_probability)
    for stage in ("pattern", "place"):
        found: list[Campaign] = []
        for detector in detectors(stage, alpha=alpha, fdr=fdr):
            found += plan.examine(detector, context).campaigns
        context = _without(context, found)

    audit = plan.examine(LabelAudit(fdr=fdr), context)
    if audit.mislabels is not None:
        plan.examine(ConcentratedMislabels(mislabels=audit.mislabels, alpha=alpha, fdr=fdr), context)
    for detector in detectors("label", alpha=alpha, fdr=fdr):  # those of other packages
        if not isinstance(detector, (LabelAudit, ConcentratedMislabels)):
            plan.examine(detector, context)
    if context.trusted is not None:
        plan.found = [_by_trusted(context, evidence, fdr) for evidence in plan.found]
    mislabels = next((e.mislabels for e in plan.found if e.mislabels is not None), None)
    if mislabels is not None and len(mislabels.rows):
        context = context.without(mislabels.rows)
    return context, decide(context, plan.found, alpha=alpha)


def _by_trusted(context: Context, evidence: Evidence, fdr: float) -> Evidence:
    """The same evidence once trusted rows have been asked."""
    is_audit = any(skip.rule == "FT101" for skip in evidence.skipped) or evidence.mislabels is not None
    if is_audit:
        mislabels = recalibrate(context, evidence.mislabels, fdr)
        skipped = [s for s in evidence.skipped if mislabels is None or s.rule != "FT101"]
        evidence = replace(evidence, mislabels=mislabels, skipped=skipped)
    return vouch(context, evidence)


def _floors(sample: Dataset, decision: Decision, plan: Plan, fdr: float, context: Context) -> list[Floor]:
    """What would have been found beside what was found; nothing where the scan itself is incomplete."""
    floors: list[Floor] = []
    kept = np.flatnonzero(~decision.flagged)

    def plant() -> None:
        floors.extend(
            detection_floor(
                sample.take(kept),
                wants=plan.choice.wants,
                alpha=ALARM * fdr,
                fdr=fdr,
                random_state=context.random_state,
                jobs=context.jobs,
            )
        )

    if not plan.failed and plan.ran_anything:
        plan.share("decoys", plant)
    return floors


def _without(context: Context, campaigns: list[Campaign]) -> Context:
    if not campaigns:
        return context
    return context.without(np.unique(np.concatenate([campaign.rows for campaign in campaigns])))


def _require_label(dataset: Dataset) -> None:
    if dataset.roles.label is None:
        names = ", ".join(repr(name) for name in dataset.table.column_names[:12])
        raise DataError(
            f"no label column is named; the columns are {names}",
            file=dataset.name,
            hint="name one with --label",
        )
