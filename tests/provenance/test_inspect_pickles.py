"""Pickles are followed, never loaded: what they would do is said, whatever they do to hide it."""

from __future__ import annotations

import io
import pickle
import time
from contextlib import suppress
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from made_up_pickles import MALICIOUS, Harm, arguments, joblib_wrapper, unicode
from sklearn.ensemble import GradientBoostingClassifier, RandomForestClassifier
from sklearn.feature_extraction.text import TfidfVectorizer
from sklearn.linear_model import LogisticRegression
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler

from foretaste.provenance.model_files import Inspection, inspect_model


def inspected(tmp_path: Path, content: bytes, name: str = "model.pkl", **settings: Any) -> Inspection:
    """What an inspection says about these bytes."""
    file = tmp_path / name
    file.write_bytes(content)
    return inspect_model(file, **settings)


def kinds(found: Inspection) -> set[str]:
    return {concern.kind for concern in found.concerns}


@pytest.mark.parametrize("trick", MALICIOUS)
def test_a_dangerous_pickle_is_called_dangerous_and_not_run(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, trick: str
) -> None:
    monkeypatch.chdir(tmp_path)
    found = inspected(tmp_path, MALICIOUS[trick])
    assert found.verdict == "dangerous", found.concerns
    assert not Path("pwned").exists()


def test_the_reason_names_what_is_called_with_what_and_where(tmp_path: Path) -> None:
    found = inspected(tmp_path, pickle.dumps({"weights": Harm()}, protocol=2))
    call = next(concern for concern in found.concerns if concern.kind == "dangerous-call")
    assert call.reason.startswith("it calls posix.system('touch pwned'), which runs commands")
    assert call.position is not None
    assert (tmp_path / "model.pkl").read_bytes()[call.position : call.position + 1] == b"R"


@pytest.mark.parametrize("protocol", range(6))
@pytest.mark.parametrize("kind", ["logistic", "forest", "boosting", "pipeline", "text"])
def test_models_of_scikit_learn_are_safe_in_every_protocol(tmp_path: Path, kind: str, protocol: int) -> None:
    assert inspected(tmp_path, pickle.dumps(_model(kind), protocol=protocol)).concerns == []


@pytest.mark.parametrize("compress", [0, 3, ("gzip", 3), ("bz2", 3), ("xz", 3)])
@pytest.mark.parametrize("kind", ["forest", "boosting", "text"])
def test_models_in_joblib_files_are_safe(tmp_path: Path, kind: str, compress: Any) -> None:
    import joblib

    joblib.dump(_model(kind), tmp_path / "model.joblib", compress=compress)
    found = inspect_model(tmp_path / "model.joblib")
    assert (found.verdict, found.format) == ("safe", "joblib")


def test_code_behind_the_arrays_of_a_joblib_file_is_found(tmp_path: Path) -> None:
    import joblib

    x = np.arange(5000.0).reshape(-1, 5)
    for harm in ([x, Harm()], np.array([Harm(), None], dtype=object)):
        joblib.dump(harm, tmp_path / "model.joblib")
        assert inspect_model(tmp_path / "model.joblib").verdict == "dangerous"
    joblib.dump([x, np.array(["a", "bb"]), x.astype("f4"), x > 3], tmp_path / "model.joblib")
    assert inspect_model(tmp_path / "model.joblib").concerns == []


@pytest.mark.parametrize("padding", [None, b"\x01\xff", b"("])
def test_a_file_that_joblib_and_pickle_read_differently_is_dangerous(tmp_path: Path, padding: Any) -> None:
    payload = b"cos\nsystem\n" + arguments() + b"R."
    content = joblib_wrapper(len(payload), padding) + payload + b"."
    assert inspected(tmp_path, content).verdict == ("safe" if padding == b"\x01\xff" else "dangerous")


def test_an_import_nobody_vouches_for_is_unknown_until_it_is_allowed(tmp_path: Path) -> None:
    content = b"cmylab.models\nNet\n)R."
    found = inspected(tmp_path, content)
    assert (found.verdict, found.imports) == ("unknown", {"mylab.models.Net": 1})
    assert inspected(tmp_path, content, allowed={"mylab.models.*"}).verdict == "safe"
    assert inspected(tmp_path, content, allowed={"mylab.models.Net"}).verdict == "safe"
    assert inspected(tmp_path, content, allowed={"mylab.*"}).verdict == "unknown"
    assert inspected(tmp_path, MALICIOUS["GLOBAL"], allowed={"os.*", "posix.*"}).verdict == "dangerous"


@pytest.mark.parametrize(
    "content",
    [
        b"\x80\x04\x95",
        b"\x80\x04X\xff\xff\xff\x7fabc",
        b"\x80\x04\x8d" + b"\xff" * 8,
        b"\x80\x05\x96" + b"\xff" * 7 + b"\x7f",
        b"\x80\x02K",
        b"\x80\x02]",
        b"\x80\x02(I12",
        b"\x80\x02T\xff\xff\xff\xff",
        b"",
    ],
)
def test_a_broken_pickle_is_never_safe(tmp_path: Path, content: bytes) -> None:
    assert inspected(tmp_path, content).verdict == "malformed"


def test_a_bomb_of_nested_lists_costs_nothing(tmp_path: Path) -> None:
    doubling = b"]" + b"q\x00" + b"".join(b"h\x00h\x00\x86q\x00" for _ in range(5000))
    started = time.process_time()
    assert inspected(tmp_path, b"\x80\x02" + doubling + b".").verdict == "safe"
    assert inspected(tmp_path, b"\x80\x02" + b"(" * 200_000 + b".").verdict == "safe"
    assert inspected(tmp_path, b"cbuiltins\nbytearray\n(I99999999999999\ntR.").verdict == "malformed"
    assert time.process_time() - started < 60


def test_a_flood_of_findings_is_counted_and_bounded(tmp_path: Path) -> None:
    names = b"".join(b"ca%d\nb\n0" % number for number in range(3000))
    found = inspected(tmp_path, names + b"cos\nsystem\n0N.")
    assert (len(found.concerns), found.omitted, found.verdict) == (1000, 2001, "dangerous")


@settings(max_examples=60, deadline=None)
@given(st.binary(max_size=300))
def test_any_bytes_are_survived(tmp_path_factory: Any, content: bytes) -> None:
    folder = tmp_path_factory.getbasetemp()
    for head in (b"", b"\x80\x04", b"PK\x03\x04", b"\x93NUMPY\x01\x00", b"\x08\x08"):
        inspected(folder, head + content)


@settings(max_examples=30, deadline=None)
@given(st.data())
def test_a_payload_is_found_wherever_it_is_put_among_sound_values(tmp_path_factory: Any, data: Any) -> None:
    plain = st.recursive(
        st.none() | st.booleans() | st.integers() | st.floats() | st.text() | st.binary(),
        lambda inner: st.lists(inner) | st.dictionaries(st.text(), inner) | st.tuples(inner, inner),
        max_leaves=10,
    )
    values = data.draw(st.lists(plain, max_size=6))
    folder = tmp_path_factory.getbasetemp()
    protocol = data.draw(st.integers(0, 5))
    assert inspected(folder, pickle.dumps(values, protocol)).verdict == "safe"
    values.insert(data.draw(st.integers(0, len(values))), Harm())
    assert inspected(folder, pickle.dumps({"a": values}, protocol)).verdict == "dangerous"


def test_text_that_happens_to_begin_like_a_pickle_is_no_alarm(tmp_path: Path) -> None:
    for text in (b"cython\nnumpy\nscipy\n", b"import os\nos.system('x')\n", b"a,b\n1,2\n"):
        found = inspected(tmp_path, text, "requirements.txt")
        assert kinds(found) == {"unknown-format"}


def _model(kind: str) -> Any:
    x = np.random.default_rng(0).normal(size=(60, 4))
    y = (x[:, 0] > 0).astype(int)
    if kind == "text":
        return TfidfVectorizer().fit(["a good film", "a bad film"])
    made: dict[str, Any] = {
        "logistic": LogisticRegression(),
        "forest": RandomForestClassifier(2, random_state=0),
        "boosting": GradientBoostingClassifier(n_estimators=2, random_state=0),
        "pipeline": make_pipeline(StandardScaler(), LogisticRegression()),
    }
    return made[kind].fit(x, y)


def test_a_name_is_followed_through_unicode_and_memo(tmp_path: Path) -> None:
    content = b"\x80\x04" + unicode("collections") + b"\x94" + unicode("OrderedDict") + b"\x94\x93)R."
    found = inspected(tmp_path, content)
    assert (found.verdict, found.imports) == ("safe", {"collections.OrderedDict": 1})


class Recorder(pickle.Unpickler):
    """The real unpickler, except that it imports nothing: it writes down what it would have imported."""

    def __init__(self, content: bytes) -> None:
        super().__init__(io.BytesIO(content))
        self.wanted: set[str] = set()

    def find_class(self, module: str, name: str) -> Any:
        self.wanted.add(f"{module}.{name}")
        return Nothing

    def persistent_load(self, identity: Any) -> Any:
        return Nothing()


class Nothing:
    """Stands for every class; takes everything and does nothing."""

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        pass

    def __setstate__(self, state: Any) -> None:
        pass

    append = extend = __setitem__ = __init__


NAMES = [b"os", b"system", b"collections", b"OrderedDict", b"a.b"]
PIECES = st.one_of(
    st.sampled_from(
        [b"0", b"1", b"2", b"(", b")", b"t", b"l", b"d", b"]", b"}", b"a", b"e", b"s", b"u", b"N"]
    ),
    st.sampled_from([b"R", b"b", b"o", b"\x81", b"\x85", b"\x86", b"\x87", b"\x93", b"\x94", b"Q", b"\x88"]),
    st.sampled_from(NAMES).map(lambda name: b"\x8c" + bytes([len(name)]) + name),
    st.sampled_from(NAMES).map(lambda name: b"V" + name + b"\n"),
    st.sampled_from(NAMES).map(lambda name: b"S'" + name + b"'\n"),
    st.tuples(st.sampled_from([b"h", b"q"]), st.integers(0, 3)).map(lambda it: it[0] + bytes([it[1]])),
    st.tuples(st.sampled_from([b"g", b"p"]), st.integers(0, 3)).map(lambda it: it[0] + b"%d\n" % it[1]),
    st.tuples(st.sampled_from([b"c", b"i"]), st.sampled_from(NAMES)).map(
        lambda it: it[0] + it[1] + b"\nname\n"
    ),
)


@settings(max_examples=200, deadline=None)
@given(st.lists(PIECES, max_size=14), st.sampled_from([b"", b"\x80\x02", b"\x80\x04"]))
def test_whatever_the_real_unpickler_would_import_is_seen(
    tmp_path_factory: Any, pieces: list[bytes], head: bytes
) -> None:
    content = head + b"".join(pieces) + b"."
    real = Recorder(content)
    with suppress(Exception):
        real.load()
    found = inspected(tmp_path_factory.getbasetemp(), content)
    assert real.wanted <= set(found.imports), pieces
