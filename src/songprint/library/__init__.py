"""A person's songs, kept: where they lie, what they sound like, what was said of them.

Imports ``audio``, ``descriptors``, ``encoder``, ``genre`` and ``fingerprints``; never ``cli``.
"""
