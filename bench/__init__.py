"""The measurements behind the claims; run by `make bench`."""
