"""Defences: ``sanitise`` the data, ``train`` robustly on what is there, ``repair`` a trained model."""
