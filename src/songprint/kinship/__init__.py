"""How alike songs are and why, and what grows from that: neighbours, stations, paths, clusters.

Imports ``library.catalogue`` (plain columns), ``genre.taxonomy`` (names), numpy, scipy and
scikit-learn; knows no store, no file and no terminal.
"""
