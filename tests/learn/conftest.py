"""Torch runs on one thread: the tests themselves run in parallel, and threads would fight."""

import pytest
import torch


@pytest.fixture(autouse=True, scope="session")
def one_thread():
    torch.set_num_threads(1)
