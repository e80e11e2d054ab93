"""What a pickle would do, found out by following its opcodes without doing any of it.

A small abstract unpickler: it keeps a stack and a memo of what each value *is* (a string, an import, the
result of a call, anything else), so that names put together on the stack, fetched from the memo or hidden
behind aliases are seen as the real unpickler would see them. Nothing is imported, called or built. Work and
memory are bounded; where a bound is reached the scan says that it did not finish, which is never "safe".

After E. Sultanik, "Never a dill moment: exploiting machine learning pickle files", 2021 (Fickling), and the
opcode documentation in the standard library's `pickletools`.
"""

from __future__ import annotations

from collections.abc import Callable, Collection, Mapping
from typing import Any, cast

from foretaste.provenance.model_files.imports import danger, harmless, modern
from foretaste.provenance.model_files.pickle_opcodes import (
    OPAQUE,
    Buffer,
    Opcode,
    UnreadablePickle,
    read_opcode,
)
from foretaste.provenance.model_files.pickle_values import (
    CONSTANTS,
    KEPT,
    PUSHED,
    Import,
    Made,
    fill,
    large,
    number,
    shown,
)

OPCODES = 20_000_000
"""Opcodes followed in one pickle."""

Report = Callable[[str, str, str, int], None]
"""``report(level, kind, reason, position)``."""


LOADER = Import("torch.storage", "_load_from_bytes")
"""Loads the bytes it is given as a checkpoint: they are looked at as well."""
NESTED = 10_000


class PickleScan:
    """Follow one pickle.

    Parameters
    ----------
    data : bytes or mmap
    start, end : int
        Where the pickle begins and the data end.
    report : callable
        Receives what is found.
    allowed : collection of str
        Names a user vouches for.
    built : callable, optional
        Asked after every BUILD, with the object and where the next opcode is; returns where to go on. Joblib
        writes raw arrays there.
    """

    def __init__(
        self,
        data: Buffer,
        start: int,
        end: int,
        report: Report,
        *,
        allowed: Collection[str] = (),
        built: Callable[[Made, int, PickleScan], int] | None = None,
    ) -> None:
        self.data, self.position, self.end = data, start, end
        self.imports: dict[Import, int] = {}
        self.called: set[Import] = set()
        self.nested: list[tuple[Made, int]] = []
        self.result: object = OPAQUE
        self.finished = False
        self.memo: dict[int, object] = {}
        self._outer: Mapping[int, object] = {}
        self.report, self._allowed, self._built = report, allowed, built
        self._stack: list[Any] = []
        self._marks: list[int] = []

    def run(self) -> int:
        """Follow the pickle to its STOP; where the next byte is.

        Raises
        ------
        UnreadablePickle
            Where it cannot be followed any further; all that was found before is reported.
        """
        for _ in range(OPCODES):
            opcode = read_opcode(self.data, self.position, self.end)
            self.position = opcode.end
            if opcode.name == "STOP":
                self.result, self.finished = self._pop(), True
                return self.position
            self._follow(opcode)
        raise UnreadablePickle(
            self.position, f"it has more than {OPCODES:,} opcodes; the rest was not followed"
        )

    def fork(self, report: Report) -> PickleScan:
        """Another scan that goes on from here, as an unpickler without the hook would."""
        other = PickleScan(self.data, self.position, self.end, report, allowed=self._allowed)
        other._outer, other._stack, other._marks = self.memo, list(self._stack), list(self._marks)
        return other

    def _follow(self, opcode: Opcode) -> None:
        name, stack = opcode.name, self._stack
        if name in CONSTANTS:
            stack.append(CONSTANTS[name])
        elif name in PUSHED:
            stack.append(opcode.argument)
        elif name in _ACTIONS:
            _ACTIONS[name](self, opcode)
        else:  # BYTEARRAY8, NEXT_BUFFER, PERSID, and whatever a later protocol pushes
            stack.append(OPAQUE)

    def _pop(self) -> Any:
        if self._marks and len(self._stack) <= self._marks[-1]:
            self._marks.pop()  # a pickle that pops its mark is not one that Python writes
            return OPAQUE
        return self._stack.pop() if self._stack else OPAQUE

    def _pop_mark(self) -> list[Any]:
        at = self._marks.pop() if self._marks else len(self._stack)
        items = self._stack[at:]
        del self._stack[at:]
        return items

    # What opcodes do.

    def _mark(self, _: Opcode) -> None:
        self._marks.append(len(self._stack))

    def _drop(self, _: Opcode) -> None:
        self._pop()

    def _drop_to_mark(self, _: Opcode) -> None:
        self._pop_mark()

    def _dup(self, _: Opcode) -> None:
        self._stack.append(self._stack[-1] if self._stack else OPAQUE)

    def _get(self, opcode: Opcode) -> None:
        key = opcode.argument if isinstance(opcode.argument, int) else number(opcode.argument)
        found = self.memo.get(key, OPAQUE)
        self._stack.append(self._outer.get(key, OPAQUE) if found is OPAQUE else found)

    def _put(self, opcode: Opcode) -> None:
        key = opcode.argument if isinstance(opcode.argument, int) else number(opcode.argument)
        self.memo[key] = self._stack[-1] if self._stack else OPAQUE

    def _memoize(self, _: Opcode) -> None:
        self.memo[len(self._outer) + len(self.memo)] = self._stack[-1] if self._stack else OPAQUE

    def _tuple(self, opcode: Opcode) -> None:
        if opcode.name == "TUPLE":
            self._stack.append(tuple(self._pop_mark()))
            return
        items = [self._pop() for _ in range(int(opcode.name[-1]))]
        self._stack.append(tuple(reversed(items)))

    def _new_list(self, opcode: Opcode) -> None:
        self._stack.append(self._pop_mark()[:KEPT] if opcode.name == "LIST" else [])

    def _new_dict(self, opcode: Opcode) -> None:
        made: dict[Any, Any] = {}
        if opcode.name == "DICT":
            fill(made, self._pop_mark())
        self._stack.append(made)

    def _new_set(self, opcode: Opcode) -> None:
        if opcode.name == "FROZENSET":
            self._pop_mark()
        self._stack.append(OPAQUE)

    def _append(self, opcode: Opcode) -> None:
        items = self._pop_mark() if opcode.name in ("APPENDS", "ADDITEMS") else [self._pop()]
        target = self._stack[-1] if self._stack else OPAQUE
        if isinstance(target, list):
            target.extend(items[: max(0, KEPT - len(target))])
        self._check_target(target, opcode)

    def _set_item(self, opcode: Opcode) -> None:
        items = self._pop_mark() if opcode.name == "SETITEMS" else [self._pop(), self._pop()][::-1]
        target = self._stack[-1] if self._stack else OPAQUE
        if isinstance(target, dict):
            fill(target, items)
        self._check_target(target, opcode)

    def _check_target(self, target: object, opcode: Opcode) -> None:
        if isinstance(target, Import):
            reason = f"it changes {target!r} itself, which everything else in the program uses"
            self.report("dangerous", "changes-import", reason, opcode.position)

    def _global(self, opcode: Opcode) -> None:
        module, name = cast("tuple[str, str]", opcode.argument)
        self._stack.append(self._imported(module, name, opcode.position))

    def _stack_global(self, opcode: Opcode) -> None:
        name, module = self._pop(), self._pop()
        if isinstance(module, str) and isinstance(name, str):
            self._stack.append(self._imported(module, name, opcode.position))
            return
        reason = "it imports a name that is put together while loading, so it cannot be known before"
        self.report("dangerous", "hidden-import", reason, opcode.position)
        self._stack.append(OPAQUE)

    def _extension(self, opcode: Opcode) -> None:
        reason = (
            f"it imports number {opcode.argument} of the extension registry, "
            "whose meaning depends on the program that loads it"
        )
        self.report("dangerous", "hidden-import", reason, opcode.position)
        self._stack.append(OPAQUE)

    def _imported(self, module: str, name: str, position: int) -> Import:
        found = Import(modern(module), name)
        self.imports[found] = self.imports.get(found, 0) + 1
        if self.imports[found] > 1:
            return found
        why = danger(module, name)
        if f"{found!r}" in self._allowed or (why is None and harmless(module, name, self._allowed)):
            return found
        if why is not None:
            self.report("dangerous", "dangerous-import", f"it imports {found!r}, which {why}", position)
        else:
            reason = f"it imports {found!r}, which is not known to be harmless"
            self.report("unknown", "unknown-import", reason, position)
        return found

    def _call(self, callee: object, arguments: object, opcode: Opcode) -> None:
        made = Made(callee, arguments)
        if isinstance(callee, Import):
            self.called.add(callee)
            if callee == LOADER and len(self.nested) < NESTED:
                self.nested.append((made, opcode.position))
            if (why := danger(callee.module, callee.name)) and f"{callee!r}" not in self._allowed:
                given = shown(arguments) if isinstance(arguments, tuple) else "(…)"
                reason = f"it calls {callee!r}{given}, which {why}"
                self.report("dangerous", "dangerous-call", reason, opcode.position)
            elif callee.name in ("bytearray", "bytes") and large(arguments):
                reason = f"it calls {callee!r}{shown(arguments)}, which fills the memory"
                self.report("malformed", "memory-bomb", reason, opcode.position)
        else:
            reason = f"it calls {shown(callee)}, which is put together while loading"
            self.report("dangerous", "hidden-call", reason, opcode.position)
        self._stack.append(made)

    def _reduce(self, opcode: Opcode) -> None:
        arguments = self._pop()
        self._call(self._pop(), arguments, opcode)

    def _new_object(self, opcode: Opcode) -> None:
        if opcode.name == "NEWOBJ_EX":
            self._pop()
        arguments = self._pop()
        self._call(self._pop(), arguments, opcode)

    def _object(self, opcode: Opcode) -> None:
        items = self._pop_mark()
        callee = items[0] if items else OPAQUE
        self._call(callee, tuple(items[1:]), opcode)

    def _instance(self, opcode: Opcode) -> None:
        module, name = cast("tuple[str, str]", opcode.argument)
        arguments = tuple(self._pop_mark())
        self._call(self._imported(module, name, opcode.position), arguments, opcode)

    def _build(self, opcode: Opcode) -> None:
        state = self._pop()
        target = self._stack[-1] if self._stack else OPAQUE
        self._check_target(target, opcode)
        if isinstance(target, Made):
            target.state = state
            if self._built is not None:
                self.position = self._built(target, self.position, self)

    def _persistent(self, _: Opcode) -> None:
        identity = self._pop()
        # PyTorch before 1.6 stored a class with its source text: ("module", class, file, source).
        is_class = isinstance(identity, tuple) and len(identity) > 1 and identity[0] == "module"
        self._stack.append(identity[1] if is_class and isinstance(identity[1], Import) else OPAQUE)

    def _ignore(self, _: Opcode) -> None:
        pass


_ACTIONS: dict[str, Callable[[PickleScan, Opcode], None]] = {
    **dict.fromkeys(("PROTO", "FRAME", "READONLY_BUFFER"), PickleScan._ignore),
    **dict.fromkeys(("GET", "BINGET", "LONG_BINGET"), PickleScan._get),
    **dict.fromkeys(("PUT", "BINPUT", "LONG_BINPUT"), PickleScan._put),
    **dict.fromkeys(("TUPLE", "TUPLE1", "TUPLE2", "TUPLE3"), PickleScan._tuple),
    **dict.fromkeys(("LIST", "EMPTY_LIST"), PickleScan._new_list),
    **dict.fromkeys(("DICT", "EMPTY_DICT"), PickleScan._new_dict),
    **dict.fromkeys(("EMPTY_SET", "FROZENSET"), PickleScan._new_set),
    **dict.fromkeys(("APPEND", "APPENDS", "ADDITEMS"), PickleScan._append),
    **dict.fromkeys(("SETITEM", "SETITEMS"), PickleScan._set_item),
    **dict.fromkeys(("EXT1", "EXT2", "EXT4"), PickleScan._extension),
    **dict.fromkeys(("NEWOBJ", "NEWOBJ_EX"), PickleScan._new_object),
    "EMPTY_TUPLE": lambda scan, _: scan._stack.append(()),
    "MARK": PickleScan._mark,
    "POP": PickleScan._drop,
    "POP_MARK": PickleScan._drop_to_mark,
    "DUP": PickleScan._dup,
    "MEMOIZE": PickleScan._memoize,
    "GLOBAL": PickleScan._global,
    "STACK_GLOBAL": PickleScan._stack_global,
    "REDUCE": PickleScan._reduce,
    "OBJ": PickleScan._object,
    "INST": PickleScan._instance,
    "BUILD": PickleScan._build,
    "BINPERSID": PickleScan._persistent,
}

__all__ = ["LOADER", "OPCODES", "Import", "Made", "PickleScan"]
