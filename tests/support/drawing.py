"""Runs ``songprint plot`` and ``songprint gallery``, and reads pictures back."""

from __future__ import annotations

import io
import json
import xml.etree.ElementTree as ET
from importlib import resources
from pathlib import Path
from typing import Any

import numpy as np
from jsonschema import Draft202012Validator
from numpy.typing import NDArray
from PIL import Image
from typer.testing import CliRunner

from songprint.cli.app import app
from songprint.views.portrait import Portrait
from songprint.views.signals import measure
from support.madeup import made_up

RATE_HZ = 16_000
KINDS_OF_SIGNALS = ("waveform", "spectrum", "spectrogram", "mel", "chroma", "tempogram")


def command(name: str, *arguments: str | Path) -> Any:
    """Run a command in this process; the result has exit_code, stdout and stderr."""
    return CliRunner().invoke(app, [name, *map(str, arguments)], env={"COLUMNS": "80"})


def document(name: str, stdout: str) -> dict[str, Any]:
    """Parse what a command printed with ``--json`` and hold it to its schema."""
    schema = json.loads((resources.files("songprint.cli") / "schemas" / f"{name}.json").read_text())
    parsed: dict[str, Any] = json.loads(stdout)
    Draft202012Validator(schema).validate(parsed)
    return parsed


def picture(data: bytes) -> NDArray[np.uint8]:
    """Return the pixels of a PNG [shape=(height, width, 3)]."""
    with Image.open(io.BytesIO(data)) as image:
        image.verify()
    return np.asarray(Image.open(io.BytesIO(data)).convert("RGB"))


def is_svg(data: bytes) -> bool:
    """Tell whether this is a well-formed SVG document."""
    return ET.fromstring(data).tag == "{http://www.w3.org/2000/svg}svg"


def noise(seconds: float, level: float = 0.1, seed: int = 0) -> NDArray[np.float32]:
    """Return white noise of a root mean square [shape=(n,)]."""
    rng = np.random.default_rng(seed)
    return (level * rng.standard_normal(round(seconds * RATE_HZ))).astype(np.float32)


def portrait(
    samples: NDArray[np.float32], title: str = "a song", kinds: tuple[str, ...] = KINDS_OF_SIGNALS
) -> Portrait:
    """Return a row of a figure: these samples, and a made-up fingerprint as long."""
    signals = measure([samples], kinds)
    return Portrait(title, "a remark", signals, made_up(seconds=signals.seconds, n=5))
