"""Pickles that would do harm if they were loaded, written opcode by opcode; none is ever loaded here."""

from __future__ import annotations

import pickle
import struct
from pathlib import Path

MARKER = Path("pwned")


def unicode(text: str) -> bytes:
    """SHORT_BINUNICODE."""
    raw = text.encode()
    return b"\x8c" + bytes([len(raw)]) + raw


def arguments(command: str = "touch pwned") -> bytes:
    """A tuple of one string."""
    return unicode(command) + b"\x85"


class Harm:
    """Unpickling an instance would run a command."""

    def __reduce__(self) -> tuple[object, tuple[str]]:
        import os

        return os.system, ("touch pwned",)


MALICIOUS: dict[str, bytes] = {
    "GLOBAL": b"\x80\x02cos\nsystem\n" + arguments() + b"R.",
    "protocol 0": b"cos\nsystem\n(S'touch pwned'\ntR.",
    "Python 2 name": b"c__builtin__\neval\n(S'1'\ntR.",
    "STACK_GLOBAL": b"\x80\x04" + unicode("posix") + unicode("system") + b"\x93" + arguments() + b"R.",
    "STACK_GLOBAL from the memo": (
        b"\x80\x04" + unicode("system") + b"\x94" + unicode("os") + b"\x94" + b"00" + b"h\x01h\x00\x93"
        + arguments() + b"R."
    ),
    "escaped protocol 0 name": b"\x80\x04V\\u006f\\u0073\nV\\u0073ystem\n\x93" + arguments() + b"R.",
    "name from a STRING": b"\x80\x04S'\\x6fs'\nS\"system\"\n\x93" + arguments() + b"R.",
    "dotted name": (
        b"\x80\x04" + unicode("torch.serialization") + unicode("os.system") + b"\x93" + arguments() + b"R."
    ),
    "dunder walk": (
        b"\x80\x04" + unicode("collections") + unicode("OrderedDict.__init__.__globals__") + b"\x93."
    ),
    "computed name": (
        b"\x80\x04cbuiltins\nstr\n" + arguments("os") + b"R" + unicode("system")
        + b"\x93" + arguments() + b"R."
    ),
    "INST": b"(S'touch pwned'\nios\nsystem\n.",
    "OBJ": b"(cos\nsystem\nS'touch pwned'\no.",
    "NEWOBJ": b"\x80\x02csubprocess\nPopen\n" + arguments() + b"\x81.",
    "NEWOBJ_EX": b"\x80\x04csubprocess\nPopen\n" + arguments() + b"}\x92.",
    "extension registry": b"\x80\x02\x82\x01" + arguments() + b"R.",
    "call of a call": b"\x80\x02ccollections\ndefaultdict\n)R" + arguments() + b"R.",
    "BUILD on a class": b"\x80\x02ccollections\nOrderedDict\n}" + unicode("update") + unicode("x") + b"sb.",
    "SETITEM on a module": b"\x80\x04cpandas\noptions\n" + unicode("a") + unicode("b") + b"s.",
    "payload, then rubbish": b"\x80\x02cos\nsystem\n" + arguments() + b"R\xff\xff\xff",
    "payload, then nothing": b"\x80\x02cos\nsystem\n" + arguments() + b"R",
    "popped out of sight": b"\x80\x02cos\nsystem\n" + arguments() + b"R0N.",
    "second pickle": pickle.dumps({"weights": [1.0]}) + b"\x80\x02cos\nsystem\n" + arguments() + b"R.",
    "second pickle of protocol 0": pickle.dumps([1]) + b"cos\nsystem\n(S'touch pwned'\ntR.",
    "importlib": b"cimportlib\nimport_module\n(S'os'\ntR.",
    "runpy": b"crunpy\n_run_code\n(S'x'\ntR.",
    "socket": b"csocket\ncreate_connection\n(S'x'\ntR.",
    "ctypes": b"cctypes\nCDLL\n(S'x'\ntR.",
    "getattr": b"cbuiltins\ngetattr\n(S'x'\ntR.",
    "pip.main (CVE-2025-1716)": b"cpip\nmain\n(S'install x'\ntR.",
    "submodule of a bad one": b"casyncio.unix_events\n_UnixSubprocessTransport._start\n(tR.",
    "numpy runstring": b"cnumpy.testing._private.utils\nrunstring\n(S'x'\n}tR.",
    "pickle in a pickle": b"\x80\x02c_pickle\nloads\nC\x03abc\x85R.",
    "torch bytes": (
        b"\x80\x03ctorch.storage\n_load_from_bytes\nC\x19\x80\x02cos\nsystem\nX\x04\x00\x00\x00exit\x85R.\x85R."
    ),
    "memo by text": b"cos\nsystem\np7\n0g7\n(S'touch pwned'\ntR.",
    "mark games": b"((((cos\nsystem\n(S'touch pwned'\ntR.",
    "underflow first": b"0000cos\nsystem\n(S'touch pwned'\ntR.",
}  # fmt: skip
"""By trick; every one is dangerous."""


def joblib_wrapper(size: int, padding: bytes | None) -> bytes:
    """A joblib pickle up to the BUILD after which joblib reads ``size`` raw bytes."""
    state = (
        b"}(" + unicode("shape") + b"J" + struct.pack("<i", size) + b"\x85" + unicode("dtype")
        + b"cnumpy\ndtype\n" + unicode("u1") + b"\x89\x88\x87R"
    )  # fmt: skip
    if padding is not None:
        state += unicode("numpy_array_alignment_bytes") + b"K\x10"
    begin = b"\x80\x04cjoblib.numpy_pickle\nNumpyArrayWrapper\n)\x81" + state + b"ub"
    return begin + (padding or b"")
