# Written by tools/write_stubs.py; do not edit.
"""hornbook's CPU kernels, by address"""

from collections.abc import Sequence

def variant() -> str:
    """The instruction set that the kernels run on this machine."""

def attention_forward(
    arg0: tuple[int, int, int, int, int, int, int, int, float, int],
    arg1: tuple[int, int, int, int],
    arg2: tuple[int, int, int, int],
    arg3: tuple[int, int, int, int],
    arg4: tuple[int, int, int, int],
    arg5: int,
    /,
) -> None: ...
def attention_backward(
    arg0: tuple[int, int, int, int, int, int, int, int, float, int],
    arg1: tuple[int, int, int, int],
    arg2: tuple[int, int, int, int],
    arg3: tuple[int, int, int, int],
    arg4: tuple[int, int, int, int],
    arg5: int,
    arg6: tuple[int, int, int, int],
    arg7: tuple[int, int, int, int],
    arg8: tuple[int, int, int, int],
    arg9: tuple[int, int, int, int],
    arg10: int,
    /,
) -> None: ...
def rms_norm_forward(
    arg0: int, arg1: int, arg2: int, arg3: float, arg4: int, arg5: int, arg6: int, arg7: int, arg8: int, /
) -> None: ...
def rms_norm_backward(
    arg0: int,
    arg1: int,
    arg2: int,
    arg3: int,
    arg4: int,
    arg5: int,
    arg6: int,
    arg7: int,
    arg8: int,
    arg9: int,
    arg10: int,
    /,
) -> None: ...
def swiglu_forward(arg0: int, arg1: int, arg2: int, arg3: int, arg4: int, /) -> None: ...
def swiglu_backward(arg0: int, arg1: int, arg2: int, arg3: int, arg4: int, arg5: int, /) -> None: ...
def cross_entropy(
    arg0: int, arg1: int, arg2: int, arg3: int, arg4: float, arg5: float, arg6: bool, arg7: int, arg8: int, /
) -> None: ...
def decode(
    arg0: Sequence[int],
    arg1: int,
    arg2: int,
    arg3: float,
    arg4: float,
    arg5: int,
    arg6: int,
    arg7: int,
    arg8: Sequence[Sequence[int]],
    arg9: int,
    arg10: int,
    arg11: int,
    arg12: int,
    arg13: int,
    arg14: int,
    /,
) -> None: ...
def keep_freed_memory() -> bool: ...
