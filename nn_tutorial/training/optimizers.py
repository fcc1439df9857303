"""Optimisers: change the parameters, in place, by what the gradients say."""

import math
from collections.abc import Sequence
from typing import Any

import numpy as np
from numpy.lib.array_utils import byte_bounds

from ..layers.checks import Array, check_flag, is_number, is_plain


def _is_trainable(p: Any) -> bool:
    """Whether it is an array of floats, or of exact fractions.

    Not in float16: there a squared gradient below 0.0002 is 0.
    """
    return is_plain(p) and p.dtype.kind in "fO" and p.dtype != np.float16


def is_size(value: Any) -> bool:
    """Whether it is a finite number of at least 0."""
    try:
        return is_number(value) and 0 <= float(value) < math.inf
    except OverflowError:  # an integer that is too large for a float
        return False


def first_shared(arrays: Sequence[tuple[str, Array]]) -> tuple[str, str] | None:
    """Return the names of the first two arrays that share memory, or None.

    In the order of their places, where each is compared with those alone that begin before it ends.
    """
    found = []
    places = sorted((*byte_bounds(a), i) for i, (_, a) in enumerate(arrays))
    for k, (_, end, i) in enumerate(places):
        for start, _, j in places[k + 1 :]:
            if start >= end:
                break
            if np.shares_memory(arrays[i][1], arrays[j][1]):
                found.append((min(i, j), max(i, j)))
    return (arrays[min(found)[0]][0], arrays[min(found)[1]][0]) if found else None


def _check_lr(lr: Any, params: dict[str, Array]) -> None:
    """Refuse what is no rate, or an array that is not broadcast to each parameter's shape."""
    several = is_plain(lr) and lr.size > 0 and lr.dtype.kind in "fiu"
    if not all(map(is_size, [lr.min(), lr.max()] if several else [lr])):  # NaN is both of them
        raise ValueError(
            f"lr: expected a finite number of at least 0, or an array of them, got {lr!r}"
        )
    for name, p in params.items() if several else ():
        sizes = zip(reversed(lr.shape), reversed(p.shape), strict=False)
        if lr.ndim > p.ndim or any(own not in (1, size) for own, size in sizes):
            raise ValueError(
                f"lr: expected a shape that broadcasts to {p.shape}, that of {name!r}, "
                f"got {lr.shape}"
            )


class _Optimizer:
    decoupled = False  # whether the decay stays out of the gradient

    def __init__(self, params: dict[str, Array], lr: float | Array, weight_decay: float) -> None:
        fits = isinstance(params, dict) and params and all(map(_is_trainable, params.values()))
        if not fits:
            raise ValueError(
                f"params: expected a dict of arrays of floats, such as model.params, got {params!r}"
            )
        for name, p in params.items():
            if not p.flags.writeable:
                raise ValueError(f"params: expected arrays to write to, {name!r} is read-only")
        if shared := first_shared([*params.items()]):
            one, other = map(repr, shared)
            raise ValueError(
                f"params: expected arrays that share no memory, got {one} and {other} in one: "
                "each step would change it twice"
            )
        if not is_size(weight_decay):
            raise ValueError(
                f"weight_decay: expected a finite number of at least 0, got {weight_decay!r}"
            )
        self.params, self.weight_decay = params, weight_decay
        self.lr = lr

    @property
    def lr(self) -> float | Array:
        """The learning rate; one that is set is checked as the first was."""
        return self._lr

    @lr.setter
    def lr(self, lr: float | Array) -> None:
        _check_lr(lr, self.params)
        self._lr = lr

    def _checked(self, grads: dict[str, Array]) -> list[tuple[str, Array, Array]]:
        """Name, parameter and gradient; nothing has been changed where a gradient does not fit."""
        if not isinstance(grads, dict):
            raise ValueError(f"grads: expected a dict of arrays, got {type(grads).__name__}")
        if grads.keys() != self.params.keys():
            odd = sorted(grads.keys() ^ self.params.keys(), key=repr)
            raise ValueError(f"grads: expected the keys of params, these are in one only: {odd}")
        found = []
        for name, p in self.params.items():
            g = grads[name]
            fits = _is_trainable(g) and g.shape == p.shape
            if not fits or (g.dtype.kind == "O" and p.dtype.kind != "O"):
                got = f"shape {g.shape} of {g.dtype}" if isinstance(g, np.ndarray) else repr(g)
                raise ValueError(f"grads[{name!r}]: expected shape {p.shape} of floats, got {got}")
            inside = self.weight_decay and not self.decoupled
            found.append((name, p, g + self.weight_decay * p if inside else g))
        return found


class SGD(_Optimizer):
    r"""Stochastic gradient descent, with momentum, Nesterov's too, and weight decay.

    $$g \leftarrow g + \lambda\theta, \qquad v \leftarrow \mu v + g, \qquad
      \theta \leftarrow \theta - \eta v$$

    With ``nesterov`` the last is $\theta \leftarrow \theta - \eta\,(g + \mu v)$. As PyTorch has
    it: the learning rate is outside the velocity. PyTorch's ``dampening`` and ``maximize`` are left
    out: scale the learning rate, or hand over the gradients' negatives.

    Parameters
    ----------
    params : dict of str to ndarray
        Changed in place by ``step``; no two may share memory.
    lr : float or ndarray
        Learning rate η; an array is broadcast with each parameter, and has its dtype.
    momentum : float
        μ, from 0 to below 1.
    nesterov : bool
        Whether the gradient is that of the place to which the velocity leads; needs momentum.
    weight_decay : float
        λ.

    Raises
    ------
    ValueError
        If a number is out of its range, ``nesterov`` has no momentum, or a parameter cannot be
        written to or shares memory with another.

    References
    ----------
    Polyak (1964), Some methods of speeding up the convergence of iteration methods.
    Sutskever and others (2013), On the importance of initialization and momentum in deep learning.
    """

    def __init__(
        self,
        params: dict[str, Array],
        lr: float | Array,
        *,
        momentum: float = 0.0,
        nesterov: bool = False,
        weight_decay: float = 0.0,
    ) -> None:
        super().__init__(params, lr, weight_decay)
        if not (is_number(momentum) and 0 <= momentum < 1):
            raise ValueError(f"momentum: expected a number from 0 to below 1, got {momentum!r}")
        check_flag("nesterov", nesterov)
        if nesterov and not momentum:
            raise ValueError(f"nesterov: expected a momentum above 0 with it, got {momentum}")
        self.momentum, self.nesterov = momentum, nesterov
        self.velocity = {name: np.zeros_like(p) for name, p in params.items()} if momentum else {}

    def step(self, grads: dict[str, Array]) -> None:
        """Change the parameters by one step.

        Parameters
        ----------
        grads : dict of str to ndarray
            Keys and shapes of ``params``; not changed.

        Raises
        ------
        ValueError
            If a key or a shape does not fit; nothing is changed then.
        """
        for name, p, g in self._checked(grads):
            if self.momentum:
                v = self.velocity[name]
                v *= self.momentum
                v += g
                g = g + self.momentum * v if self.nesterov else v
            p -= self.lr * g


class Adam(_Optimizer):
    r"""Adaptive moments: a step of about the learning rate for each parameter.

    $$m \leftarrow \beta_1 m + (1 - \beta_1) g, \qquad v \leftarrow \beta_2 v + (1 - \beta_2) g^2,
      \qquad \theta \leftarrow \theta - \eta\,
      \frac{m / (1 - \beta_1^t)}{\sqrt{v / (1 - \beta_2^t)} + \varepsilon}$$

    Parameters
    ----------
    params : dict of str to ndarray
        Changed in place by ``step``; no two may share memory.
    lr : float or ndarray
        Learning rate η; an array is broadcast with each parameter, and has its dtype.
    betas : (float, float)
        β₁ and β₂, each from 0 to below 1.
    eps : float
        ε, above 0.
    weight_decay : float
        λ, added to the gradient as λθ before all else.

    Raises
    ------
    ValueError
        If a number is out of its range, or a parameter cannot be written to or shares memory
        with another.

    References
    ----------
    Kingma and Ba (2015), Adam: a method for stochastic optimization, ICLR, algorithm 1.
    """

    def __init__(
        self,
        params: dict[str, Array],
        lr: float | Array = 1e-3,
        *,
        betas: tuple[float, float] = (0.9, 0.999),
        eps: float = 1e-8,
        weight_decay: float = 0.0,
    ) -> None:
        super().__init__(params, lr, weight_decay)
        two = isinstance(betas, (tuple, list)) and len(betas) == 2
        if not (two and all(is_number(beta) and 0 <= beta < 1 for beta in betas)):
            raise ValueError(f"betas: expected two numbers from 0 to below 1, got {betas!r}")
        if not is_size(eps) or eps == 0:
            raise ValueError(f"eps: expected a finite number above 0, got {eps!r}")
        self.betas, self.eps, self.t = betas, eps, 0
        self.m = {name: np.zeros_like(p) for name, p in params.items()}
        self.v = {name: np.zeros_like(p) for name, p in params.items()}

    def step(self, grads: dict[str, Array]) -> None:
        """Change the parameters by one step; see [`SGD.step`][nn_tutorial.SGD.step]."""
        checked = self._checked(grads)
        self.t += 1
        beta1, beta2 = self.betas
        unbias1, unbias2 = 1 - beta1**self.t, 1 - beta2**self.t
        for name, p, g in checked:
            m, v = self.m[name], self.v[name]
            # Not m += (1 − β₁)(g − m), which rounds where g and m are far apart: a β of 0 is exact.
            m *= beta1
            m += (1 - beta1) * g
            v *= beta2
            v += (1 - beta2) * (g * g)
            p -= (self.lr / unbias1) * m / (np.sqrt(v / unbias2) + self.eps)


class AdamW(Adam):
    r"""Adam with decoupled weight decay: the decay passes by the division.

    $$\theta \leftarrow (1 - \eta\lambda)\,\theta$$

    and then a step of Adam with the gradient alone. As PyTorch has it: the decay is multiplied by
    the learning rate.

    Parameters
    ----------
    params, lr, betas, eps
        See [`Adam`][nn_tutorial.Adam].
    weight_decay : float
        λ, at least 0.

    Raises
    ------
    ValueError
        If a number is out of its range, or a parameter cannot be written to or shares memory
        with another.

    References
    ----------
    Loshchilov and Hutter (2019), Decoupled weight decay regularization, ICLR, algorithm 2.
    """

    decoupled = True

    def __init__(
        self,
        params: dict[str, Array],
        lr: float | Array = 1e-3,
        *,
        betas: tuple[float, float] = (0.9, 0.999),
        eps: float = 1e-8,
        weight_decay: float = 0.01,
    ) -> None:
        super().__init__(params, lr, betas=betas, eps=eps, weight_decay=weight_decay)

    def step(self, grads: dict[str, Array]) -> None:
        """Change the parameters by one step; see [`SGD.step`][nn_tutorial.SGD.step]."""
        self._checked(grads)  # what is refused must not have decayed
        for p in self.params.values():
            p *= 1 - self.lr * self.weight_decay
        super().step(grads)


def clip_gradients(grads: dict[str, Array], max_norm: float) -> tuple[dict[str, Array], float]:
    r"""Shorten the gradients, all by one factor, where together they are too long.

    $$g \leftarrow g \min\left(1, \frac{c}{\|g\| + 10^{-6}}\right)$$

    The norm is that of all arrays as one long vector, so its direction stays. The small number is
    PyTorch's.

    Parameters
    ----------
    grads : dict of str to ndarray
        Not changed.
    max_norm : float
        c, the longest that is let through, above 0.

    Returns
    -------
    clipped : dict of str to ndarray
        With the keys, shapes and dtypes of ``grads``.
    norm : float
        ‖g‖ before the clipping, added up in float64.

    Raises
    ------
    ValueError
        If ``max_norm`` is out of its range, or ``grads`` is no dict of arrays of floats.
    FloatingPointError
        If the norm is not finite: no factor makes such a gradient right.

    References
    ----------
    Pascanu, Mikolov and Bengio (2013), On the difficulty of training recurrent neural networks.
    """
    if not is_size(max_norm) or max_norm == 0:
        raise ValueError(f"max_norm: expected a finite number above 0, got {max_norm!r}")
    if not isinstance(grads, dict) or not all(map(_is_trainable, grads.values())):
        raise ValueError(f"grads: expected a dict of arrays of floats, got {grads!r}")
    norm = float(np.max([np.abs(g).max(initial=0) for g in grads.values()], initial=0))
    if math.isfinite(norm):
        # Their squares could overflow or vanish. A power of 2 scales without rounding.
        scale = 2.0 ** (math.frexp(norm)[1] - 1)
        scaled = (np.asarray(g, np.float64) / scale for g in grads.values())
        norm = scale * math.sqrt(sum(float(np.square(g).sum()) for g in scaled))
    if not math.isfinite(norm):
        raise FloatingPointError(f"grads: expected a finite norm, got {norm}")
    factor = min(1.0, float(max_norm) / (norm + 1e-6))
    return {name: g * factor for name, g in grads.items()}, norm
