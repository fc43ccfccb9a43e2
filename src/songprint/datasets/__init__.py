"""Data sets on a user's disk: what lies where, its labels, artists and official splits.

``opening.py`` finds the loader. May import ``audio``, ``genre.taxonomy`` and ``errors``.
"""
