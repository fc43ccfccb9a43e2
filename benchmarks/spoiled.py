"""What happens to a clip on its way: noise, rooms, telephones, clipping, codecs, a wrong speed.

Mono float32 at 16 kHz throughout. Noise is pink, babble of six synthetic talkers, or ambience,
which the caller brings; rooms are shoeboxes by the image-source model (Allen and Berkley, "Image
method for efficiently simulating small-room acoustics", JASA 65(4), 1979).
"""

from __future__ import annotations

import io

import av
import numpy as np
import soxr
from numpy.typing import NDArray
from scipy.signal import butter, fftconvolve, lfilter, sosfilt

from songprint.audio.decode import SAMPLE_RATE_HZ

Samples = NDArray[np.float32]

TALKERS = 6
SOUND_METRES_A_SECOND = 343.0
MOST_REFLECTIONS = 10


def pink(count: int, rng: np.random.Generator) -> Samples:
    """Return noise of equal power in each octave from 20 Hz on [shape=(count,)]."""
    spectrum = np.fft.rfft(rng.standard_normal(count))
    hz = np.fft.rfftfreq(count, 1 / SAMPLE_RATE_HZ)
    return unit(np.fft.irfft(spectrum / np.sqrt(np.maximum(hz, 20.0)), count))


def babble(count: int, rng: np.random.Generator) -> Samples:
    """Return six voices at once: pulses and hiss through three formants [shape=(count,)]."""
    return unit(np.sum([_talker(count, rng) for _ in range(TALKERS)], axis=0))


def _talker(count: int, rng: np.random.Generator) -> Samples:
    voice = np.zeros(count, np.float32)
    pitch_hz = rng.uniform(90, 230)
    start = 0
    while start < count:
        length = int(rng.uniform(0.08, 0.3) * SAMPLE_RATE_HZ)
        if rng.random() < 0.25:
            source = 0.3 * rng.standard_normal(length)
        else:
            bend = np.linspace(rng.normal(0, 0.15), rng.normal(0, 0.15), length)
            turns = np.floor(np.cumsum(pitch_hz * 2**bend) / SAMPLE_RATE_HZ)
            source = np.diff(turns, prepend=0) + 0.01 * rng.standard_normal(length)
        for low, high, width in ((300, 850, 80), (900, 2300, 110), (2300, 3200, 160)):
            radius = np.exp(-np.pi * width / SAMPLE_RATE_HZ)
            turn = np.cos(2 * np.pi * rng.uniform(low, high) / SAMPLE_RATE_HZ)
            source = lfilter([1 - radius], [1, -2 * radius * turn, radius**2], source)
        syllable = unit(source * np.hanning(length)) * rng.uniform(0.4, 1)
        stop = min(count, start + length)
        voice[start:stop] += syllable[: stop - start]
        start += length + int(max(0.0, rng.normal(0.04, 0.12)) * SAMPLE_RATE_HZ)
    return voice


def unit(samples: NDArray[np.floating]) -> Samples:
    """Return samples of a root mean square of one."""
    return (samples / (np.sqrt(np.mean(np.square(samples))) + 1e-12)).astype(np.float32)


def mixed(clip: Samples, noise: Samples, snr_db: float) -> Samples:
    """Add noise at a signal-to-noise ratio, by the power of both over the whole clip."""
    power = np.mean(np.square(clip)) / 10 ** (snr_db / 10)
    return (clip + unit(noise) * np.sqrt(power)).astype(np.float32)


def room(rng: np.random.Generator) -> tuple[Samples, float]:
    """Return the impulse response of a room of random size and walls, and its T60 by Sabine."""
    size = np.array([rng.uniform(3, 9), rng.uniform(3, 7), rng.uniform(2.4, 3.5)])
    absorbed = rng.uniform(0.12, 0.45)
    source, listener = (rng.uniform(0.15, 0.85, 3) * size for _ in range(2))
    number = np.arange(-MOST_REFLECTIONS, MOST_REFLECTIONS + 1)
    axes = []
    for length, there, here in zip(size, source, listener, strict=True):
        # Images of one sign and of the other along an axis, and how many walls each is behind.
        distance = np.concatenate([2 * number * length + there, 2 * number * length - there]) - here
        walls = np.concatenate([np.abs(2 * number), np.abs(2 * number - 1)])
        axes.append((distance, walls))
    distance = np.sqrt(sum(np.square(d) for d in np.ix_(*(d for d, _ in axes))))
    walls = sum(np.ix_(*(w for _, w in axes)))
    level = (1 - absorbed) ** (walls / 2) / np.maximum(distance, 0.3)
    place = np.rint(distance / SOUND_METRES_A_SECOND * SAMPLE_RATE_HZ).astype(int)
    response = np.bincount(place.ravel(), level.ravel())[:SAMPLE_RATE_HZ]
    surface = 2 * (size[0] * size[1] + size[0] * size[2] + size[1] * size[2])
    return unit(response), float(0.161 * size.prod() / (surface * absorbed))


def in_room(clip: Samples, response: Samples) -> Samples:
    """Return a clip as it sounds in a room [shape=(n,)]."""
    return fftconvolve(clip, response)[: len(clip)].astype(np.float32)


def by_telephone(clip: Samples) -> Samples:
    """Keep 300 to 3400 Hz."""
    band = butter(4, (300, 3400), "bandpass", fs=SAMPLE_RATE_HZ, output="sos")
    return sosfilt(band, clip).astype(np.float32)


def clipped(clip: Samples, share: float = 0.1) -> Samples:
    """Clip the loudest samples, a tenth of all."""
    most = np.quantile(np.abs(clip), 1 - share)
    return np.clip(clip, -most, most)


def coded(clip: Samples, codec: str, bits_a_second: int = 32_000) -> Samples:
    """Encode with "mp3", "opus" or "aac" and decode again."""
    encoder, form = {
        "mp3": ("libmp3lame", "mp3"),
        "opus": ("libopus", "ogg"),
        "aac": ("aac", "adts"),
    }[codec]
    file = io.BytesIO()
    with av.open(file, "w", format=form) as container:
        stream = container.add_stream(encoder, rate=SAMPLE_RATE_HZ, layout="mono")
        stream.codec_context.bit_rate = bits_a_second
        for start in range(0, len(clip), 1024):
            some = np.clip(clip[None, start : start + 1024], -1, 1)
            frame = av.AudioFrame.from_ndarray(some, format="flt", layout="mono")
            frame.sample_rate, frame.pts = SAMPLE_RATE_HZ, start
            container.mux(stream.encode(frame))
        container.mux(stream.encode(None))
    file.seek(0)
    with av.open(file) as container:
        frames = list(container.decode(audio=0))
    decoded = np.concatenate([frame.to_ndarray().mean(axis=0) for frame in frames])
    if frames[0].format.name.startswith("s16"):
        decoded = decoded / 32768
    if frames[0].sample_rate != SAMPLE_RATE_HZ:
        decoded = soxr.resample(decoded, frames[0].sample_rate, SAMPLE_RATE_HZ)
    return decoded[: len(clip)].astype(np.float32)


def at_speed(clip: Samples, speed: float) -> Samples:
    """Play a clip faster, and higher, or slower; it becomes shorter or longer."""
    return soxr.resample(clip, SAMPLE_RATE_HZ * speed, SAMPLE_RATE_HZ).astype(np.float32)
