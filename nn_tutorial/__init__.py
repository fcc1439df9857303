"""Neural networks in NumPy, forward and backward.

Each layer is a pair of pure functions, ``f(x, *params) -> (y, cache)`` and
``f_backward(dy, cache) -> gradients``, and a thin class over them.
"""

from .data import (
    DataDamagedError,
    DataNotFoundError,
    Dataset,
    cifar10,
    digits,
    fashion_mnist,
    image_folder,
    iris,
    stratified_split,
)
from .layers.activations import (
    ReLU,
    Sigmoid,
    Tanh,
    relu,
    relu_backward,
    sigmoid,
    sigmoid_backward,
    tanh,
    tanh_backward,
)
from .layers.batch_norm import BatchNorm, batch_norm, batch_norm_backward
from .layers.convolution import (
    Conv2d,
    conv2d,
    conv2d_backward,
    conv2d_im2col,
    conv2d_im2col_backward,
    conv2d_loops,
    conv2d_loops_backward,
)
from .layers.dropout import Dropout, dropout, dropout_backward
from .layers.initializers import he_normal, normal, xavier_normal, xavier_uniform, zeros
from .layers.layer import Flatten, Layer, Sequential
from .layers.layer_norm import LayerNorm, layer_norm, layer_norm_backward
from .layers.linear import Linear, linear, linear_backward
from .layers.losses import (
    Softmax,
    cross_entropy,
    cross_entropy_backward,
    softmax,
    softmax_backward,
    softmax_cross_entropy,
)
from .layers.pooling import (
    AvgPool2d,
    GlobalAvgPool2d,
    MaxPool2d,
    avg_pool2d,
    avg_pool2d_backward,
    avg_pool2d_loops,
    avg_pool2d_loops_backward,
    max_pool2d,
    max_pool2d_backward,
    max_pool2d_loops,
    max_pool2d_loops_backward,
)
from .training.autograd import Variable, differentiable, gradients, operation, tape
from .training.confidence import holm, paired, wilson
from .training.loop import History, evaluate, fit, predict, predict_logits
from .training.many import fit_many
from .training.models import mlp, small_cnn, two_layer_net
from .training.optimizers import SGD, Adam, AdamW, clip_gradients
from .training.saving import load, save
from .training.schedules import Scheduled, cosine, linear_warmup, one_cycle, range_test
from .verify.gradient_check import GradientError, GradientReport, gradient_check, relative_error

__version__ = "0.1.0"

__all__ = [
    "SGD",
    "Adam",
    "AdamW",
    "AvgPool2d",
    "BatchNorm",
    "Conv2d",
    "DataDamagedError",
    "DataNotFoundError",
    "Dataset",
    "Dropout",
    "Flatten",
    "GlobalAvgPool2d",
    "GradientError",
    "GradientReport",
    "History",
    "Layer",
    "LayerNorm",
    "Linear",
    "MaxPool2d",
    "ReLU",
    "Scheduled",
    "Sequential",
    "Sigmoid",
    "Softmax",
    "Tanh",
    "Variable",
    "avg_pool2d",
    "avg_pool2d_backward",
    "avg_pool2d_loops",
    "avg_pool2d_loops_backward",
    "batch_norm",
    "batch_norm_backward",
    "cifar10",
    "clip_gradients",
    "conv2d",
    "conv2d_backward",
    "conv2d_im2col",
    "conv2d_im2col_backward",
    "conv2d_loops",
    "conv2d_loops_backward",
    "cosine",
    "cross_entropy",
    "cross_entropy_backward",
    "differentiable",
    "digits",
    "dropout",
    "dropout_backward",
    "evaluate",
    "fashion_mnist",
    "fit",
    "fit_many",
    "gradient_check",
    "gradients",
    "he_normal",
    "holm",
    "image_folder",
    "iris",
    "layer_norm",
    "layer_norm_backward",
    "linear",
    "linear_backward",
    "linear_warmup",
    "load",
    "max_pool2d",
    "max_pool2d_backward",
    "max_pool2d_loops",
    "max_pool2d_loops_backward",
    "mlp",
    "normal",
    "one_cycle",
    "operation",
    "paired",
    "predict",
    "predict_logits",
    "range_test",
    "relative_error",
    "relu",
    "relu_backward",
    "save",
    "sigmoid",
    "sigmoid_backward",
    "small_cnn",
    "softmax",
    "softmax_backward",
    "softmax_cross_entropy",
    "stratified_split",
    "tanh",
    "tanh_backward",
    "tape",
    "two_layer_net",
    "wilson",
    "xavier_normal",
    "xavier_uniform",
    "zeros",
]
