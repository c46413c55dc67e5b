"""Rehearsals: a failure made on purpose, with simulated providers, and what came of it."""
