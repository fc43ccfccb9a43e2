"""What can be drawn of a song, and into which files; light, so that ``--help`` can name them."""

KINDS = (
    "waveform",
    "spectrum",
    "spectrogram",
    "mel",
    "chroma",
    "tempogram",
    "timeline",
    "fingerprint",
)
"""The panels of a song, in the order in which ``--kind all`` draws them."""

USUAL_KINDS = ("waveform", "spectrum", "spectrogram", "timeline")
"""What is drawn where nothing else is asked for; it fits across a page."""

FORMATS = ("png", "svg", "pdf")
"""The suffixes of the files that a figure can be written to."""
