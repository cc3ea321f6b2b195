"""Parameters, FLOPs, memory and time of a model, by formulas that are checked (no torch)."""

from hornbook.accounting.summary import Account, account

__all__ = ["Account", "account"]
