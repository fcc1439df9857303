"""Functions that an exercise hands to the learner's code. Loaded by the sandbox on its own."""

import numpy as np

FUNCTIONS = {
    "sum_of_cubes": lambda x: float((x**3).sum()),
    "sine_of_sum": lambda x: float(np.sin(x.sum())),
    "sum_of_products": lambda x: float((x[:-1] * x[1:]).sum()),
    "log_sum_exp": lambda x: float(np.log(np.exp(x).sum())),
    "weighted_squares": lambda x: float((np.arange(1, x.size + 1) * x.ravel() ** 2).sum()),
}
