"""What holds for every test: one thread a process, and examples that are the same at every run."""

import numpy as np
import pytest
import torch
from hypothesis import settings
from threadpoolctl import threadpool_limits

# Tests run one process a core; threads on top of that only get into each other's way.
threadpool_limits(1)
torch.set_num_threads(1)

settings.register_profile("book", derandomize=True, deadline=None, database=None, max_examples=300)
settings.load_profile("book")


@pytest.fixture
def rng() -> np.random.Generator:
    return np.random.default_rng(7)
