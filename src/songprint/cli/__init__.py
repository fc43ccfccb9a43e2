"""The command line: ``app.py`` puts it together, one file a command holds the rest.

A module here imports nothing heavy at its top, so that ``songprint --help`` is quick.
May import everything but ``learn``, which only its own commands load. Nothing imports ``cli``.
"""
