"""Backdoors in sound: one file each, the trigger beside the attack that plants it."""
