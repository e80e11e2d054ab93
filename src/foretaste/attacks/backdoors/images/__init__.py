"""Backdoors in images: one file each, the trigger beside the attack that plants it."""
