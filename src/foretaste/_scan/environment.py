"""What a scan ran on: figures are only comparable beside it."""

from __future__ import annotations

import platform
from importlib import metadata

from threadpoolctl import threadpool_info

from foretaste import __version__


def environment() -> dict[str, str]:
    """Versions of what decides about results and speed, as text.

    Returns
    -------
    dict of str to str
        ``foretaste``, ``python``, some libraries, ``blas`` and ``platform``.
    """
    found = {"foretaste": __version__, "python": platform.python_version()}
    for name in ("numpy", "scipy", "scikit-learn", "pyarrow"):
        found[name] = metadata.version(name)
    found["blas"] = blas()
    found["platform"] = f"{platform.system()} {platform.machine()}"
    return found


def blas() -> str:
    """Library, version and processor architecture of the linear algebra that numpy uses."""
    import numpy  # noqa: F401  (loads the library that is asked about)

    for library in threadpool_info():
        if library.get("user_api") == "blas":
            parts = (library.get("internal_api"), library.get("version"), library.get("architecture"))
            return " ".join(str(part) for part in parts if part)
    return "unknown"
