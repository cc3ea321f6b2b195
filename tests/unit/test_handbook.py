"""The handbook pages in docs/ are what the code says today."""

from pathlib import Path

import pytest

from hornbook.accounting.handbook import adamw_page, transformer_page

FOLDER = Path(__file__).resolve().parents[2] / "docs" / "handbook"


@pytest.mark.parametrize(
    ("name", "page"), [("transformer_accounting", transformer_page), ("adamw_accounting", adamw_page)]
)
def test_a_page_is_current(name, page):
    assert (FOLDER / f"{name}.md").read_text() == page(), "run python tools/write_handbook.py"
