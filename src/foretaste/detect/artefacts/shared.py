"""Images that share an artefact: a patch (FT207), an overlay, a wave, a warp (FT208), processing (FT209)."""

from __future__ import annotations

from dataclasses import replace
from typing import ClassVar

import numpy as np
from numpy.typing import NDArray

from foretaste.detect.artefacts.borrowed import borrowed
from foretaste.detect.artefacts.candidate import Candidate
from foretaste.detect.artefacts.candidates import candidates
from foretaste.detect.artefacts.copies import copies_of_others
from foretaste.detect.artefacts.description import borrowed_campaign, described, is_heard, reason
from foretaste.detect.artefacts.diversity import FROM_ALL
from foretaste.detect.artefacts.judge import COHERENT, ONE_LABEL, Judge, Judgement, expected_error
from foretaste.detect.artefacts.matched import grown, told_apart
from foretaste.detect.artefacts.nature import beyond_nature, least_natural, natural_separations
from foretaste.detect.artefacts.renderings import RENDERING, is_rendering, rendering_candidates
from foretaste.detect.artefacts.shades import SHADES, shade_candidates
from foretaste.detect.artefacts.waves import wave_candidates
from foretaste.detect.base import Detector
from foretaste.detect.context import Context
from foretaste.detect.evidence import Campaign, Evidence, Skipped, Statistic
from foretaste.features.rendering import BLOCK, renderings

MOST_JUDGED = 8
"""Distinct groups judged, of places and patterns and of each kind of processing, least natural first."""

PROCESSING = (SHADES, RENDERING)
"""Views of what was done to images, wherever in them."""

TESTED = 2 * MOST_JUDGED * (1 + len(PROCESSING))
"""Groups whose labels are asked about, at most, each perhaps with the rest of its class: whether content
contradicts labels has no say in which stand furthest beyond nature.
"""

FEWEST_IMAGES = 100

VIEWS = 10

ALL_BUT = 0.8
"""Share of the rows of a processed group, beyond which a known campaign has it."""

MANIFOLD = 2 / 3
"""Least agreement of where the images of a processed group lie with how large the classes are, of what chance
leaves of it; asked beside what models take them for, which may know a kind of the class too little.
"""

MOST_WRONG = 0.5
"""Least share of rows with contradicted labels, of those that could, of a group not held against nature."""

APART = 0.8
"""Least chance that a row whose rendering was changed lies beyond an image of the class it looks like."""

UNIMODAL = 2.65


class SharedArtefacts(Detector):
    """Groups of images that have the same weak pattern in common and nothing else.

    Looked for without training and without a label's help in fixed places (tiles), in the finest detail, in
    traces of resampling, in all pixels, in waves, in histograms of values and in how images are rendered,
    each in units of how other classes or other places vary. A group is a campaign where it is cut out so
    cleanly that the expected share of wrong rows is within budget, where it stands apart beyond anything
    natural in the same view of the same data (or is rendered otherwise than images of all the other classes,
    which it looks like), where its images are otherwise as diverse as random ones, and where either models
    that saw none of them contradict their labels, or the artefact goes with one label alone (a clean-label
    trigger; what was done to whole images is then only listed for review).

    Parameters
    ----------
    alpha : float
        Family-wise error rate over all directions looked at.
    fdr : float
        Tolerated share of rows without the artefact among a group's.
    random_state : int

    References
    ----------
    Gu et al., "BadNets", IEEE Access 7 (2019); Chen et al., "Targeted backdoor attacks on deep learning
    systems using data poisoning" (2017); Barni et al., "A new backdoor attack in CNNs by training set
    corruption", ICIP 2019; Nguyen and Tran, "WaNet", ICLR 2021: what it looks for. Tran, Li and Madry,
    "Spectral signatures in backdoor attacks", NeurIPS 2018: the same on what a network has learned.
    """

    rules: ClassVar[tuple[str, ...]] = ("FT207", "FT208", "FT209")
    title: ClassVar[str] = "shared artefacts"
    modalities: ClassVar[tuple[str, ...]] = ("image",)
    scope: ClassVar[str] = "group"

    def __init__(self, *, alpha: float = 0.01, fdr: float = 0.05, random_state: int = 0) -> None:
        self.alpha = alpha
        self.fdr = fdr
        self.random_state = random_state

    def examine(self, context: Context) -> Evidence:
        image = context.image
        if image is None:
            return _nothing("there are no images")
        usable = int(((context.y >= 0) & image.present).sum())
        if context.n_classes < 2:
            return _nothing("fewer than two classes can be learned")
        if usable < FEWEST_IMAGES or min(image.pixels.shape[1:3]) < 4:
            size = " x ".join(map(str, image.pixels.shape[1:3]))
            return _nothing(f"{usable} labelled images of {size} pixels are too few or too small")
        asked = image, context.y, context.n_classes, self.random_state
        found = list(candidates(*asked))
        rendered = np.zeros((0, 0), np.float32)
        if not is_heard(context):
            found += [*wave_candidates(*asked), *shade_candidates(*asked)]
            if min(image.small.shape[1:3]) >= 2 * BLOCK:
                rendered = renderings(image.pixels, image.small)
                found += rendering_candidates(rendered, *asked)
        odd = [
            (c, j)
            for c, j in self._judged(context, found)
            if _decides(c, j, self._dirty(j)) and j.p_value <= self.alpha
        ]
        suspects = [(c, j) for c, j in odd if j.p_value * TESTED <= self.alpha]
        groups = [candidate for candidate, _ in odd]  # what is perhaps an artefact is not held to be nature
        groups += [candidate.turned() for candidate in groups if candidate.rest is not None]
        evidence = Evidence()
        for candidate, judgement in suspects:
            natural = natural_separations(found, candidate.view, groups)
            chance = beyond_nature(candidate.separation, natural)
            processed, dirty = candidate.view in PROCESSING, self._dirty(judgement)
            if dirty and candidate.view == RENDERING:
                if told_apart(rendered, candidate.rows, judgement.control) < APART:
                    continue  # wrong labels, and no more than that
                own = context.y == candidate.label
                if _from_all(judgement, own, candidate.rows) and _among_all(context, candidate):
                    chance = 0.0  # a kind may be rendered otherwise, but is not made of all other classes
                wrong = judgement.likely != context.y
                rows = grown(rendered, context.y, candidate.label, candidate.rows, wrong, context.folds)
                candidate = replace(candidate, rows=rows)
            if chance * VIEWS > self.alpha:
                continue
            most = max(natural, default=UNIMODAL)
            campaign = self._campaign(context, candidate, judgement, chance, most)
            # where labels are right, the cut has to be beyond doubt, and processing alone is no campaign
            cut = not processed and _error(context, candidate) <= self.alpha
            sure = dirty or (cut and not is_rendering(image, candidate.rows, judgement.control))
            known = evidence.campaigns + evidence.review
            if not processed or not any(_part_of(campaign, k, ALL_BUT) for k in known):
                (evidence.campaigns if sure else evidence.review).append(campaign)
        evidence.campaigns = _whole(evidence.campaigns)
        if not is_heard(context):
            evidence.campaigns += self._borrowed(context, evidence.campaigns)
        return evidence

    def _borrowed(self, context: Context, known: list[Campaign]) -> list[Campaign]:
        """Groups that only their content gives away, among the rows of no campaign that is known."""
        assert context.image is not None
        y = np.where(context.image.present, context.y, -1)
        for campaign in known:
            y[campaign.rows] = -1
        X, folds = context.image.standard, context.folds
        search = borrowed(
            X, y, context.n_classes, folds, alpha=self.alpha, fdr=self.fdr, seed=self.random_state
        )
        return [borrowed_campaign(context, group, search, self.alpha) for group in search.found]

    def _judged(self, context: Context, found: list[Candidate]) -> list[tuple[Candidate, Judgement]]:
        """The groups that are cut out cleanly, each once, with what is to be said about them."""
        clean = [c for c in found if _error(context, c) <= self.fdr and (c.rest is not None or _is_most(c))]
        judge = Judge(context)
        judged = []
        for view in (None, *PROCESSING):  # which say least about what was done
            asked = [c for c in clean if c.view == view or (view is None and c.view not in PROCESSING)]
            for candidate in least_natural(found, asked, MOST_JUDGED):
                judgement = judge.judge(candidate)
                # rows with wrong labels are like other classes whatever else they show
                if candidate.rest is not None and not self._dirty(judgement):
                    candidate = candidate.turned()
                    judgement = judge.judge(candidate)
                judged.append((candidate, judgement))
        return judged

    def _dirty(self, judgement: Judgement) -> bool:
        return 2 * judgement.dirty_p * TESTED <= self.alpha

    def _campaign(
        self,
        context: Context,
        candidate: Candidate,
        judgement: Judgement,
        chance: float,
        natural: float,
    ) -> Campaign:
        assert context.image is not None
        found = described(context, candidate, judgement)
        dirty = self._dirty(judgement)
        p_value = max(judgement.p_value, chance, 1e-300)
        target = None if judgement.target < 0 else context.classes[judgement.target]
        return Campaign(
            rule=found.rule,
            rows=candidate.rows,
            target=target,
            pattern=found.pattern,
            kind="sound" if is_heard(context) else "image",
            p_value=p_value,
            q_value=min(1.0, max(judgement.p_value * TESTED, chance * VIEWS)),
            effect=judgement.contradicted,
            support=len(candidate.rows) + len(candidate.elsewhere),
            statistic=Statistic("separation", candidate.separation, natural),
            reason=reason(len(candidate.rows), judgement, found, target, dirty),
            parts=[found.part],
        )


def _whole(campaigns: list[Campaign]) -> list[Campaign]:
    """Each once, without those that are part of a larger one: images that show one piece most clearly."""
    kept: list[int] = []
    for number in sorted(range(len(campaigns)), key=lambda place: -len(campaigns[place].rows)):
        if not any(_part_of(campaigns[number], campaigns[known]) for known in kept):
            kept.append(number)
    return [campaigns[number] for number in sorted(kept)]


def _part_of(campaign: Campaign, known: Campaign, share: float = 0.5) -> bool:
    return float(np.isin(campaign.rows, known.rows).mean()) > share


def _from_all(judgement: Judgement, own: NDArray[np.bool_], rows: NDArray[np.int64]) -> bool:
    """Whether models take a group for images of all the other classes beyond doubt.

    Not if it is most of its class: without it, models do not know the class, and contradict any row of it.
    """
    excess = (judgement.contradicted - judgement.usual) / max(1 - judgement.usual, 1e-9)
    clear = judgement.sources >= FROM_ALL and judgement.coherence <= COHERENT and excess >= MOST_WRONG
    return clear and 2 * len(rows) <= own.sum()


def _among_all(context: Context, candidate: Candidate) -> bool:
    """Whether a group lies among all the other classes, as copies of their images would."""
    assert context.image is not None
    X = np.asarray(context.image.standard, np.float64)
    copies = copies_of_others(X, context.y, context.n_classes, candidate.label, candidate.rows)
    return copies.sources >= MANIFOLD


def _is_most(candidate: Candidate, share: float = 0.5) -> bool:
    """Whether hardly any rows of other classes lie as far out."""
    return len(candidate.rows) >= share * (len(candidate.rows) + len(candidate.elsewhere))


def _error(context: Context, candidate: Candidate) -> float:
    """Expected share of wrong rows in a group, by how far apart it stands and how small a part it is."""
    among = len(context.y) if candidate.label < 0 else int((context.y == candidate.label).sum())
    return expected_error(candidate.separation, len(candidate.rows) / among)


def _decides(candidate: Candidate, judgement: Judgement, dirty: bool) -> bool:
    """Whether nature does not explain its labels, and it goes with those of its class: with hardly any other.

    Where content contradicts the labels it is enough that most have that label: the rest may be covers.
    """
    return judgement.p_value < 1 and _is_most(candidate, 0.5 if dirty else ONE_LABEL)


def _nothing(reason: str) -> Evidence:
    return Evidence(skipped=[Skipped(rule, reason) for rule in SharedArtefacts.rules])
