"""The ledger: the only room with tables and SQL. Every write is a named function."""
