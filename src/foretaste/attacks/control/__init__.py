"""Attacks on data that a system keeps collecting: ratings, indicators, behaviour."""
