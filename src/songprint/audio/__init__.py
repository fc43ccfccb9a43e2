"""From any audio file to samples and log-mel frames.

Imports nothing of songprint but ``errors``.
"""
