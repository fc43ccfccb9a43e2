"""What ``songprint doctor`` looks at; each check says what is so and, if it is bad, what to do."""

from __future__ import annotations

import importlib.metadata
import importlib.util
import math
import platform
import re
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Literal

from songprint.cli import machine
from songprint.errors import SongprintError

Status = Literal["ok", "warning", "failure"]

PACKAGES = {
    "av": "av",
    "filelock": "filelock",
    "lancedb": "lancedb",
    "matplotlib": "matplotlib",
    "numpy": "numpy",
    "onnxruntime": "onnxruntime",
    "pyarrow": "pyarrow",
    "scikit-learn": "sklearn",
    "scipy": "scipy",
    "soundfile": "soundfile",
    "soxr": "soxr",
}
"""Distributions and the modules that they hold."""

DECODERS = {
    "mp3": "mp3float",
    "aac": "aac",
    "flac": "flac",
    "vorbis": "vorbis",
    "opus": "opus",
    "alac": "alac",
    "pcm": "pcm_s16le",
    "wmav2": "wmav2",
    "wmapro": "wmapro",
    "ape": "ape",
    "wavpack": "wavpack",
    "tta": "tta",
    "musepack": "mpc7",
    "ac3": "ac3",
    "dts": "dca",
    "dsd": "dsd_lsbf",
}
COMMON = {"mp3", "aac", "flac", "vorbis", "opus", "alac", "pcm"}
"""Formats without which songprint is of little use."""

ENOUGH_BYTES = 1 << 30
PROBE_SECONDS = 120
SELF_TEST_SECONDS = 30


@dataclass(frozen=True)
class Check:
    """One line of the doctor's report.

    Attributes
    ----------
    group, name : str
        What was looked at.
    status : {"ok", "warning", "failure"}
        Whether it is as it should be.
    value : str
        What was found.
    advice : str or None
        What to do.
    """

    group: str
    name: str
    status: Status
    value: str
    advice: str | None = None


def examine(library: Path) -> Iterator[Check]:
    """Yield every check, in the order of the report.

    Parameters
    ----------
    library : Path
        The library to look at; there need be none.
    """
    broken = False
    yield Check("versions", "songprint", "ok", _version("songprint"))
    yield Check("versions", "Python", "ok", platform.python_version())
    yield Check("versions", "platform", "ok", platform.platform())
    for package, module in PACKAGES.items():
        check = check_package(package, module)
        broken |= check.status == "failure"
        yield check
    yield from machine_checks()
    if not broken:  # what follows loads the packages into this very process
        yield check_ffmpeg()
        yield from decoder_checks()
        yield from model_checks()
        yield from library_checks(library)
    yield from extra_checks()


def _version(distribution: str) -> str:
    try:
        return importlib.metadata.version(distribution)
    except importlib.metadata.PackageNotFoundError:
        return "not installed"


def check_package(package: str, module: str) -> Check:
    """Import a package in a process of its own, which it may crash if the CPU is too old for it."""
    advice = f"reinstall it: {sys.executable} -m pip install --force-reinstall {package}"
    try:
        done = subprocess.run(
            [sys.executable, "-c", f"import {module}"],
            capture_output=True,
            text=True,
            errors="replace",
            timeout=PROBE_SECONDS,
            check=False,
        )
    except subprocess.TimeoutExpired:
        value = f"does not load within {PROBE_SECONDS} s"
        return Check("versions", package, "failure", value, advice)
    if done.returncode == 0:
        return Check("versions", package, "ok", _version(package))
    if done.returncode < 0:
        value = f"{_version(package)} crashes: signal {-done.returncode}"
        return Check("versions", package, "failure", value, f"another version, or {advice}")
    reason = (done.stderr.strip().splitlines() or ["no reason given"])[-1]
    return Check("versions", package, "failure", f"does not load: {reason}", advice)


def machine_checks() -> Iterator[Check]:
    """Yield what the CPU and the memory allow."""
    model, features = machine.cpu_model(), machine.cpu_features()
    yield Check("machine", "CPU", "ok", model)
    value = ", ".join(features) or "none known"
    if machine.is_x86() and features and "AVX2" not in features:
        yield Check(
            "machine",
            "CPU features",
            "warning",
            value,
            "songs can be heard, but slowly; a library needs AVX2",
        )
    else:
        yield Check("machine", "CPU features", "ok", value)
    usable, present = machine.cores()
    yield Check("machine", "cores", "ok", f"{usable:g} usable of {present}")
    free = machine.free_memory_bytes()
    if free is None:
        yield Check("machine", "memory", "ok", "unknown")
    elif free < ENOUGH_BYTES:
        advice = "close other programs, or hear fewer songs at once: --workers 1"
        yield Check("machine", "memory", "warning", f"{free / 2**30:.1f} GiB usable", advice)
    else:
        yield Check("machine", "memory", "ok", f"{free / 2**30:.1f} GiB usable")


def check_ffmpeg() -> Check:
    """Tell the versions of FFmpeg's libraries."""
    import av

    libraries = ("libavformat", "libavcodec", "libavutil")
    versions = [".".join(map(str, av.library_versions[name])) for name in libraries]
    named = ", ".join(f"{name} {v}" for name, v in zip(libraries, versions, strict=True))
    return Check("versions", "FFmpeg", "ok", f"{av.ffmpeg_version_info} ({named})")


def decoder_checks() -> Iterator[Check]:
    """Yield whether each format can be decoded."""
    import av

    for name, decoder in DECODERS.items():
        try:
            av.codec.Codec(decoder, "r")
        except ValueError:
            status: Status = "failure" if name in COMMON else "warning"
            advice = "install PyAV's own wheel: pip install --force-reinstall --only-binary av av"
            yield Check("decoders", name, status, "missing", advice)
        else:
            yield Check("decoders", name, "ok", "present")


def model_checks() -> Iterator[Check]:
    """Yield whether the model is whole, loads, and hears a file."""
    import numpy as np

    from songprint.fingerprints import default_fingerprinter

    advice = f"reinstall it: {sys.executable} -m pip install --force-reinstall songprint"
    try:
        fingerprinter = default_fingerprinter()
        yield Check("model", "version", "ok", fingerprinter.model_version)
        yield Check("model", "checksum", "ok", f"{fingerprinter.encoder.sha256[:16]}… verified")
        with tempfile.TemporaryDirectory() as folder:
            song = Path(folder) / "noise.wav"
            _write_noise(song, 1)
            fingerprinter.fingerprint(song)  # loads what is lazy
            _write_noise(song, SELF_TEST_SECONDS)
            started = time.perf_counter()
            heard = fingerprinter.fingerprint(song)
            seconds = time.perf_counter() - started
    except SongprintError as error:
        yield Check("model", "loads", "failure", str(error), advice)
        return
    except Exception as error:  # onnxruntime and scipy have errors of their own
        yield Check("model", "self-test", "failure", f"{type(error).__name__}: {error}", advice)
        return
    total = sum(genre.p for genre in heard.genres)
    if np.isfinite(heard.embedding).all() and math.isclose(total, 1, abs_tol=1e-6):
        value = f"a file of {SELF_TEST_SECONDS} s heard in {1000 * seconds:.0f} ms"
        value += f", {SELF_TEST_SECONDS / seconds:,.0f} times real time on one core"
        yield Check("model", "self-test", "ok", value)
    else:
        yield Check("model", "self-test", "failure", "its numbers are not finite", advice)


def _write_noise(path: Path, seconds: int) -> None:
    import wave

    import numpy as np

    noise = 2_000 * np.random.default_rng(0).standard_normal((seconds * 44_100, 2))
    with wave.open(str(path), "wb") as file:
        file.setnchannels(2)
        file.setsampwidth(2)
        file.setframerate(44_100)
        file.writeframes(noise.astype("<i2").tobytes())


def library_checks(path: Path) -> Iterator[Check]:
    """Yield whether a library is as it was written, to the byte, and can be read."""
    from songprint.library.guards import examine
    from songprint.library.objects import is_object, uri_of
    from songprint.library.schema import TABLES

    if is_object(path):  # a store guards its bytes itself
        yield Check("library", "place", "ok", uri_of(path))
        yield _check_tables(path, "the store may keep earlier versions of its objects")
        return
    if not any((path / part).is_dir() for part in ("songs.lance", "guards")):
        yield Check("library", "place", "ok", f"none yet in {path}")
        return
    yield Check("library", "place", "ok", str(path))
    repair = "songprint doctor --repair saves all that can be read; the library is kept"
    found = examine(path, TABLES)
    if found.damages:
        first = found.damages[0]
        value = f"{len(found.damages):,} damaged: {first.file.relative_to(path)} {first.what}"
        yield Check("library", "files", "failure", value, repair)
        return
    whole = f"{found.files:,} as they were written, {found.n_bytes / 1e6:,.1f} MB"
    if found.unguarded:
        value = f"{whole}; of {len(found.unguarded):,} others it cannot be told"
        yield Check("library", "files", "warning", value, "it can once their tables are written to")
    else:
        yield Check("library", "files", "ok", whole)
    yield _check_tables(path, repair)


def _check_tables(path: Path, advice: str) -> Check:
    from songprint.library.schema import TABLES
    from songprint.library.store import Library

    try:
        library = Library.open(path)
        rows = {name: len(library.read(name)) for name in TABLES}
    except SongprintError as error:
        return Check("library", "tables", "failure", str(error), advice)
    value = ", ".join(f"{name} {n:,}" for name, n in rows.items() if n)
    return Check("library", "tables", "ok", value or "empty")


def extra_checks() -> Iterator[Check]:
    """Yield which optional parts are here, and how to get the others."""
    for extra, packages in sorted(_extras().items()):
        missing = [package for package in packages if _version(package) == "not installed"]
        if not packages:
            yield Check("optional", f"[{extra}]", "ok", "comes with a later version")
        elif missing:
            value = f"not installed: {', '.join(missing)}"
            yield Check("optional", f"[{extra}]", "ok", value, f"pip install 'songprint[{extra}]'")
        else:
            yield Check("optional", f"[{extra}]", "ok", "present")


def _extras() -> dict[str, list[str]]:
    """Return the packages of each extra that the installed songprint offers its users."""
    try:
        metadata = importlib.metadata.metadata("songprint")
    except importlib.metadata.PackageNotFoundError:
        return {}
    extras: dict[str, list[str]] = {name: [] for name in metadata.get_all("Provides-Extra") or ()}
    for requirement in metadata.get_all("Requires-Dist") or ():
        package, _, marker = requirement.partition(";")
        of_extra = re.search(r"extra\s*==\s*['\"]([^'\"]+)", marker)
        name = re.match(r"[A-Za-z0-9._-]+", package)
        if of_extra and name:
            extras.setdefault(of_extra[1], []).append(name[0])
    extras.pop("dev", None)
    return extras
