"""Attacks that make a model tell more about its training rows."""
