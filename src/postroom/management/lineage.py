"""Lets a child process end with its parent, also when the parent is killed."""

import ctypes
import signal
import sys
from collections.abc import Callable

_PR_SET_PDEATHSIG = 1  # linux/prctl.h


def ends_with_parent(by: signal.Signals) -> Callable[[], None] | None:
    """Gives a `preexec_fn` that has the kernel send `by` when the parent's thread is gone.

    None where the kernel cannot do that. To be used from the main thread of a process that has no
    other: it runs between fork and exec, after the change of user (which would undo it).
    """
    if sys.platform != "linux":
        return None
    libc = ctypes.CDLL(None, use_errno=True)  # loaded here: nothing is loaded after the fork
    number = int(by)

    def arrange() -> None:
        libc.prctl(_PR_SET_PDEATHSIG, number, 0, 0, 0)

    return arrange
