from __future__ import annotations

import os
from pathlib import Path

import pytest

SHARED_DATA = Path(__file__).parents[2] / "shared" / "data"


@pytest.fixture(scope="session")
def shared_data() -> Path:
    """The real music beside the repository; SONGPRINT_REQUIRE_ALL=1 forbids doing without."""
    if not SHARED_DATA.is_dir():
        message = f"there is no {SHARED_DATA}"
        if os.environ.get("SONGPRINT_REQUIRE_ALL") == "1":
            pytest.fail(message)
        pytest.skip(message)
    return SHARED_DATA
