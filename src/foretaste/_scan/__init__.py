"""The main job: data -> plan -> evidence -> decision -> `Findings`.

`run.scan` is the whole of it in one sitting; ``plan`` says what runs, ``tables`` what is decided about every
row, ``exhibits`` what a report shows.
"""

from foretaste._scan.run import scan

__all__ = ["scan"]
