from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest

from songprint import Library
from songprint.errors import LibraryError
from songprint.library import lance


def test_lancedb_is_imported_without_the_client_of_its_rest_api() -> None:
    code = (
        "import sys\n"
        "from songprint.library.lance import import_lancedb\n"
        "import_lancedb()\n"
        "client = 'lance_namespace_urllib3_client'\n"
        "assert client not in sys.modules and client + '.api' not in sys.modules\n"
        "import lance_namespace_urllib3_client\n"  # whoever wants it has it still
        "assert lance_namespace_urllib3_client.ApiClient\n"
    )
    subprocess.run([sys.executable, "-c", code], check=True)


def test_lancedb_is_imported_all_the_same_if_it_needs_the_client() -> None:
    code = (
        "import sys\n"
        "from songprint.library import lance\n"
        "lance._REST_CLIENT = 'lance_namespace'\n"  # of which it needs the package itself
        "assert lance.import_lancedb().connect\n"
    )
    subprocess.run([sys.executable, "-c", code], check=True)


def test_a_cpu_that_lancedb_cannot_use_is_refused_in_words(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(sys, "platform", "linux")
    monkeypatch.setattr(lance.platform, "machine", lambda: "x86_64")
    monkeypatch.setattr(lance, "CPU_INFO", tmp_path / "cpuinfo")
    lance.CPU_INFO.write_text("processor\t: 0\nflags\t\t: fpu sse4_2 avx\n")
    monkeypatch.delitem(sys.modules, "lancedb", raising=False)
    with pytest.raises(LibraryError, match="AVX2"):
        Library.open(tmp_path / "library", create=True)
