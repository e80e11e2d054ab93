"""foretaste: taste the data before the model does."""

__version__ = "0.1.0"
