"""Attacks that plant a trigger, and the triggers (data control)."""
