"""What several test modules need: synthetic songs in every format, and files that are none."""
