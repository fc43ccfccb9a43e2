"""What the server's process takes before anything is asked of it."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

SERVER = """
import sys
from songprint.web.heap import leave_pandas_out
leave_pandas_out()
from pathlib import Path
from songprint.web.app import create_app
from songprint.web.settings import Settings
create_app(Settings(library=Path(sys.argv[1])))
import pyarrow as pa
assert pa.table({"bpm": [120.0]})["bpm"].to_numpy() == [120.0]
print(*sorted({name.partition(".")[0] for name in sys.modules}))
"""


def test_the_server_has_what_it_needs_and_not_what_only_takes_memory(tmp_path: Path) -> None:
    done = subprocess.run(
        [sys.executable, "-c", SERVER, str(tmp_path / "library")],
        capture_output=True,
        text=True,
        check=True,
    )
    loaded = done.stdout.split()
    assert {"fastapi", "lancedb", "pyarrow"} <= set(loaded)
    assert not {"pandas", "scipy", "sklearn", "onnxruntime", "matplotlib", "av"} & set(loaded)
