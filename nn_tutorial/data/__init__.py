"""Data sets: real ones, split with a seed, the same on every machine."""

from .bundled import digits, iris
from .cifar import cifar10
from .dataset import Dataset, stratified_split, used
from .fashion import fashion_mnist
from .folder import DataDamagedError, DataNotFoundError, asked, data_folder
from .image_folder import image_folder

__all__ = [
    "DataDamagedError",
    "DataNotFoundError",
    "Dataset",
    "asked",
    "cifar10",
    "data_folder",
    "digits",
    "fashion_mnist",
    "image_folder",
    "iris",
    "stratified_split",
    "used",
]
