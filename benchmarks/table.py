"""What is measured against what, and the ratios that must hold."""

from typing import NamedTuple

OURS = "nn_tutorial"
THREAD_POOLS = "OMP", "OPENBLAS", "MKL"


class Experiment(NamedTuple):
    """One piece of work, done in turn by several libraries, each in a process of its own."""

    work: str  # a function of work.py
    title: str
    threads: int
    libraries: tuple[str, ...]
    rounds: int = 60  # how often each library is asked for a block
    block: float = 0.03  # seconds that one timed block should last, at least one call


class Bound(NamedTuple):
    """A ratio of medians, ours over theirs, and the most it may be."""

    experiment: str
    theirs: str
    at_most: float


TORCH, CHANNELS_LAST, SKLEARN = "torch", "torch channels-last", "scikit-learn"
IM2COL, LOOPS = "im2col", "loops"
# The kernel's ideas, taken away one by one: the ladder of the page.
ALL_DX, MEMORY_RETURNED = "first dx computed", "memory returned"

# PyTorch in its default layout and in the one that is faster on a processor.
BOTH = (OURS, TORCH, CHANNELS_LAST)

EXPERIMENTS = {
    "small_cnn": Experiment("small_cnn", "Small CNN, training step", 1, BOTH),
    "small_cnn_2": Experiment("small_cnn", "Small CNN, training step", 2, BOTH),
    "wide_cnn": Experiment("wide_cnn", "Wide CNN, training step", 1, BOTH),
    "conv_1_8_5": Experiment("conv_1_8_5", "Conv 1→8, 5×5", 1, BOTH),
    "conv_8_16_3": Experiment("conv_8_16_3", "Conv 8→16, 3×3", 1, BOTH),
    "conv_32_64_3": Experiment("conv_32_64_3", "Conv 32→64, 3×3", 1, BOTH),
    "conv_16_32_3_2": Experiment("conv_16_32_3_2", "Conv 16→32, 3×3, stride 2", 1, BOTH),
    "max_pool": Experiment("max_pool", "Max-pool 2×2", 1, BOTH),
    "iris": Experiment("iris", "Iris network 4-10-3, step of 16", 1, (OURS, TORCH, SKLEARN)),
    "epoch": Experiment("epoch", "Small CNN, epoch of 60,000 images", 1, BOTH, rounds=7),
    "ideas": Experiment(
        "small_cnn",
        "Small CNN, training step, idea by idea",
        1,
        (IM2COL, ALL_DX, MEMORY_RETURNED, OURS),
    ),
    "loops": Experiment("small_cnn", "Small CNN, training step in loops", 1, (LOOPS, OURS), 3),
}

# Goals, and not all are met: the record says which, and tests/test_benchmarks.py names them.
BOUNDS = [
    Bound("small_cnn", TORCH, 0.6),
    Bound("small_cnn", CHANNELS_LAST, 0.8),
    Bound("small_cnn_2", TORCH, 1.0),
    Bound("small_cnn_2", CHANNELS_LAST, 1.0),
    Bound("wide_cnn", TORCH, 1.2),
    Bound("wide_cnn", CHANNELS_LAST, 1.25),
    *(
        Bound(name, theirs, 1.0)
        for name in ("conv_1_8_5", "conv_8_16_3", "conv_32_64_3", "conv_16_32_3_2")
        for theirs in (TORCH, CHANNELS_LAST)
    ),
    Bound("max_pool", TORCH, 0.6),
    Bound("max_pool", CHANNELS_LAST, 0.8),
    Bound("iris", TORCH, 0.25),
    Bound("epoch", TORCH, 0.6),
    Bound("epoch", CHANNELS_LAST, 0.8),
]

# What a processor without AVX-512 has: for the libraries on both sides.
AVX2 = {
    "OPENBLAS_CORETYPE": "Haswell",
    "NPY_DISABLE_CPU_FEATURES": "X86_V4 AVX512_ICL AVX512_SPR",
    "MKL_ENABLE_INSTRUCTIONS": "AVX2",
    "ONEDNN_MAX_CPU_ISA": "AVX2",
    "ATEN_CPU_CAPABILITY": "avx2",
}
