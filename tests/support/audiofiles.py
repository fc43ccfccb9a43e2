"""Synthetic songs whose truth is known, written in every format that our encoders can make.

The PyAV wheel encodes aac, ac3, alac, flac, mp2, mp3, opus, PCM, tta, wavpack and wma 1 and 2;
soundfile adds good Vorbis and every PCM width. No free encoder is at hand for Monkey's Audio
(ape), Musepack, wma pro, wma lossless, Sony ATRAC or DSD, so these are read but not tested here.
"""

from __future__ import annotations

from pathlib import Path

import av
import numpy as np
import soundfile
from numpy.typing import NDArray

LAYOUTS = {
    1: "mono",
    2: "stereo",
    3: "3.0",
    4: "quad",
    5: "5.0",
    6: "5.1",
    7: "6.1",
    8: "7.1",
}

CODECS = {
    ".aac": "aac",
    ".ac3": "ac3",
    ".aiff": "pcm_s16be",
    ".asf": "wmav1",
    ".caf": "pcm_s16be",
    ".flac": "flac",
    ".m4a": "aac",
    ".mka": "flac",
    ".mkv": "aac",
    ".mov": "pcm_s16le",
    ".mp2": "mp2",
    ".mp3": "libmp3lame",
    ".mp4": "aac",
    ".oga": "flac",
    ".opus": "libopus",
    ".tta": "tta",
    ".w64": "pcm_s16le",
    ".wav": "pcm_s16le",
    ".webm": "libopus",
    ".wma": "wmav2",
    ".wv": "wavpack",
}

CHUNK_SAMPLES = 4096


def sine(
    seconds: float, rate: int, *, hz: float = 440.0, level: float = 0.5, channels: int = 1
) -> NDArray[np.float32]:
    """Return a sine of peak ``level``, the same in every channel, ``[n, channels]``."""
    time = np.arange(round(seconds * rate)) / rate
    wave = (level * np.sin(2 * np.pi * hz * time)).astype(np.float32)
    return np.repeat(wave[:, None], channels, axis=1)


def music(seconds: float, rate: int, *, seed: int = 0, channels: int = 2) -> NDArray[np.float32]:
    """Return chords, drums and hiss, ``[n, channels]``: as hard to code as a plain song."""
    rng = np.random.default_rng(seed)
    n = round(seconds * rate)
    time = np.arange(n) / rate
    beat = rate // 2
    decay = np.exp(-np.arange(beat) / (0.08 * rate)).astype(np.float32)
    envelope = np.resize(decay, n)
    drums = envelope * rng.standard_normal(n).astype(np.float32) * 0.12
    mix = np.empty((n, channels), np.float32)
    for channel in range(channels):
        tone = np.zeros(n)
        for hz in rng.choice([110, 131, 165, 196, 220, 262, 330, 392, 440, 523], 4):
            for harmonic in range(1, 7):
                phase = rng.uniform(0, 2 * np.pi)
                tone += np.sin(2 * np.pi * hz * harmonic * time + phase) / harmonic
        hiss = rng.standard_normal(n).astype(np.float32) * 0.005
        mix[:, channel] = 0.06 * tone + drums + hiss
    return np.clip(mix, -0.99, 0.99)


def write_audio(
    path: str | Path,
    samples: NDArray[np.float32],
    rate: int,
    *,
    codec: str | None = None,
    subtype: str | None = None,
    bit_rate: int | None = None,
    layout: str | None = None,
    metadata: dict[str, str] | None = None,
) -> Path:
    """Write ``samples[n, channels]`` in the format that the file's suffix names.

    Parameters
    ----------
    path
        Where to; its suffix chooses the container and the codec (``CODECS``).
    samples
        Float samples in -1..1, ``[n, channels]`` or ``[n]``.
    rate
        Samples a second.
    codec
        An FFmpeg encoder to use instead of the container's usual one.
    subtype
        A libsndfile subtype, such as ``PCM_24``; writes with soundfile instead of FFmpeg.
    bit_rate
        Bits a second, for a lossy codec.
    layout
        FFmpeg's name of the channel layout, instead of the usual one for the channel count.
    metadata
        Tags of the container.
    """
    path = Path(path)
    samples = samples[:, None] if samples.ndim == 1 else samples
    if path.suffix == ".ogg" and codec is None and subtype is None:
        subtype = "VORBIS"
    if subtype is not None:
        with soundfile.SoundFile(path, "w", rate, samples.shape[1], subtype) as file:
            for start in range(0, len(samples), CHUNK_SAMPLES):  # at once, Vorbis crashes
                file.write(samples[start : start + CHUNK_SAMPLES])
        return path
    layout = layout or LAYOUTS[samples.shape[1]]
    with av.open(str(path), "w") as container:
        stream = container.add_stream(codec or CODECS[path.suffix], rate=rate, layout=layout)
        if bit_rate is None and stream.codec_context.name.startswith("wma"):
            bit_rate = 128_000  # its encoder has no default
        if bit_rate is not None:
            stream.codec_context.bit_rate = bit_rate
        container.metadata.update(metadata or {})
        encode(container, stream, samples, rate, layout)
    return path


def encode(
    container: av.container.OutputContainer,
    stream: av.AudioStream,
    samples: NDArray[np.float32],
    rate: int,
    layout: str,
) -> None:
    """Encode ``samples[n, channels]`` into a stream of an open container, and flush it."""
    for start in range(0, len(samples), CHUNK_SAMPLES):
        chunk = np.ascontiguousarray(samples[start : start + CHUNK_SAMPLES], np.float32)
        frame = av.AudioFrame.from_ndarray(chunk.reshape(1, -1), format="flt", layout=layout)
        frame.sample_rate = rate
        frame.pts = start
        container.mux(stream.encode(frame))
    container.mux(stream.encode(None))


def write_video(
    path: str | Path, samples: NDArray[np.float32] | None, rate: int, *, seconds: float = 1.0
) -> Path:
    """Write a small video, with ``samples[n, channels]`` as its sound track if given."""
    path = Path(path)
    with av.open(str(path), "w") as container:
        picture = container.add_stream("mpeg4", rate=10)
        picture.width, picture.height, picture.pix_fmt = 64, 48, "yuv420p"
        sound = None
        if samples is not None:
            layout = LAYOUTS[samples.shape[1]]
            sound = container.add_stream(CODECS[path.suffix], rate=rate, layout=layout)
        for i in range(round(seconds * 10)):
            image = np.full((48, 64, 3), i % 255, np.uint8)
            container.mux(picture.encode(av.VideoFrame.from_ndarray(image, format="rgb24")))
        container.mux(picture.encode(None))
        if sound is not None and samples is not None:
            encode(container, sound, samples, rate, layout)
    return path


def with_cover(source: str | Path, target: str | Path, image: bytes) -> Path:
    """Copy a song into another file with ``image`` (PNG or JPEG) attached, by mutagen."""
    from mutagen.flac import FLAC, Picture
    from mutagen.id3 import APIC, ID3
    from mutagen.mp4 import MP4, MP4Cover

    target = Path(target)
    target.write_bytes(Path(source).read_bytes())
    if target.suffix == ".flac":
        picture = Picture()
        picture.data, picture.type, picture.mime = image, 3, "image/png"
        flac = FLAC(target)
        flac.add_picture(picture)
        flac.save()
    elif target.suffix == ".m4a":
        mp4 = MP4(target)
        mp4["covr"] = [MP4Cover(image, MP4Cover.FORMAT_PNG)]
        mp4.save()
    else:
        tags = ID3()
        tags.add(APIC(mime="image/png", type=3, data=image))
        tags.save(target)
    return target
