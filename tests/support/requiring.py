"""What a test cannot run without: a skip on a person's machine, a failure where CI must have it."""

import os
from typing import NoReturn

import pytest


def do_without(message: str) -> NoReturn:
    """Skip the test, or fail it where ``SONGPRINT_REQUIRE_ALL`` is 1."""
    if os.environ.get("SONGPRINT_REQUIRE_ALL") == "1":
        pytest.fail(message)
    pytest.skip(message)
