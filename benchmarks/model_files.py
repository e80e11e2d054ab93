"""Which malicious pickles are seen, and which sound models are let through, beside other scanners.

    python -m benchmarks.model_files [--peers PYTHON]

The malicious files are the hand-made ones of the tests, one per trick, so they are our choice; the sound ones
are scikit-learn models in every protocol and in joblib's format. ``--peers`` names the interpreter of another
environment that has picklescan, fickling and modelscan; they are run as programs. No file is ever loaded.
"""

from __future__ import annotations

import argparse
import json
import pickle
import subprocess
import sys
import tempfile
import time
from pathlib import Path
from typing import Any

import joblib
import numpy as np
from sklearn.ensemble import GradientBoostingClassifier, RandomForestClassifier
from sklearn.feature_extraction.text import TfidfVectorizer
from sklearn.linear_model import LogisticRegression
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler

from foretaste.provenance.model_files import inspect_model

TESTS = Path(__file__).resolve().parents[1] / "tests" / "provenance"
PEERS = r"""
import json, logging, subprocess, sys
logging.disable(logging.CRITICAL)
from pathlib import Path
said = {"picklescan": {}, "fickling": {}, "modelscan": {}}
for path in sorted(Path(sys.argv[1]).iterdir()):
    from picklescan.scanner import scan_file_path
    try:
        found = scan_file_path(str(path))
        said["picklescan"][path.name] = bool(found.issues_count or found.scan_err)
    except Exception:
        said["picklescan"][path.name] = True
    import fickling
    try:
        said["fickling"][path.name] = not fickling.is_likely_safe(str(path))
    except Exception:
        said["fickling"][path.name] = True
    program = str(Path(sys.executable).parent / "modelscan")
    done = subprocess.run([program, "-p", str(path)], capture_output=True)
    said["modelscan"][path.name] = done.returncode in (1, 2)
print(json.dumps(said))
"""


def malicious() -> dict[str, bytes]:
    """One file per trick."""
    sys.path.insert(0, str(TESTS))
    from made_up_pickles import MALICIOUS

    return {f"bad-{number:02d}.pkl": content for number, content in enumerate(MALICIOUS.values())}


def sound(folder: Path) -> list[str]:
    """Write models of scikit-learn; gives the names of the files."""
    x = np.random.default_rng(0).normal(size=(200, 4))
    y = (x[:, 0] > 0).astype(int)
    models: dict[str, Any] = {
        "forest": RandomForestClassifier(5, random_state=0).fit(x, y),
        "boosting": GradientBoostingClassifier(n_estimators=3, random_state=0).fit(x, y),
        "pipeline": make_pipeline(StandardScaler(), LogisticRegression()).fit(x, y),
        "text": TfidfVectorizer().fit(["a good film", "a bad film"]),
    }
    names = []
    for name, model in models.items():
        for protocol in range(6):
            names.append(f"good-{name}-{protocol}.pkl")
            (folder / names[-1]).write_bytes(pickle.dumps(model, protocol))
        names.append(f"good-{name}.joblib")
        joblib.dump(model, folder / names[-1])
    return names


def main() -> None:
    """Print, per scanner, how many malicious files it flags and how many sound ones."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--peers", help="interpreter with picklescan, fickling and modelscan")
    peers = parser.parse_args().peers
    with tempfile.TemporaryDirectory() as place:
        folder = Path(place)
        bad = malicious()
        for name, content in bad.items():
            (folder / name).write_bytes(content)
        good = sound(folder)
        started = time.process_time()
        said = {"foretaste": {n: inspect_model(folder / n).verdict != "safe" for n in (*bad, *good)}}
        seconds = time.process_time() - started
        if peers:
            command = [peers, "-c", PEERS, str(folder)]
            said |= json.loads(
                subprocess.run(command, check=True, capture_output=True).stdout.splitlines()[-1]
            )
    print(f"{'scanner':<12}{'malicious flagged':>20}{'sound flagged':>16}")
    for scanner, flagged in said.items():
        hits = sum(flagged[name] for name in bad)
        alarms = sum(flagged[name] for name in good)
        print(f"{scanner:<12}{hits:>12} of {len(bad):<5}{alarms:>8} of {len(good)}")
    print(f"foretaste: {seconds / (len(bad) + len(good)) * 1000:.1f} CPU ms per file")


if __name__ == "__main__":
    main()
