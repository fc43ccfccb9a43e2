"""How many threads numpy's matrix products have, which is settled before numpy is loaded.

On threads of their own, which wait for each other actively, small products take thrice the time
that they need on one; songs are heard and found in parallel anyway.
"""

from __future__ import annotations

import os

BLAS = ("OPENBLAS_NUM_THREADS", "MKL_NUM_THREADS", "VECLIB_MAXIMUM_THREADS")


def prefer_one_thread() -> None:
    """Keep matrix products to the thread that asks, unless the environment says otherwise."""
    for setting in BLAS:
        os.environ.setdefault(setting, "1")


def require_one_thread() -> None:
    """Keep all arithmetic to one thread: of a process that is one of many."""
    for setting in ("OMP_NUM_THREADS", *BLAS):
        os.environ[setting] = "1"
