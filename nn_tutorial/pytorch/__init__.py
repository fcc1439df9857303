"""Everything that imports PyTorch; the NumPy part never does."""

from .equivalents import twin, twin_gradients

__all__ = ["twin", "twin_gradients"]
