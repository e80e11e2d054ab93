"""What rows that are known to be right tell about the others."""
