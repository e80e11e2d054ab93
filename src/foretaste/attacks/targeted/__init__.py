"""Attacks on one instance or one group of instances."""
