"""Web applications of a run: the completions API (`hornbook serve`) and the page to look at (`hornbook ui`)."""

from __future__ import annotations

import importlib

from hornbook.errors import HornbookError


def check_installed() -> None:
    """Raise HornbookError unless the libraries of the extra `serve` are there."""
    try:
        for name in ("fastapi", "uvicorn", "prometheus_client"):
            importlib.import_module(name)
    except ModuleNotFoundError as error:
        raise HornbookError(f"serving needs {error.name}: pip install 'hornbook[serve]'") from None
