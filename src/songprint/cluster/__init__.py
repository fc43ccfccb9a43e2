"""Songs heard by a Ray cluster: the same ingest, with actors for workers.

Needs the extra ``[cluster]``; may import ``library`` and what that needs.
"""
