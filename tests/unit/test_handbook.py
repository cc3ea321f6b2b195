"""The handbook pages in docs/ are what the code says today."""

import subprocess
import sys
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]


def test_the_accounting_pages_are_current():
    command = [sys.executable, str(ROOT / "tools" / "handbook.py"), "--check"]
    result = subprocess.run(command, capture_output=True, text=True, check=False)
    assert result.returncode == 0, result.stderr
