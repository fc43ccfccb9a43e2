"""Records from the microphone, for which the package sounddevice must be there."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from songprint.errors import SongprintError

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray


def record(seconds: float) -> NDArray[np.float32]:
    """Record mono float32 samples at 16 kHz [shape=(n,)] from the default microphone.

    Parameters
    ----------
    seconds
        How long.

    Raises
    ------
    SongprintError
        If sounddevice or PortAudio is not installed, or there is no microphone.
    """
    import soxr

    from songprint.audio.mel import SAMPLE_RATE_HZ

    sounddevice = _sounddevice()
    try:
        rate = round(sounddevice.query_devices(kind="input")["default_samplerate"])
        recorded = sounddevice.rec(round(seconds * rate), rate, channels=1, dtype="float32")
        sounddevice.wait()
    except (sounddevice.PortAudioError, ValueError) as error:
        reason = " ".join(str(error).split())
        raise SongprintError(f"the microphone cannot be recorded: {reason}") from error
    samples: NDArray[np.float32] = soxr.resample(recorded[:, 0], rate, SAMPLE_RATE_HZ)
    return samples


def _sounddevice() -> Any:
    try:
        import sounddevice
    except ImportError as error:
        raise SongprintError(
            "--mic needs the package sounddevice: pip install sounddevice"
        ) from error
    except OSError as error:  # its own wheel has PortAudio for Windows and macOS alone
        raise SongprintError(
            "--mic needs PortAudio, such as Debian's package libportaudio2"
        ) from error
    return sounddevice
