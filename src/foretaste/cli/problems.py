"""Whatever goes wrong, in one line on stderr that says what to do, and exit status 2."""

from __future__ import annotations

import functools
import os
import sys
import traceback
from collections.abc import Callable
from typing import Any

import typer

from foretaste.errors import ForetasteError

STATUS = 2
"""Exit status of an error, of an incomplete scan and of a wrong command line."""

_HINTS: dict[type[OSError], str] = {
    PermissionError: "check who may read or write it",
    FileNotFoundError: "check the name",
    FileExistsError: "name another place",
    IsADirectoryError: "name a file",
    NotADirectoryError: "name a folder",
}

_tracebacks = False


def show_tracebacks(wanted: bool) -> None:
    """Whether an error also prints its traceback."""
    global _tracebacks
    _tracebacks = wanted


def in_one_line(verb: Callable[..., None]) -> Callable[..., None]:
    """The verb with every exception turned into one line on stderr and exit status 2."""

    @functools.wraps(verb)
    def told(*args: Any, **kwargs: Any) -> None:
        try:
            verb(*args, **kwargs)
        except (typer.Exit, typer.Abort):
            raise
        except BrokenPipeError:  # the reader of our output has had enough
            close_output()
            raise typer.Exit(STATUS) from None
        except (Exception, KeyboardInterrupt) as error:
            if _tracebacks:
                traceback.print_exc()
            complain(sentence(error))
            raise typer.Exit(STATUS) from None

    return told


def sentence(error: BaseException) -> str:
    """What went wrong and what to do about it."""
    if isinstance(error, KeyboardInterrupt):
        return "interrupted; nothing was written"
    if isinstance(error, ForetasteError):
        return str(error)
    if isinstance(error, OSError):
        return _os_sentence(error)
    if isinstance(error, MemoryError):
        return "there is not enough memory; scan fewer rows or columns, or give less with --memory"
    return (
        f"this is a bug: {type(error).__name__}: {error}; "
        "run foretaste --debug with the same words for the traceback to report"
    )


def complain(words: str) -> None:
    """One line on stderr, whatever the words hold."""
    from foretaste.report.safe import visible

    typer.echo(f"foretaste: {visible(words, 2000)}", err=True)


def _os_sentence(error: OSError) -> str:
    hint = next((words for kind, words in _HINTS.items() if isinstance(error, kind)), None)
    if error.strerror is None:
        return f"{error}"
    where = "" if error.filename is None else f"{os.fsdecode(error.filename)}: "
    return f"{where}{error.strerror}" + (f"; {hint}" if hint else "")


def close_output() -> None:
    """Let the interpreter flush into nothing on its way out, or it would complain about the pipe again."""
    os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
