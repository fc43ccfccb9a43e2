"""What Ctrl-C does before a command has begun, and after it has ended: end the process quietly.

Python's own answer, an exception, is for what a command has begun and must leave in order. Raised
between two imports it would be a traceback on the screen.
"""

import os
import signal

INTERRUPTED = 130
"""The exit code."""


def quit_when_interrupted() -> None:
    """Let Ctrl-C end the process at once; unless whoever started us said that it is not for us."""
    if signal.getsignal(signal.SIGINT) is signal.default_int_handler:
        signal.signal(signal.SIGINT, _quit)


def raise_when_interrupted() -> None:
    """Let Ctrl-C raise ``KeyboardInterrupt`` again."""
    if signal.getsignal(signal.SIGINT) is _quit:
        signal.signal(signal.SIGINT, signal.default_int_handler)


def _quit(*_: object) -> None:
    os._exit(INTERRUPTED)
