"""The guide's examples run as they stand."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from support.kin import kin_library

GUIDE = (Path(__file__).parents[2] / "docs" / "kinship.md").read_text(encoding="utf-8")
EXAMPLES = re.findall(r"^```python\n(.*?)^```$", GUIDE, re.MULTILINE | re.DOTALL)


@pytest.mark.parametrize("example", EXAMPLES)
def test_the_guides_examples_run(
    example: str,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    kin_library(tmp_path / "library", each=10)
    monkeypatch.setenv("SONGPRINT_LIBRARY", str(tmp_path / "library"))
    exec(compile(example, "docs/kinship.md", "exec"), {})
    assert "song" in capsys.readouterr().out
