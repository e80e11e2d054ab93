"""Attacks that add rows, or a whole bad source (injection)."""
