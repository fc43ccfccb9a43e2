"""From an embedding to calibrated genre probabilities, or "unsure".

May import ``encoder`` and ``errors``.
"""
