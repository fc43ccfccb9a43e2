"""The page of a library: a REST API on FastAPI, and static modules that a browser runs.

May import everything but ``learn``; nothing imports it but ``cli/serve.py``.
"""
