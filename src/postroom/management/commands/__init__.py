"""The subcommands of `postroom`, one a file.

Each has `arrange(parser)`, which adds its arguments, and `run(arguments)`, which gives the exit
status.
"""
