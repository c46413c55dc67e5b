"""The rules: pure functions and versioned tables. No clock, network, database or framework."""
