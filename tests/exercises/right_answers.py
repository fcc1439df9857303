"""Right answers that are written in an unusual way: each must pass.

A text is a whole file that ends with `answer = …`, or one expression: a function. Names of the
exercises' functions belong to their arguments; `np`, `partial`, `reduce` and `view` are known.
"""

RIGHT: dict[str, list[str]] = {
    "sums": [
        "lambda x: (x @ np.ones(x.shape[1], x.dtype), np.add.reduce(x, 0), float((x**2).sum()))",
        "lambda x: [np.array([sum(r) for r in x], x.dtype), x.T.sum(-1), np.vdot(x, x)]",
        "lambda x: (np.asfortranarray(x).sum(1), x[::-1].sum(0), np.linalg.norm(x) ** 2)",
        "lambda x: (np.einsum('ij->i', x), np.einsum('ij->j', x), np.einsum('ij,ij', x, x))",
    ],
    "matrix_product": [
        "np.matmul",
        "np.dot",
        "lambda a, b: (b.T @ a.T).T",
        "lambda a, b: np.tensordot(a, b, 1)",
        "lambda a, b: sum(np.outer(a[:, j], b[j]) for j in range(len(b)))",
        "lambda a, b: np.asfortranarray(a @ b)",
        "partial(np.einsum, 'zq,qt->zt')",
        "np.vectorize(lambda r, b: r @ b, signature='(j),(j,k)->(k)')",
        "lambda a, b: (a[:, :, None] * b[None]).sum(axis=1)",
    ],
    "batch_product": [
        "np.matmul",
        "lambda a, b: np.stack([p @ q for p, q in zip(a, b)])",
        "lambda a, b: np.einsum('...ij,...jk', a, b)",
        "lambda a, b: (a[..., None] * b[:, None]).sum(-2)",
    ],
    "product_gradients": [
        "lambda dy, a, b: (dy @ b.T, (dy.T @ a).T)",
        "lambda dy, a, b: [np.tensordot(dy, b, (1, 1)), np.tensordot(a, dy, (0, 0))]",
        "lambda dy, a, b: tuple(np.einsum(*p) for p in (('ik,jk', dy, b), ('ij,ik->jk', a, dy)))",
    ],
    "filter_windows": [
        "lambda windows, weight: np.tensordot(windows, weight, ((1, 4, 5), (1, 2, 3)))"
        ".transpose(0, 3, 1, 2)",
        "lambda windows, weight: sum(np.einsum('nij,f->nfij', windows[:, c, :, :, u, v], "
        "weight[:, c, u, v]) for c, u, v in np.ndindex(weight.shape[1:]))",
        "lambda windows, weight: (windows[:, None] * weight[None, :, :, None, None])"
        ".sum(axis=(2, 5, 6))",
    ],
    "numerical_gradient": [
        """
def answer(f, x, h):
    grad = np.empty(x.shape, x.dtype)
    for i in np.ndindex(*x.shape):  # moved, and put back
        old = x[i]
        x[i] = old + h
        up = f(x)
        x[i] = old - h
        grad[i] = (up - f(x)) / (2 * h)
        x[i] = old
    return grad
""",
        """
def answer(f, x, h):
    grad = np.empty_like(x)
    for i in np.ndindex(*x.shape):  # moved there and back: a rounding stays
        x[i] += h
        up = f(x)
        x[i] -= 2 * h
        grad[i] = (up - f(x)) / h / 2
        x[i] += h
    return grad
""",
        "lambda f, x, h: np.array([(f(x + h * e.reshape(x.shape)) - f(x - h * e.reshape(x.shape)))"
        " / 2 / h for e in np.eye(x.size, dtype=x.dtype)], x.dtype).reshape(x.shape)",
        """
def answer(f, x, h, places=None):
    '''One place after the other, by recursion.'''
    places = list(np.ndindex(x.shape)) if places is None else places
    if not places:
        return np.zeros_like(x)
    step = np.zeros_like(x)
    step[places[0]] = 1
    return answer(f, x, h, places[1:]) + step * ((f(x + h * step) - f(x - h * step)) / (2 * h))
""",
    ],
    "relu": [
        "lambda x: np.where(x > 0, x, 0)",
        "lambda x: x * (x > 0)",
        "lambda x: (x + np.abs(x)) / 2",
        "lambda x: np.fmax(x, x.dtype.type(0))",
        "partial(np.clip, a_min=0, a_max=None)",
        "np.vectorize(lambda v: v if v > 0 else v * 0)",
        "lambda x: np.array([max(v, 0) for v in x.ravel()], x.dtype).reshape(x.shape)",
        "lambda x: np.frompyfunc(lambda v: max(v, 0.0), 1, 1)(x).astype(x.dtype)",
        """
class ReLU:
    floor: float = 0.0

    def __call__(self, x: "np.ndarray") -> "np.ndarray":
        y: np.ndarray = x.copy()
        y[y < self.floor] = self.floor
        return y

answer = ReLU()
""",
        "lambda x: np.asfortranarray(np.maximum(x, 0))",
        "lambda x: np.maximum(x, 0)[::-1][::-1]",
        """
def answer(x):
    if x.ndim == 0:
        return max(x, x * 0)
    return np.array([answer(row) for row in x], dtype=x.dtype)
""",
    ],
    "relu_backward": [
        "lambda dy, x: np.where(x > 0, dy, 0)",
        "lambda dy, x: dy * np.heaviside(x, 0)",
        "lambda dy, x: dy * np.sign(np.maximum(x, 0))",
        "lambda dy, x: np.choose(x > 0, (np.zeros_like(dy), dy))",
        "lambda dy, x: np.multiply(dy, np.greater(x, 0), dtype=dy.dtype)",
        "lambda dy, x: np.ma.masked_where(x <= 0, dy).filled(0)",
    ],
    "linear": [
        "lambda x, weight, bias: np.einsum('ni,ik->nk', x, weight) + bias[None, :]",
        "lambda x, weight, bias: np.array([[sum(p * q for p, q in zip(r, c)) + b "
        "for c, b in zip(weight.T, bias)] for r in x], x.dtype)",
        "lambda x, weight, bias: np.c_[x, np.ones(len(x), x.dtype)] @ np.r_[weight, bias[None]]",
        "lambda x, weight, bias: reduce(np.add, (np.multiply.outer(x[:, i], weight[i]) "
        "for i in range(len(weight))), bias)",
        "lambda x, weight, bias: np.apply_along_axis(lambda r: r @ weight + bias, 1, x)",
    ],
    "linear_backward": [
        "lambda dy, x, weight: (np.inner(dy, weight), np.inner(x.T, dy.T), dy.T.sum(1))",
        "lambda dy, x, weight: [dy @ weight.T, sum(map(np.outer, x, dy)), sum(dy)]",
        "lambda dy, x, weight: (np.einsum('nk,ik->ni', dy, weight), np.einsum('nk,ni->ik', dy, x), "
        "np.ones(len(dy), dy.dtype) @ dy)",
    ],
    "he_normal": [
        "lambda shape, rng: rng.normal(0, (2 / np.prod(shape[1:] if len(shape) > 2 else shape[0]))"
        " ** 0.5, shape)",
        "lambda shape, rng: np.float32(np.sqrt(2 / (np.prod(shape) / shape[len(shape) == 2])))"
        " * rng.standard_normal(shape, dtype=np.float32)",
        "lambda shape, rng: np.array([rng.normal() for _ in range(int(np.prod(shape)))])"
        ".reshape(shape) * (2 * shape[len(shape) == 2] / np.prod(shape)) ** 0.5",
    ],
    "xavier_uniform": [
        "lambda shape, rng: (2 * rng.random(shape) - 1) * np.sqrt(6 / (sum(shape[:2]) * "
        "np.prod(shape[2:])))",
        "lambda shape, rng: ((rng.random(shape, dtype=np.float32) - 0.5) * np.float32("
        "np.sqrt(24 / sum(shape[:2]) / np.prod(shape[2:]))))",
    ],
    "softmax": [
        "lambda x: np.exp(x - np.logaddexp.reduce(x, axis=-1, keepdims=True))",
        "lambda x: 1 / np.exp(x[..., None, :] - x[..., None]).clip(0, 1e30).sum(-1)",
        "np.vectorize(lambda r: np.exp(r - max(r)) / sum(np.exp(r - max(r))), "
        "signature='(c)->(c)')",
        "lambda x: (lambda e: e / np.add.reduce(e, -1, keepdims=True))"
        "(np.exp(x - np.sort(x)[..., -1:]))",
        "lambda x: np.array([answer(r) for r in x], x.dtype) if x.ndim > 1 else "
        "np.exp(x - x.max()) / np.exp(x - x.max()).sum()",
    ],
    "softmax_backward": [
        "lambda dp, p: p * dp - p * np.einsum('...c,...c->...', dp, p)[..., None]",
        "lambda dp, p: ((np.eye(p.shape[-1], dtype=p.dtype) * p[..., None] - p[..., None] * "
        "p[..., None, :]) @ dp[..., None])[..., 0]",
        "lambda dp, p: p * (dp - np.average(dp, axis=-1, weights=p, keepdims=True))",
    ],
    "cross_entropy": [
        "lambda probabilities, labels: -sum(np.log(p[k]) for p, k in zip(probabilities, labels)) "
        "/ len(labels)",
        "lambda probabilities, labels: -np.log(np.take_along_axis(probabilities, labels[:, None], "
        "1)).mean()",
        "lambda probabilities, labels: -np.log(np.prod(probabilities[range(len(labels)), labels]))"
        " / len(labels)",
        "lambda probabilities, labels: -np.log(labels.choose(probabilities.T)).mean()",
    ],
    "cross_entropy_backward": [
        "lambda dy, probabilities, labels: -dy * np.eye(probabilities.shape[1], "
        "dtype=probabilities.dtype)[labels] / probabilities / len(labels)",
        "lambda dy, probabilities, labels: np.where(labels[:, None] == "
        "np.arange(probabilities.shape[1]), -dy / probabilities / len(labels), 0)",
    ],
    "softmax_cross_entropy": [
        """
def answer(logits, labels):
    total = np.logaddexp.reduce(logits, axis=1, keepdims=True)
    one_hot = np.eye(logits.shape[1], dtype=logits.dtype)[labels]
    loss = np.mean(total[:, 0] - (logits * one_hot).sum(1))
    return loss, (np.exp(logits - total) - one_hot) / len(labels)
""",
        """
def answer(logits, labels):
    loss, dlogits = 0.0, np.zeros_like(logits)
    for n, (row, k) in enumerate(zip(logits, labels)):
        row = row - row.max()
        loss += (np.log(np.exp(row).sum()) - row[k]) / len(labels)
        dlogits[n] = np.exp(row) / np.exp(row).sum()
        dlogits[n, k] -= 1
    dlogits /= len(labels)
    return float(loss), dlogits
""",
    ],
    "two_layer_loss": [
        """
def answer(x, labels, weight1, bias1, weight2, bias2):
    z = (x @ weight1 + bias1).clip(0) @ weight2 + bias2
    return np.mean([np.logaddexp.reduce(row) - row[k] for row, k in zip(z, labels)])
""",
    ],
    "two_layer_gradients": [
        """
def answer(x, labels, weight1, bias1, weight2, bias2):
    one = np.ones((len(x), 1), x.dtype)
    a = np.hstack([x, one]) @ np.vstack([weight1, bias1])
    r = np.where(a > 0, a, 0)
    z = r @ weight2 + bias2
    dz = np.exp(z - np.logaddexp.reduce(z, axis=1, keepdims=True))
    dz = (dz - np.eye(dz.shape[1], dtype=dz.dtype)[labels]) / len(labels)
    da = np.einsum("nc,mc,nm->nm", dz, weight2, (a > 0).astype(a.dtype))
    return [x.T @ da, (one.T @ da)[0], r.T @ dz, (one.T @ dz)[0]]
""",
    ],
    "batch_norm": [
        """
def answer(x, gamma, beta, running_mean, running_var, train, momentum, eps):
    if not train:
        scale = gamma / (running_var + eps) ** 0.5
        return x * scale + (beta - running_mean * scale), running_mean, running_var
    mean = x.sum(0) / len(x)
    var = np.mean(np.square(x - mean), axis=0)
    new_mean = running_mean + momentum * (mean - running_mean)
    new_var = running_var + momentum * (np.var(x, axis=0, ddof=1) - running_var)
    return (x - mean) * gamma / np.sqrt(var + eps) + beta, new_mean, new_var
""",
    ],
    "batch_norm_backward": [
        """
def answer(dy, x, gamma, eps):
    n = len(x)
    c = x - x.mean(0)
    s = (c**2).mean(0) + eps
    g = dy * gamma
    dvar = (-0.5 * s**-1.5 * g * c).sum(0)  # through the graph, node by node
    dmean = -(g / np.sqrt(s)).sum(0)
    return g / np.sqrt(s) + dvar * 2 * c / n + dmean / n, (dy * c).sum(0) / s**0.5, dy.sum(0)
""",
    ],
    "layer_norm": [
        "lambda x, gamma, beta, eps: (x.T - x.mean(1)).T * gamma / np.sqrt(x.var(1) + eps)[:, None]"
        " + beta",
        "lambda x, gamma, beta, eps: np.stack([gamma * (r - r.mean()) * (r.var() + eps) ** -0.5 "
        "+ beta for r in x]).astype(x.dtype)",
    ],
    "layer_norm_backward": [
        """
def answer(dy, x, gamma, eps):
    c = x - x.mean(1, keepdims=True)
    s = np.sqrt((c * c).mean(1, keepdims=True) + eps)
    h, g, d = c / s, dy * gamma, x.shape[1]
    jacobian = (np.eye(d, dtype=x.dtype) - 1 / x.dtype.type(d) - h[:, :, None] * h[:, None] / d)
    dx = np.einsum("nij,nj->ni", jacobian / s[..., None], g)
    return dx, np.einsum("nd,nd->d", dy, h), sum(dy)
""",
    ],
    "sgd_momentum": [
        "lambda param, grad, velocity, lr, momentum: (param - lr * momentum * velocity - lr * grad,"
        " grad + velocity * momentum)",
        "lambda param, grad, velocity, lr, momentum: [np.add(param, -lr * (v := momentum * velocity"
        " + grad)), v]",
    ],
    "adam": [
        """
def answer(param, grad, m, v, t, lr, beta1, beta2, eps):
    m = m + (1 - beta1) * (grad - m)
    v = v + (1 - beta2) * (grad * grad - v)
    rate = lr * (1 - beta2**t) ** 0.5 / (1 - beta1**t)
    return param - rate * m / (np.sqrt(v) + eps * (1 - beta2**t) ** 0.5), m, v
""",
    ],
    "conv2d": [
        """
def answer(x, weight, bias, stride, padding):
    image = np.pad(x, [(0, 0)] * 2 + [(padding,) * 2] * 2)
    kh, kw = weight.shape[2:]
    ho, wo = ((n - k) // stride + 1 for n, k in zip(image.shape[2:], (kh, kw)))
    y = np.zeros((len(x), len(weight), ho, wo), x.dtype) + bias[None, :, None, None]
    for u, v in np.ndindex(kh, kw):
        part = image[:, :, u : u + stride * ho : stride, v : v + stride * wo : stride]
        y += np.tensordot(part, weight[:, :, u, v], (1, 1)).transpose(0, 3, 1, 2)
    return y
""",
        """
def answer(x, weight, bias, stride, padding):
    image = np.pad(x, [(0, 0)] * 2 + [(padding,) * 2] * 2)
    rows = view(image, weight.shape[2:], axis=(2, 3))[:, :, ::stride, ::stride]
    n, c, h, w, *_ = rows.shape
    rows = rows.transpose(0, 2, 3, 1, 4, 5).reshape(n * h * w, -1)
    y = rows @ weight.reshape(len(weight), -1).T + bias
    return y.reshape(n, h, w, -1).transpose(0, 3, 1, 2)
""",
    ],
    "conv2d_backward": [
        """
def answer(dy, x, weight, stride, padding):
    image = np.pad(x, [(0, 0)] * 2 + [(padding,) * 2] * 2)
    dimage, dweight = np.zeros_like(image), np.zeros_like(weight)
    kh, kw = weight.shape[2:]
    for n, f, i, j in np.ndindex(dy.shape):
        window = np.s_[n, :, stride * i : stride * i + kh, stride * j : stride * j + kw]
        dimage[window] += dy[n, f, i, j] * weight[f]
        dweight[f] += dy[n, f, i, j] * image[window]
    inside = slice(padding, -padding or None)
    return dimage[:, :, inside, inside], dweight, np.einsum("nfij->f", dy)
""",
    ],
    "max_pool2d": [
        "lambda x, kernel_size, stride: view(x, (kernel_size,) * 2, axis=(2, 3))"
        "[:, :, ::stride, ::stride].max((-2, -1))",
        """
def answer(x, kernel_size, stride):
    k, (h, w) = kernel_size, x.shape[2:]
    parts = [
        x[:, :, u : h - k + u + 1 : stride, v : w - k + v + 1 : stride]
        for u in range(k)
        for v in range(k)
    ]
    return reduce(np.maximum, parts)
""",
    ],
    "max_pool2d_backward": [
        """
def answer(dy, x, kernel_size, stride):
    windows = view(x, (kernel_size,) * 2, axis=(2, 3))[:, :, ::stride, ::stride]
    u, v = np.divmod(windows.reshape(*dy.shape, -1).argmax(-1), kernel_size)
    n, c, i, j = np.indices(dy.shape)
    dx = np.zeros_like(x)
    np.add.at(dx, (n, c, stride * i + u, stride * j + v), dy)
    return dx
""",
    ],
    "avg_pool2d": [
        "lambda x, kernel_size, stride: np.einsum('ncijuv->ncij', view(x, (kernel_size,) * 2, "
        "axis=(2, 3))[:, :, ::stride, ::stride]) / kernel_size**2",
        """
def answer(x, kernel_size, stride):
    c = np.pad(x, [(0, 0)] * 2 + [(1, 0)] * 2).astype(np.float64).cumsum(2).cumsum(3)
    k = kernel_size
    sums = c[:, :, k:, k:] - c[:, :, :-k, k:] - c[:, :, k:, :-k] + c[:, :, :-k, :-k]
    return (sums[:, :, ::stride, ::stride] / k**2).astype(x.dtype)
""",
    ],
    "avg_pool2d_backward": [
        """
def answer(dy, x, kernel_size, stride):
    dx = np.zeros(x.shape, dtype=x.dtype, order="F")
    for i, j in np.ndindex(dy.shape[2:]):
        rows, columns = (slice(stride * k, stride * k + kernel_size) for k in (i, j))
        dx[:, :, rows, columns] += dy[:, :, i : i + 1, j : j + 1] / kernel_size**2
    return dx
""",
    ],
}
FILES = {  # whole files for `relu`, as bytes: they go through the sandbox
    "a star import": b"from numpy import *\ndef relu(x):\n    return maximum(x, 0)\n",
    "np.testing": b"import numpy as np\ndef relu(x):\n    y = np.maximum(x, 0)\n"
    b"    np.testing.assert_array_less(-1, y)\n    return y\n",
    "sysconfig": b"import sysconfig\nsysconfig.get_config_vars()\nimport numpy as np\n"
    b"relu = lambda x: np.maximum(x, 0)\n",
    "a byte order mark": b"\xef\xbb\xbfimport numpy as np\nrelu = lambda x: np.maximum(x, 0)\n",
    "Latin-1": b"# -*- coding: latin-1 -*-\nimport numpy as np\n# \xfcber\ndef relu(x):\n"
    b"    return np.maximum(x, 0) if '\xe9' == chr(233) else x\n",
    "Windows' line ends": b"import numpy as np\r\ndef relu(x):\r\n    return np.maximum(x, 0)\r\n",
    "prints and annotations": b"from __future__ import annotations\nimport numpy as np\n"
    b"from dataclasses import dataclass\nfrom typing import Any\n\n@dataclass\nclass Floor:\n"
    b"    at: float = 0.0\n    def __call__(self, x: np.ndarray[Any, Any]) -> np.ndarray:\n"
    b"        print('shape', x.shape)\n        return np.maximum(x, self.at)\n\nrelu = Floor()\n",
    "helpers, partial and a cache": b"import functools, math, operator\nimport numpy as np\n"
    b"@functools.lru_cache\ndef floor() -> int:\n    return 0\n"
    b"relu = functools.partial(lambda f, x: np.maximum(x, f()), floor)\n",
    "a main block": b"import numpy as np\ndef relu(x):\n    return np.maximum(x, 0)\n"
    b"if __name__ == '__main__':\n    raise SystemExit(3)\n",
}
