"""Attacks that give a security model a blind spot."""
