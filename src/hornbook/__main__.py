"""`python -m hornbook` is the same as `hornbook`."""

from hornbook.cli.main import entry

if __name__ == "__main__":
    entry()
