"""Attacks that make a model worse for everybody (injection of optimised rows)."""
