"""Programs that put the engine under stress; the tests run them small, `python tests/harness/NAME.py` runs them
large."""
