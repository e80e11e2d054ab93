"""``foretaste attack``: poison your own data before someone else does."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated, Any

import typer

from foretaste.cli.folders import check_folder, finishing
from foretaste.errors import ConfigError

CHECKPOINT = "checkpoint.npz"
"""In the folder of the results, the state of an optimised attack until it is done."""


def attack(
    name: Annotated[
        str | None, typer.Argument(metavar="NAME", help="Name of the attack (--list).", show_default=False)
    ] = None,
    rest: Annotated[
        list[str] | None,
        typer.Argument(
            metavar="DATA [ATTACK OPTIONS]",
            help="The data, and options of this attack; without data they are listed.",
            show_default=False,
        ),
    ] = None,
    label: Annotated[str | None, typer.Option(metavar="COL", help="Column with the label.")] = None,
    source: Annotated[str | None, typer.Option(metavar="COL", help="Column with the source.")] = None,
    time: Annotated[str | None, typer.Option(metavar="COL", help="Column with the time of arrival.")] = None,
    id_: Annotated[str | None, typer.Option("--id", metavar="COL", help="Column that names the row.")] = None,
    text: Annotated[str | None, typer.Option(metavar="COL", help="Column of free text.")] = None,
    image: Annotated[str | None, typer.Option(metavar="COL", help="Column of images.")] = None,
    target: Annotated[str | None, typer.Option(metavar="CLASS", help="Class the model is to say.")] = None,
    rate: Annotated[float | None, typer.Option(help="Share of rows to poison (0.01 by default).")] = None,
    seed: Annotated[int, typer.Option(help="The same seed gives the same rows.")] = 0,
    out: Annotated[Path | None, typer.Option(metavar="DIR", help="Folder for the results.")] = None,
    trigger_only: Annotated[
        bool, typer.Option("--trigger-only", help="Stamp every row of test data, change no label.")
    ] = False,
    recipe: Annotated[
        Path | None,
        typer.Option(
            metavar="FILE", help="recipe.json of an earlier attack, to do again or whose trigger to stamp."
        ),
    ] = None,
    list_: Annotated[bool, typer.Option("--list", help="All attacks, one per line.")] = False,
) -> None:
    """Poison data and write them with the truth about every row and a recipe to do it again."""
    from foretaste.cli import attack_options as options

    if list_:
        for line in options.listing():
            typer.echo(line)
        return
    if name is None or name.startswith("-"):
        raise ConfigError(
            "no attack is named first; write foretaste attack NAME DATA, or foretaste attack --list"
        )
    kind = options.find(name)
    paths, given = options.split(kind, rest or [])
    if not paths:
        typer.echo(options.describe(kind), nl=False)
        return
    if len(paths) > 1:
        raise ConfigError(
            f"{paths[1]!r} is one argument too many; write foretaste attack {name} DATA --out DIR"
        )
    if out is None:
        raise ConfigError("no place for the results is named; add --out DIR")
    data = Path(paths[0])
    check_folder(out, data, ("recipe.json", "truth.parquet", CHECKPOINT))
    given |= {key: value for key, value in {"target": target, "rate": rate}.items() if value is not None}
    if recipe is not None and given:
        raise ConfigError(f"--recipe fixes every option; leave out {', '.join(sorted(given))}")
    roles = {"label": label, "source": source, "time": time, "id": id_, "text": text, "image": image}
    _poison(options.build(kind, given, seed, recipe), data, roles, out, trigger_only, recipe)


def _poison(
    attack: Any, data: Path, roles: dict[str, Any], out: Path, trigger_only: bool, recipe: Path | None
) -> None:
    from foretaste.cli import attack_options as options
    from foretaste.cli.attack_folder import with_sounds
    from foretaste.data.dataset import Dataset
    from foretaste.data.formats import open_file
    from foretaste.report.safe import visible

    opened = open_file(data)
    dataset = with_sounds(Dataset.read(opened, **roles, quantity=attack.quantity), opened, attack)
    kept = _keep_state(attack, out)
    result = options.stamped(attack, dataset, recipe) if trigger_only else attack.poison(dataset)
    with finishing():
        place = options.write(result, dataset, data, out)
        if kept is not None:
            kept.unlink(missing_ok=True)
    if result.trigger is not None:
        typer.echo(f"trigger   {visible(result.trigger.describe())}")
    typer.echo(f"poisoned  {int(result.mask.sum())} of {len(result.data)} rows in {visible(place)}")
    typer.echo(f"truth     {visible(out / 'truth.parquet')}")
    typer.echo(f"recipe    {visible(out / 'recipe.json')}")


def _keep_state(attack: Any, out: Path) -> Path | None:
    """Let an optimised attack keep its state, and say where it goes on; the file to remove in the end."""
    if not hasattr(attack, "checkpoint"):
        return None
    ours = attack.checkpoint is None
    place = out / CHECKPOINT if ours else Path(attack.checkpoint)
    if place.exists():
        from foretaste.report.safe import visible

        typer.echo(f"goes on   from {visible(place)}", err=True)
    attack.checkpoint = str(place)
    return place if ours else None


attack.command_settings = {"context_settings": {"ignore_unknown_options": True}}  # type: ignore[attr-defined]
