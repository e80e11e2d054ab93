"""Attacks that change labels only (label control)."""
