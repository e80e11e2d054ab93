"""Model files, looked at without being loaded.

Examples
--------
>>> from foretaste.provenance.model_files import inspect_model
"""

from foretaste.provenance.model_files.concerns import Concern, Inspection
from foretaste.provenance.model_files.inspect import inspect_model

__all__ = ["Concern", "Inspection", "inspect_model"]
