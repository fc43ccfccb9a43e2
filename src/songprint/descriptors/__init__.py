"""What a listener can name, as numbers: beat, intensity, rhythm, timbre and tonality.

May import ``audio`` and ``errors``.
"""
