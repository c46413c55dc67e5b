"""Hear back: take notifications in, keep them raw, and turn them into events later."""
