"""The carriers: one file per provider, both directions. Wire formats only; no database."""
