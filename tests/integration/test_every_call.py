"""Nothing is lost: every system call of every writer fails or is the last one, over an existing good file."""

import pytest
from harness.syscalls import SUPPORTED
from harness.writers import WRITERS, every_call

pytestmark = pytest.mark.skipif(not SUPPORTED, reason="the filter is written for Linux on x86-64")


@pytest.mark.parametrize("step", [8, pytest.param(1, marks=pytest.mark.slow)])
@pytest.mark.parametrize("name", WRITERS)
def test_the_old_or_the_new_is_whole_and_which_is_said(name, step):
    first = 1 + list(WRITERS).index(name) % step  # each writer's share is another one
    counts, wrong = every_call(name, step, first)
    assert not wrong, "\n".join(wrong)
    assert counts["EIO"]
    assert counts["kill"]
