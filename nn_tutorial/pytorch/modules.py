"""Layers that mean the whole batch, also when several processes hold a part of it each.

PyTorch's own dropout draws a mask of its own in each process, and its batch normalisation knows
the rows of its process alone. So two processes would not train what one trains. These do.
"""

from typing import Any

import torch
from torch import Tensor, distributed, nn

from .processes import Share


class Dropout(nn.Module):
    """Dropout whose mask is drawn for the whole batch; each process keeps its rows.

    Parameters
    ----------
    p : float
        Probability of dropping, from 0 to below 1.

    Attributes
    ----------
    share : Share or None
        This process's rows; set by the training loop. ``None``: all that comes.
    """

    def __init__(self, p: float = 0.5) -> None:
        super().__init__()
        if not 0 <= p < 1:
            raise ValueError(f"p: expected a number from 0 to below 1, got {p}")
        self.p = p
        self.share: Share | None = None

    def forward(self, x: Tensor) -> Tensor:
        """Drop and scale up in training; hand through in evaluation."""
        if not self.training or self.p == 0:
            return x
        start, stop, total = self.share or Share(0, len(x), len(x))
        drawn = torch.rand((total, *x.shape[1:]), dtype=x.dtype, device=x.device)
        return x * (drawn[start:stop] >= self.p) / (1 - self.p)

    def extra_repr(self) -> str:
        """Return what stands between the brackets."""
        return f"p={self.p}"


class BatchNorm2d(nn.BatchNorm2d):
    """``torch.nn.BatchNorm2d`` whose statistics are those of all processes' rows together.

    ``torch.nn.SyncBatchNorm`` does this on GPUs only. Alone, this is the layer it derives from.
    """

    def forward(self, x: Tensor) -> Tensor:
        """Normalise (N, C, H, W) by channel."""
        together = distributed.is_available() and distributed.is_initialized()
        if not (self.training and together):
            return super().forward(x)
        count = torch.tensor([float(x.numel() // x.shape[1])], dtype=x.dtype, device=x.device)
        distributed.all_reduce(count)
        add_up: Any = _Sum.apply
        mean = add_up(x.sum((0, 2, 3))) / count
        centred = x - mean[:, None, None]
        var = add_up((centred * centred).sum((0, 2, 3))) / count
        self._keep(mean.detach(), var.detach() * count / (count - 1))
        scale: Any = self.weight * torch.rsqrt(var + self.eps)
        return centred * scale[:, None, None] + self.bias[:, None, None]

    def _keep(self, mean: Tensor, unbiased: Tensor) -> None:
        assert self.running_mean is not None
        assert self.running_var is not None
        assert self.num_batches_tracked is not None
        assert self.momentum is not None
        self.num_batches_tracked += 1
        self.running_mean.lerp_(mean, self.momentum)
        self.running_var.lerp_(unbiased, self.momentum)


class _Sum(torch.autograd.Function):
    """The sum over all processes. Each one's loss depends on it, so its gradient is theirs, summed.

    PyTorch's own, in ``torch.distributed.nn``, is deprecated.
    """

    @staticmethod
    def forward(ctx: Any, x: Tensor) -> Tensor:
        total = x.clone(memory_format=torch.contiguous_format)
        distributed.all_reduce(total)
        return total

    @staticmethod
    def backward(ctx: Any, slope: Tensor) -> Tensor:
        return _Sum.forward(ctx, slope)


def set_share(model: nn.Module, share: Share | None) -> None:
    """Tell every dropout of a model which rows of the batch it holds."""
    for module in model.modules():
        if isinstance(module, Dropout):
            module.share = share
