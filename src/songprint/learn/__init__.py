"""Training: torch lives here only. May import anything but ``cli`` and ``web``."""
