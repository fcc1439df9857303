"""Optimisers: change the parameters, in place, by what the gradients say."""

import math
from typing import Any

import numpy as np

from ..layers.checks import Array, check_flag, is_number, is_plain


def _is_trainable(p: Any) -> bool:
    """Whether it is an array of floats, or of exact fractions.

    Not in float16: there a squared gradient below 0.0002 is 0.
    """
    return is_plain(p) and p.dtype.kind in "fO" and p.dtype != np.float16


class _Optimizer:
    decoupled = False  # whether the decay stays out of the gradient

    def __init__(self, params: dict[str, Array], lr: float | Array, weight_decay: float) -> None:
        fits = isinstance(params, dict) and params and all(map(_is_trainable, params.values()))
        if not fits:
            raise ValueError(
                f"params: expected a dict of arrays of floats, such as model.params, got {params!r}"
            )
        for name, value in (("lr", lr), ("weight_decay", weight_decay)):
            numbers = np.ravel(value).tolist()
            if not all(is_number(number) and 0 <= number < math.inf for number in numbers):
                raise ValueError(f"{name}: expected a finite number of at least 0, got {value!r}")
        self.params, self.lr, self.weight_decay = params, lr, weight_decay

    def _checked(self, grads: dict[str, Array]) -> list[tuple[str, Array, Array]]:
        """Name, parameter and gradient; nothing has been changed where a gradient does not fit."""
        if not isinstance(grads, dict):
            raise ValueError(f"grads: expected a dict of arrays, got {type(grads).__name__}")
        if grads.keys() != self.params.keys():
            odd = sorted(grads.keys() ^ self.params.keys())
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
        Changed in place by ``step``.
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
        If a number is out of its range, or ``nesterov`` has no momentum.

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
        Changed in place by ``step``.
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
        If a number is out of its range.

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
        if not (is_number(eps) and 0 < eps < math.inf):
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
        If a number is out of its range.

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
    if not (is_number(max_norm) and 0 < max_norm < math.inf):
        raise ValueError(f"max_norm: expected a finite number above 0, got {max_norm!r}")
    if not isinstance(grads, dict) or not all(map(_is_trainable, grads.values())):
        raise ValueError(f"grads: expected a dict of arrays of floats, got {grads!r}")
    norm = math.sqrt(sum(float(np.square(g, dtype=np.float64).sum()) for g in grads.values()))
    if not math.isfinite(norm):
        raise FloatingPointError(f"grads: expected a finite norm, got {norm}")
    factor = min(1.0, max_norm / (norm + 1e-6))
    return {name: g * factor for name, g in grads.items()}, norm
