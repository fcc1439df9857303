"""Everything that imports PyTorch; the NumPy part never does."""

from .twins import twin, twin_gradients

__all__ = ["twin", "twin_gradients"]
