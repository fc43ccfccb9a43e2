from __future__ import annotations

from pathlib import Path

import pytest
from hypothesis import settings

from support.requiring import do_without

SHARED_DATA = Path(__file__).parents[2] / "shared" / "data"

# Tests share two cores: how long an example takes says nothing of the code, and pytest-timeout
# stops what hangs. On CI, where CI=true is set, Hypothesis also derandomises.
settings.register_profile(
    "songprint", settings.get_profile(settings.get_current_profile_name()), deadline=None
)
settings.load_profile("songprint")


@pytest.fixture(scope="session")
def shared_data() -> Path:
    """The real music beside the repository; SONGPRINT_REQUIRE_ALL=1 forbids doing without."""
    if not SHARED_DATA.is_dir():
        message = f"there is no {SHARED_DATA}"
        do_without(message)
    return SHARED_DATA
