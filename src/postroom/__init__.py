"""Postroom: the one room all of an organisation's mail goes through, and the ledger of it."""

__version__ = "0.1.0"
