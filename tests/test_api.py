"""The public API: its names, and docs/api.md, every example of which is run."""

from __future__ import annotations

import doctest
import re
import subprocess
import sys
from pathlib import Path

import pytest

import songprint
from songprint.pieces import PIECES
from songprint.pieces.__main__ import write

PAGE = (Path(__file__).parents[1] / "docs" / "api.md").read_text(encoding="utf-8")
EXAMPLES = re.findall(r"^```python\n(>>>.*?)^```$", PAGE, re.MULTILINE | re.DOTALL)
FLAGS = doctest.ELLIPSIS | doctest.REPORT_NDIFF


def test_the_guides_examples_give_what_it_says(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    (tmp_path / "Music").mkdir()
    for piece in PIECES:
        write(piece, tmp_path / "Music", sample_rate_hz=16_000)
    monkeypatch.chdir(tmp_path)
    test = doctest.DocTestParser().get_doctest("\n".join(EXAMPLES), {}, "api.md", "api.md", 0)
    results = doctest.DocTestRunner(optionflags=FLAGS).run(test)
    assert results.attempted > 30
    assert results.failed == 0, capsys.readouterr().out


def test_all_public_names_are_there_and_in_the_guide() -> None:
    for name in songprint.__all__:
        assert getattr(songprint, name) is not None
        assert name in PAGE or name.startswith("__"), name


def test_what_is_not_public_is_not_there() -> None:
    with pytest.raises(AttributeError, match="has no attribute 'Decoder'"):
        _ = songprint.Decoder


def test_importing_songprint_loads_nothing_heavy() -> None:
    code = "import sys, songprint; print(sorted({'numpy', 'av', 'lancedb'} & set(sys.modules)))"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout == "[]\n"
