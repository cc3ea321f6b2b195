"""The command line: functions that take the arguments of a subcommand as parameters (arguments.py)."""
