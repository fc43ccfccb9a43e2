"""Figures of songs and of genres, one function a figure, drawn by matplotlib without a window.

May import ``audio``, ``descriptors``, ``datasets.core``, ``fingerprints`` and ``errors``. The
functions take numbers and return a `matplotlib.figure.Figure`; nothing here opens a song.
"""
