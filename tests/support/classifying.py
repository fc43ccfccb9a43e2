"""Runs ``songprint classify`` and reads what it prints."""

from __future__ import annotations

import json
import os
import re
import subprocess
import sys
from importlib import resources
from pathlib import Path
from typing import Any

from jsonschema import Draft202012Validator
from typer.testing import CliRunner

from songprint.cli.app import app

SCHEMA = json.loads((resources.files("songprint.cli") / "schemas" / "classify.json").read_text())
RUN = [sys.executable, "-m", "songprint", "classify"]


def classify(*arguments: str | Path, **environment: str) -> Any:
    """Run it in this process; the result has exit_code, stdout and stderr."""
    words = ["classify", *map(str, arguments)]
    return CliRunner().invoke(app, words, env={"COLUMNS": "80", **environment})


def run(*arguments: str | Path, **environment: str) -> subprocess.CompletedProcess[str]:
    """Run it in a process of its own."""
    return subprocess.run(
        [*RUN, *map(str, arguments)],
        capture_output=True,
        text=True,
        check=False,
        env={**os.environ, "COLUMNS": "80", **environment},
    )


def documents(stdout: str) -> list[dict[str, Any]]:
    """Parse a document and hold it to its schema."""
    parsed = json.loads(stdout)
    Draft202012Validator(SCHEMA).validate(parsed)
    return parsed


def genre_rows(stdout: str) -> list[tuple[str, str]]:
    """Return the names and percentages of the lines with bars."""
    return re.findall(r"^  (\S+) +[#▏▎▍▌▋▊▉█]* +(<?\d+%)$", stdout, re.MULTILINE)
