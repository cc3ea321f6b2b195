"""The package as a whole: importing it is cheap and does nothing."""

import subprocess
import sys


def test_import_does_not_load_torch():
    code = "import sys, hornbook; sys.exit('torch' in sys.modules or 'numpy' in sys.modules)"
    assert subprocess.run([sys.executable, "-c", code], check=False).returncode == 0
