"""The detection benchmark: real data, known poison, every detector through one interface."""
