"""``foretaste inspect``: what a model file would do, without loading it."""

from __future__ import annotations

import json
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from foretaste.errors import ConfigError

if TYPE_CHECKING:
    from foretaste.provenance.model_files import Inspection

SHOWN = 20


def inspect(
    files: Annotated[
        list[Path],
        typer.Argument(metavar="FILE...", help="Model files, or folders of them.", show_default=False),
    ],
    allow: Annotated[
        list[str] | None,
        typer.Option(
            help="A name that may be imported: module.name or 'module.*'; repeatable.", show_default=False
        ),
    ] = None,
    sha256: Annotated[
        str | None, typer.Option(help="The hash the file must have (one file only).", show_default=False)
    ] = None,
    as_json: Annotated[bool, typer.Option("--json", help="As JSON, one object per file and line.")] = False,
) -> None:
    """Inspect model files without loading them: 0 nothing found, 1 anything dangerous, broken or unknown."""
    from foretaste.provenance.model_files import Concern, inspect_model

    places = _files(files)
    if sha256 is not None and len(places) != 1:
        raise ConfigError(f"--sha256 is for one file, and {len(places)} are given; inspect them one by one")
    wrong = False
    for place in places:
        found = inspect_model(place, allowed=frozenset(allow or ()))
        if sha256 is not None and found.sha256 != sha256.strip().lower():
            found.add(Concern("dangerous", "wrong-hash", "it does not have the SHA-256 that was given"))
        typer.echo(json.dumps(found.as_json()) if as_json else "\n".join(_told(found)))
        wrong |= found.verdict != "safe"
    if wrong:
        raise typer.Exit(1)


def _files(given: list[Path]) -> list[Path]:
    found: list[Path] = []
    for place in given:
        if place.is_dir():
            inside = sorted(path for path in place.rglob("*") if path.is_file() and not path.is_symlink())
            if not inside:
                raise ConfigError(f"{place} holds no file to inspect")
            found += inside
        else:
            found.append(place)
    return found


def _told(found: Inspection) -> list[str]:
    from foretaste.provenance.model_files.concerns import LEVELS
    from foretaste.report.numbers import plural
    from foretaste.report.safe import visible

    lines = [
        f"{visible(found.path)}: {found.verdict}",
        f"  {visible(found.format)}, {plural(found.bytes, 'byte')}, SHA-256 {found.sha256}",
    ]
    ordered = sorted(found.concerns, key=lambda concern: LEVELS.index(concern.level))
    for concern in ordered[:SHOWN]:
        place = visible(concern.member, 120)
        if concern.position is not None:
            place = f"{place} at byte {concern.position}".strip()
        where = f" ({place})" if place else ""
        lines.append(f"  {concern.level:<9}  {visible(concern.reason, 400)}{where}")
    more = len(ordered) - SHOWN + found.omitted
    if more > 0:
        lines.append(f"  and {plural(more, 'more concern')}; --json has them")
    return lines


__all__ = ["inspect"]
