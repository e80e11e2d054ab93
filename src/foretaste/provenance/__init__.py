"""Where data and models come from, and proof that nothing was changed since."""
