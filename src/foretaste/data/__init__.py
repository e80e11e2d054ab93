"""Rows with roles: readers, writers, column profile, content hashes."""

from foretaste.data.dataset import Codes, ColumnNote, Dataset, Roles, encode
from foretaste.data.formats import DataFile, open_file
from foretaste.data.limits import Limits

__all__ = ["Codes", "ColumnNote", "DataFile", "Dataset", "Limits", "Roles", "encode", "open_file"]
