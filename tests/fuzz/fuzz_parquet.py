"""Look for bytes on which reading parquet files fails; see `harness`."""

import atheris

with atheris.instrument_imports(include=["foretaste"]):
    import foretaste.data  # noqa: F401

from harness import main

main("parquet")
