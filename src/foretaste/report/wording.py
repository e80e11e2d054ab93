"""What a report says in sentences: the verdict, what it rests on, and what to do next."""

from __future__ import annotations

import shlex
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import PurePath

from foretaste.report.campaigns import Campaign
from foretaste.report.figures import Mislabels
from foretaste.report.numbers import listed, plural, share, whole
from foretaste.report.safe import visible
from foretaste.report.tables import Source

LIKELY = 0.8
"""Probability from which a planted attack counts as one that would have been found."""

VERDICTS = {
    "clean": "Nothing found",
    "noisy": "Wrong labels, no sign of poisoning",
    "poisoned": "Poisoned",
    "incomplete": "Scan incomplete",
}
"""The verdicts of the contract, in words."""


@dataclass(frozen=True)
class Step:
    """Something to do next, with the command that does it where there is one."""

    text: str
    command: str = ""


@dataclass(frozen=True)
class Counts:
    """How many of everything. ``source_campaigns`` are the campaigns that are a bad source (FT401)."""

    rows: int
    flagged: int
    campaigns: int
    source_campaigns: int
    bad_sources: int
    campaign_rows: int
    mislabel_rows: int
    review: int


COUNTED = (
    "Wrong labels are counted where they are wrong at random: if most labels of one kind of rows were turned "
    "the same way, models learn them like right ones, and nothing counts them."
)
"""What the number of wrong labels covers, and what it cannot."""

WORTH_A_WORD = 0.01
"""Share of wrong labels, at the lower end of its interval, that is told though no row can be."""


def headline(verdict: str, counts: Counts, mislabels: Mislabels | None, why: str = "") -> str:
    """The verdict in one plain sentence, with counts; ``why`` a scan is incomplete."""
    of_rows = f"of {plural(counts.rows, 'row')}"
    if verdict == "poisoned":
        campaigns = counts.campaigns - counts.source_campaigns
        found = [plural(campaigns, "campaign")] if campaigns else []
        found += [plural(counts.bad_sources, "bad source")] if counts.bad_sources else []
        verb = "account" if campaigns + counts.bad_sources != 1 else "accounts"
        involved = counts.campaign_rows or counts.flagged
        rate = share(involved / counts.rows) if counts.rows else "–"
        return f"{listed(found) or 'A campaign'} {verb} for {whole(involved)} {of_rows} ({rate})."
    if verdict == "noisy":
        estimate = mislabels.estimate if mislabels and not mislabels.abstained else None
        number = round(estimate) if estimate else counts.mislabel_rows or counts.flagged
        rate = share(number / counts.rows) if counts.rows else "–"
        return (
            f"About {plural(number, 'label')} {of_rows} ({rate}) "
            f"{'is' if number == 1 else 'are'} probably wrong, and nothing ties them together."
        )
    if verdict == "clean":
        unlisted = unlisted_labels(mislabels, counts)
        seem = "" if unlisted is None else f", though about {plural(round(unlisted), 'label')} seem wrong"
        return f"No campaign, no bad source and no row to take out among {plural(counts.rows, 'row')}{seem}."
    if why:
        return f"{capital(why)}, so this scan cannot say that these data are clean."
    return "The scan did not finish, so it cannot say that these data are clean."


def capital(sentence: str) -> str:
    """The same words with a capital letter in front; codes and numbers stay.

    Examples
    --------
    >>> capital("labelled dog; it is none")
    'Labelled dog; it is none'
    """
    return sentence[:1].upper() + sentence[1:]


def explanation(verdict: str, counts: Counts, fdr: float | None, skipped: int) -> str:
    """What the verdict means and what it does not, in two or three sentences."""
    rate = share(fdr) if fdr is not None else "the stated rate"
    gaps = (
        f" {plural(skipped, 'test')} could not run on these data; they are listed under “Not covered”."
        if skipped
        else ""
    )
    if verdict == "poisoned":
        return (
            "A campaign is a set of rows tied together by evidence of their own: a shared trigger, copies "
            "of one text, one source. Honest mistakes are not coordinated; these rows are. Of what each "
            f"family of tests flags, at most about {rate} is expected to be a false alarm.{gaps}"
        )
    if verdict == "noisy":
        return (
            "This is what honest mistakes look like: scattered, in no one direction, from no one place. "
            f"Of the rows flagged, at most about {rate} is expected to be a false alarm.{gaps}"
        )
    if verdict == "clean":
        return (
            "That is a statement about what these tests can see, not a proof. What this scan would have "
            f"found, and what it could not look for, is listed further down. {COUNTED}{gaps}"
        )
    return (
        "Whatever is shown below is not all that was to be looked for. "
        f"See “Not covered” for the reason, then scan again.{gaps}"
    )


def unlisted_labels(mislabels: Mislabels | None, counts: Counts) -> float | None:
    """The number of wrong labels where it is worth a word though not one is listed; otherwise None."""
    if mislabels is None or mislabels.abstained or not counts.rows or counts.flagged:
        return None
    return mislabels.estimate if (mislabels.low or 0.0) >= WORTH_A_WORD * counts.rows else None


def next_steps(
    verdict: str,
    worst: list[Campaign],
    bad: list[Source],
    review: int,
    clean: str,
    again: str,
    unlisted: float | None = None,
) -> list[Step]:
    """What to do now, the most useful thing first; ``unlisted`` is `unlisted_labels`."""
    if verdict == "incomplete":
        return [
            Step(
                "Remove the cause and scan again, or have the data checked in another way; "
                "do not train on them meanwhile.",
                again,
            )
        ]
    steps: list[Step] = []
    if verdict == "poisoned":
        names = listed([f"“{source.source}”" for source in bad[:3]])
        if bad:
            rest = f" and {len(bad) - 3} more" if len(bad) > 3 else ""
            steps.append(Step(f"Stop taking rows from {names}{rest} until it is explained."))
        if worst:
            steps.append(Step("Read the campaigns. The report shows each one in real rows of your data."))
        steps.append(Step("Take the flagged rows out. Nothing is changed in place.", clean))
        steps.append(
            Step("Retrain on the clean file. Treat any model trained on the old one as compromised.")
        )
    elif verdict == "noisy":
        steps.append(
            Step("Look at the first twenty rows of the list. If they are wrong, take them out.", clean)
        )
        steps.append(Step("Or write the suggested labels instead of removing rows.", f"{clean} --relabel"))
    elif unlisted is not None:
        steps.append(
            Step(
                f"About {plural(round(unlisted), 'label')} seem wrong, though no single one can be told: "
                "have a random sample of the rows labelled again, by other people."
            )
        )
    else:
        done = "No row has to go" if review else "Nothing has to be done"
        steps.append(Step(f"{done}. Keep this report with the data: it names their hash."))
    if review:
        steps.append(
            Step(f"Give the review list ({plural(review, 'pattern')}) ten minutes of a person's attention.")
        )
    return steps


def would_have_found(attack: str, doses: Sequence[tuple[float, float]]) -> str:
    """One attack's detection floor in words.

    Parameters
    ----------
    attack : str
    doses : sequence of (rate, probability)

    Examples
    --------
    >>> would_have_found("word-trigger", [(0.0025, 0.5), (0.005, 0.93), (0.01, 0.94)])
    'word-trigger from 0.5 % of the rows with probability 0.93'
    >>> would_have_found("value-trigger", [(0.01, 0.1), (0.02, 0.2)])
    'value-trigger at 2 % of the rows with probability 0.20 only'
    """
    likely = [dose for dose in sorted(doses) if dose[1] >= LIKELY]
    rate, probability = likely[0] if likely else max(doses)
    whose = "a source's rows" if attack == "bad-source" else "the rows"
    if likely and len(doses) > 1:
        return f"{attack} from {share(rate)} of {whose}, with probability {probability:.2f}"
    return (
        f"{attack} at {share(rate)} of {whose} with probability {probability:.2f}{'' if likely else ' only'}"
    )


def clean_command(path: str, directory: str) -> str:
    """The exact ``foretaste clean`` command for these data, quoted for a POSIX shell."""
    given = PurePath(path or "DATA")
    stem, suffix = _split(given)
    beside = given.parent if given.name else given
    rows = suffix if suffix and suffix != ".npz" else ".parquet"  # what is taken out is a table
    out, quarantine = beside / f"{stem}.clean{suffix}", beside / f"{stem}.quarantine{rows}"
    quoted = [_word(str(part)) for part in (given, directory, out, quarantine)]
    return "foretaste clean {} --findings {} --out {} --quarantine {}".format(*quoted)


def findings_directory(command: str) -> str:
    """Where the scan wrote its findings, as far as its command tells; the default otherwise."""
    try:
        words = shlex.split(command)
    except ValueError:
        words = []
    for at, word in enumerate(words):
        if word.startswith("--out="):
            return word.removeprefix("--out=")
        if word == "--out" and at + 1 < len(words):
            return words[at + 1]
    return "foretaste-out"


def _word(path: str) -> str:
    """A path as one shell word that cannot be taken for a flag."""
    return shlex.quote(visible(f"./{path}" if path.startswith("-") else path, 400))


def _split(path: PurePath) -> tuple[str, str]:
    """Stem and whole suffix (``.csv.gz`` is one); a name that has none, such as ``..``, is taken as it is."""
    suffix = "".join(path.suffixes[-2:]) if path.suffix == ".gz" else path.suffix
    name = path.name or "data"
    return (name.removesuffix(suffix) or name, suffix) if suffix else (name, "")
