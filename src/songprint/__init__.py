"""songprint hears what a song is, from its audio alone."""

__version__ = "0.1.0"
