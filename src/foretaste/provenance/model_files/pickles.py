"""Pickled models: plain, several in a row, PyTorch's old format, and joblib's with raw arrays between."""

from __future__ import annotations

import re
from contextlib import suppress
from math import prod
from typing import cast

from foretaste.provenance.model_files.concerns import Level
from foretaste.provenance.model_files.part import Part
from foretaste.provenance.model_files.pickle_opcodes import OPAQUE, Span, UnreadablePickle
from foretaste.provenance.model_files.pickle_scan import PickleScan
from foretaste.provenance.model_files.pickle_values import Import, Made

PICKLES = 1000
"""Pickles followed one after the other in one part."""
TORCH_MAGIC = 0x1950A86A20F9469CFC6C
"""First value of a PyTorch checkpoint from before 1.6: five pickles, then raw tensors."""
_JOBLIB = Import("joblib.numpy_pickle", "NumpyArrayWrapper")


def examine_pickle(part: Part) -> None:
    """Follow every pickle in a part and report what they import and call."""
    part.inspection.holds("pickle")
    position, count, wanted = part.start, 0, 1
    while position < part.end and count < PICKLES:
        later = count >= wanted
        if later and not _begins(part, position):
            _suspect(part, PickleScan(part.data, position, part.end, _silent))
            break
        scan, problem = _follow(part, position)
        if problem is not None:
            part.report("malformed", "broken-pickle", _broken(problem, count), problem.position - part.start)
            break
        if count == 0 and scan.result == TORCH_MAGIC:
            part.inspection.holds("PyTorch checkpoint")
            wanted = 5
        position, count = scan.position, count + 1
    if count >= PICKLES:
        part.report("malformed", "too-many-pickles", f"more than {PICKLES} pickles follow each other")


def examine_maybe_pickle(part: Part) -> None:
    """Look for a pickle in bytes that do not look like one; say only what would surely matter."""
    _suspect(part, PickleScan(part.data, part.start, part.end, _silent))


def pickle_ends(part: Part) -> bool:
    """Whether the part begins with a pickle that can be followed to its end."""
    scan = PickleScan(part.data, part.start, part.end, _silent)
    try:
        scan.run()
    except UnreadablePickle:
        return False
    return True


def _begins(part: Part, position: int) -> bool:
    head = part.data[position : position + 2]
    return len(head) == 2 and head[0] == 0x80 and head[1] <= 5


def _broken(problem: UnreadablePickle, count: int) -> str:
    which = f"pickle {count + 1}: " if count else ""
    return f"{which}{problem.problem}; what comes before it would still run"


def _follow(part: Part, position: int) -> tuple[PickleScan, UnreadablePickle | None]:
    def report(level: str, kind: str, reason: str, at: int) -> None:
        part.report(cast("Level", level), kind, reason, at - part.start)

    scan = PickleScan(
        part.data,
        position,
        part.end,
        report,
        allowed=part.allowed,
        built=lambda made, at, s: _built(part, made, at, s),
    )
    try:
        scan.run()
        problem = None
    except UnreadablePickle as error:
        problem = error
    for name, times in scan.imports.items():
        _count(part, name, times)
    for made, at in scan.nested:
        _nested(part, made, at)
    return scan, problem


def _count(part: Part, name: Import, times: int) -> None:
    imports = part.inspection.imports
    if len(imports) < 10_000 or f"{name!r}" in imports:
        imports[f"{name!r}"] = imports.get(f"{name!r}", 0) + times


def _nested(part: Part, made: Made, at: int) -> None:
    """The bytes that ``torch.storage._load_from_bytes`` would load as a checkpoint of their own."""
    content = made.arguments[0] if isinstance(made.arguments, tuple) and made.arguments else OPAQUE
    name = f"bytes at {at - part.start}"
    if isinstance(content, bytes):
        part.inside(name, content, expected="pickle")
    elif isinstance(content, Span):
        part.inside(name, part.data, content.start, content.start + content.length, expected="pickle")


def _built(part: Part, made: Made, position: int, scan: PickleScan) -> int:
    """Skip the raw array that joblib writes after a wrapper.

    A plain unpickler would go on reading opcodes there, and whoever loads the file chooses between the two:
    so those bytes are also read as it would, unless they cannot be opcodes, as the padding of a sound file.
    """
    if made.callee != _JOBLIB or not isinstance(made.state, dict):
        return position
    part.inspection.holds("joblib")
    if position < part.end and part.data[position] >= ord("("):  # the lowest opcode there is
        _suspect(part, scan.fork(_silent), fresh=False)
    size = _array_bytes(made.state)
    if size is None:  # an array of objects: another pickle follows at once
        inner, problem = _follow(part, position)
        if problem is not None:
            raise problem
        return inner.position
    if isinstance(made.state.get("numpy_array_alignment_bytes"), int):
        padding = part.data[position] if position < part.end else 0
        if padding >= ord("("):
            reason = "its array is padded so that a plain unpickler would read other opcodes than joblib does"
            part.report("dangerous", "two-readings", reason, position - part.start)
        position += 1 + padding
    if size > part.end - position:
        raise UnreadablePickle(
            position, f"an array claims {size:,} bytes of {max(0, part.end - position):,} left"
        )
    return position + size


def _array_bytes(state: dict[object, object]) -> int | None:
    shape, dtype = state.get("shape"), state.get("dtype")
    code = dtype.arguments[0] if isinstance(dtype, Made) and isinstance(dtype.arguments, tuple) else None
    details = dtype.state if isinstance(dtype, Made) and isinstance(dtype.state, tuple) else ()
    if not isinstance(code, str) or code[:1] == "O" or not isinstance(shape, tuple):
        return None
    if len(details) > 7 and isinstance(details[7], int) and details[7] & 1:  # fields that are objects
        return None
    width = details[5] if len(details) > 5 and isinstance(details[5], int) and details[5] > 0 else 0
    width = width or int("0" + re.sub(r"\D", "", code)[:9])
    return prod(n if isinstance(n, int) and n >= 0 else 0 for n in shape) * width


def _silent(level: str, kind: str, reason: str, at: int) -> None:
    pass


def _suspect(part: Part, scan: PickleScan, *, fresh: bool = True) -> None:
    """Follow bytes that need not be a pickle, and report the imports that would matter if they were."""
    heard: list[tuple[str, str, str, int]] = []
    scan.report = lambda *said: heard.append(said)
    with suppress(UnreadablePickle):
        scan.run()
    wanted = {"dangerous-import", "dangerous-call"}
    if fresh and scan.finished and scan.called:
        wanted.add("unknown-import")
    for level, kind, reason, at in heard:
        if kind in wanted:
            part.report(cast("Level", level), kind, f"read as a pickle, {reason}", at - part.start)


__all__ = ["examine_maybe_pickle", "examine_pickle", "pickle_ends"]
