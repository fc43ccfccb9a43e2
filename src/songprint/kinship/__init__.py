"""How alike songs are and why, and what grows from that: neighbours, stations, paths, clusters.

Imports ``library.catalogue`` (plain columns) and numpy; knows no store, no file and no terminal.
"""
