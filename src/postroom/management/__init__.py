"""The wiring: how an installation is set up, started, kept alive, examined and commanded."""
