"""The demonstration: a real communication through a whole installation, up to its last word."""
