"""The identity of a song: a hash of its compressed audio, whatever its name and its tags.

The packets of the sound track are hashed as they lie in the file; nothing is decoded. Tags, cover
art, padding, the file's name and its place are not in the packets, so a change to them changes
nothing. It does not hold, and the song counts as another, when the packets themselves change:

- encoded anew, trimmed or joined, even if nobody can hear it;
- gain written into the frames (mp3gain, aacgain), as opposed to a ReplayGain tag;
- some moves to another kind of container: raw AAC (``.aac``) keeps a header on every packet that
  ``.m4a`` does not, and Matroska may store PCM in another byte order.
"""

from __future__ import annotations

import hashlib
from pathlib import Path

from songprint.audio.container import DEFAULT_LIMITS, DecodeLimits, Song, open_song
from songprint.errors import DecodeError

HASH_BYTES = 16


def content_hash(path: str | Path, *, limits: DecodeLimits = DEFAULT_LIMITS) -> str:
    """Return the identity of a song.

    Parameters
    ----------
    path
        Any audio file, or a video with a sound track.
    limits
        What the file may cost; only the time is looked at.

    Returns
    -------
    str
        BLAKE2b-128 of the codec's name and the track's packets, 32 hexadecimal digits.

    Raises
    ------
    DecodeError
        When the file has no sound track. One that is damaged so that nothing decodes may still
        have packets, and then a hash: ask ``decode`` whether it is a song.
    """
    with open_song(path, limits) as song:
        return song_hash(song)


def song_hash(song: Song, *, keep: bool = False) -> str:
    """Return the identity of an open song that was not read yet.

    Parameters
    ----------
    song
        The song.
    keep
        Whether to keep its packets for :func:`songprint.audio.container.reread`.

    Raises
    ------
    DecodeError
        As :func:`content_hash`.
    """
    digest = hashlib.blake2b(song.stream.codec_context.name.encode(), digest_size=HASH_BYTES)
    n_bytes = 0
    for packet in song.packets(keep=keep):
        digest.update(packet)
        n_bytes += packet.size
    if not n_bytes:
        raise DecodeError(song.path, "has no sound in it: not one sample")
    return digest.hexdigest()
