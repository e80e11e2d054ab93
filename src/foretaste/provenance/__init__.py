"""Where data and models come from, and proof that nothing was changed since.

Hashes and signatures prove integrity and origin, not goodness: a signed poisoned source is still poisoned.
"""
