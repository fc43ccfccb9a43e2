"""Which recording a few noisy seconds are of, and which songs of a library are one recording.

Imports ``audio`` and ``library``; never ``cli``.
"""
