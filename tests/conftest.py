"""What holds for every test: one thread a process, and examples that are the same at every run."""

import numpy as np
import pytest
import torch
from hypothesis import settings
from threadpoolctl import threadpool_limits
from touched import Touched

# Tests run one process a core; threads on top of that only get into each other's way.
threadpool_limits(1)
torch.set_num_threads(1)

settings.register_profile("book", derandomize=True, deadline=None, database=None, max_examples=300)
settings.load_profile("book")


def pytest_addoption(parser: pytest.Parser) -> None:
    told = "run the tests that edits since the last run of all can have touched, without the site"
    parser.addoption("--touched", action="store_true", help=told)


def pytest_configure(config: pytest.Config) -> None:
    config.pluginmanager.register(Touched(config))


@pytest.fixture
def rng() -> np.random.Generator:
    return np.random.default_rng(7)
