"""Send: claim, compose, hand over, record the attempt."""
