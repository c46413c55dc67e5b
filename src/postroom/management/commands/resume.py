"""`postroom resume`: what was paused goes on."""

from argparse import Namespace

from postroom.management.commands.pause import arrange, switch

__all__ = ["arrange", "run"]


def run(arguments: Namespace) -> int:
    """Lets it go on."""
    return switch(arguments, paused=False)
