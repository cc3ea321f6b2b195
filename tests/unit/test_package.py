"""The package as a whole: importing it is cheap and does nothing."""

import subprocess
import sys


def test_import_does_not_load_torch():
    code = "import sys, hornbook; sys.exit('torch' in sys.modules or 'numpy' in sys.modules)"
    assert subprocess.run([sys.executable, "-c", code], check=False).returncode == 0


def test_what_lives_until_the_end_of_a_script_is_not_reported_as_a_leak():
    code = """
import sys, torch, hornbook as hb
config = hb.ModelConfig(vocab_size=32, context_length=8, d_model=16, num_layers=1, num_heads=2)
model = hb.TransformerLM(config).use_fused()
loss = model.loss(torch.arange(8)[None], torch.arange(8)[None])
sys.modules["kept"] = loss  # with its graph, as a global of a script may be
"""
    result = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert result.stderr == ""
