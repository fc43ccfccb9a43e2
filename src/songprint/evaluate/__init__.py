"""Measures of accuracy, each with its interval. May import anything but ``cli`` and ``web``."""
