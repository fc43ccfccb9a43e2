"""Which files in a folder are taken for songs."""

from __future__ import annotations

_NAMES = """
    .3ga .aac .ac3 .aif .aifc .aiff .amr .ape .asf .au .caf .dff .dsf .dts .eac3 .flac .m4a .m4b
    .m4p .m4r .mka .mp+ .mp1 .mp2 .mp3 .mpc .mpp .oga .ogg .oma .opus .snd .spx .tak .tta .voc
    .w64 .wav .wave .weba .wma .wv
"""

AUDIO_SUFFIXES = frozenset(_NAMES.split())
"""In lower case. Videos are heard only when they are named."""
