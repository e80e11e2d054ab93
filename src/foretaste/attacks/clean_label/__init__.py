"""Attacks whose rows keep the right label: what is in them was optimised (data control)."""
