"""Attacks on data collected from the web, where content changes between the index and the download."""
