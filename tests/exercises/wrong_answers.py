"""Wrong answers that are no known mistakes, each with what must be told of it.

An answer is written instead of the solution; `right` is the solution, and the arguments have
their names. What is told must contain one of the words, and none of those behind the bar.
"""

FANS = "f = right.__globals__['facts']({'shape': shape, 'rng': rng})\n"
HE = FANS + "return np.sqrt(2 / f['n_in']) * "
XAVIER = FANS + "a = np.sqrt(6 / (f['n_in'] + f['n_out']))\nreturn "

# Function: (code, what must be told | what must not)
WRONG: dict[str, list[tuple[str, str]]] = {
    "sums": [
        ("r = right(x)\nreturn r[1], r[0], r[2]", "rows and columns swapped"),
        ("r = right(x)\nreturn r[2], r[0], r[1]", "another order: you return squares, rows"),
        ("r = right(x)\nreturn r[0], r[1]", "returned 2 things, expected rows, columns, squares"),
        ("r = right(x)\nreturn r[0], r[1], np.array([r[2]])", "axis of size 1 too many"),
        ("r = right(x)\nreturn r[0], r[1], r[2] + 1", "`squares` is 1 too large | known"),
        ("r = right(x)\nreturn r[0].astype(int), r[1], r[2]", "whole numbers"),
        ("r = right(x)\nreturn x.max(1), r[1], r[2]", "the largest of `x` over axis 1"),
        ("r = right(x)\nreturn r[0][::-1], r[1], r[2]", "reversed"),
    ],
    "matrix_product": [
        ("return right(a, b) + 3", "Every element of `y` is 3 too large"),
        ("return right(a, b).T", "the result is transposed"),
        ("return right(a, b)[None]", "axis of size 1 too many"),
        ("return np.roll(right(a, b), 1, axis=1)", "along axis 1"),
        ("return right(np.abs(a), b)", "`a` were positive"),
        ("return right(a, b).astype(np.int64)", "whole numbers, of the type int64"),
        ("return 2 * right(a, b)", "2 times what was expected"),
        ("y = right(a, b)\ny[0] = 0\nreturn y", "`a` were 0 in its first place along axis 0"),
        ('return a.T @ b if a.shape[0] == a.shape[1] else a @ b', 'right on 5 of 6'),
    ],
    "batch_product": [
        ("return right(b, a)", "raised ValueError"),
        ("return right(a, b).mean(0)", "the mean of `a` @ `b` over axis 0"),
        ("return right(a, b)[:1]", "of the beginning"),
        ("y = right(a, b)\nreturn y.transpose(1, 0, 2)", "axes in another order"),
        ('return b @ a if len({*a.shape, *b.shape}) == 1 else a @ b', 'right on 5 of 6'),
    ],
    "product_gradients": [
        ("da, db = right(dy, a, b)\nreturn da / len(a), db / len(a)", "the number of rows of a"),
        ("da, db = right(dy, a, b)\nreturn da, -db", "`db` has the wrong sign | `da` has"),
        ("da, db = right(dy, a, b)\nreturn da, db + a.sum()", "`da` is right"),
        ("return right(dy, a, b)[0]", "returned 1 thing, expected da, db"),
        (
            "da, db = right(dy, a, b)\n"
            "return (dy @ b if b.shape[0] == b.shape[1] else da), db",
            "`db` is right",
        ),
    ],
    "filter_windows": [
        ("return right(windows, weight) * 0", "is 0 in every place"),
        ("return right(windows, weight)[:, ::-1]", "reversed (the last comes first) along"),
        ("return np.maximum(right(windows, weight), 0)", "0 for all that is negative"),
    ],
    "numerical_gradient": [
        ("return right(f, x, h) * h", "exactly 0.5 times too large, and 0.5 is h"),
        ("return right(f, x, h / 2)", "if `h` were half as large"),
        ("return np.abs(right(f, x, h))", "absolute value of what was expected"),
        ("g = right(f, x, h)\nx[...] = 0\nreturn g", "changed its argument x"),
        ("return right(f, x, h).astype(int)", "whole numbers"),
        ("return right(f, x, h)[..., None]", "axis of size 1 too many"),
        ("return right(f, x, h).sum()", "`grad` is a single number, expected (2, 2) | shape of"),
        (
            "g = np.zeros_like(x)\nfor i in np.ndindex(x.shape):\n    x[i] += h\n    up = f(x)\n"
            "    x[i] -= 2 * h\n    g[i] = (up - f(x)) / (2 * h)\n    x[i] += h * 1.0000001\n"
            "return g",
            "Its numbers are right on | moved",
        ),
    ],
    "relu": [
        ("return np.clip(x, 0, 7)", "`x` is | known"),
        ("return np.where(x > 0, x, 0.3 * x)", "exactly those where `x` is negative | leaky"),
        ("return x.copy()", "`x` itself"),
        ("return np.where(x > 0, x * x, 0)", "square of what was expected"),
        ("return np.maximum(x, 0).astype(np.float64)", "float64 where the input is float32"),
        ("return np.maximum(x, 0).astype(np.float16)", "`y` is float16 where the input is float64"),
        ("y = np.maximum(x, 0)\nreturn y if x.ndim < 3 else y * 2", "has more than 2 axes"),
        ('return np.where(x > 0.1, x, 0)', "0 where they should not be | fortran"),
    ],
    "relu_backward": [
        ("return x * (x > 0)", "the output instead of the gradient"),
        ("return dy * (x > 1)", "they are 0 where they should not be"),
        ("return dy * x", "`dy` times `x`"),
        ("return np.where(x > 0, 1, 0.01)", "Known mistake: dy is forgotten, and the gate leaks"),
    ],
    "linear": [
        ("return x @ (2 * weight) + bias", "or if `weight` were twice as large | known"),
        ("return right(x, weight, bias) - 1", "−1 too large"),
        ("return x @ weight + 3 * bias", "2 times `bias`"),
        ("return x @ weight + bias[::-1]", "reversed along axis 0"),
        ("return right(x, weight, bias) / len(x)", "exactly 2 times too small"),
        ("return right(x, weight, np.full_like(bias, bias.mean()))", "`bias` were its mean"),
        ("return (x @ weight + bias, x)", "returned 2 things"),
        (
            "return right(x, weight.T if weight.shape[1] == x.shape[1] else weight, bias)",
            "right on 6 of 7",
        ),
    ],
    "linear_backward": [
        ("dx, dw, db = right(dy, x, weight)\nreturn dx, dw, db[None]", "axis of size 1 too many"),
        ("dx, dw, db = right(dy, x, weight)\nreturn dx, dw, dy.max(0)", "the largest of `dy`"),
        ("dx, dw, db = right(dy, x, weight)\nreturn dx, dw, dy[0]", "only the first of `dy`"),
        ("dx, dw, db = right(dy, x, weight)\nreturn dx, dw + 1, db", "`dx` and `dbias` are"),
        ("dx, dw, db = right(dy, x, weight)\nreturn dw, dx, db", "order: you return dweight"),
        ("dx, dw, db = right(dy, x, weight)\nreturn dx, 2 * dw, db / 3", "1/3 | known"),
        (
            "return np.ones_like(dy) @ weight.T, x.T @ dy, dy.mean(0)",
            "dx is right for a dy of all ones | other",
        ),
    ],
    "he_normal": [
        ("return right(shape, np.random.default_rng())", "same seed"),
        ("return right(shape, np.random.default_rng(5))", "different seeds gave the same"),
        ("return right(shape, rng) + 1", "centre"),
        ("return right(shape, rng).T", "has the shape"),
        (HE + "np.clip(rng.standard_normal(shape), -2, 2)", 'not distributed as normal'),
        (HE + "rng.laplace(0, np.sqrt(0.5), shape)", 'not distributed as normal'),
        (HE + "(rng.exponential(1, shape) - 1)", 'not distributed as normal'),
        (HE + "rng.triangular(-1, 0, 1, shape) * np.sqrt(6)", 'not distributed as normal'),
        (HE + "rng.uniform(-1, 1, (3, *shape)).sum(0)", 'not distributed as normal'),
        (HE + "rng.standard_t(5, shape) * np.sqrt(3 / 5)", 'not distributed as normal'),
        (
            HE + "rng.standard_normal(shape) * (rng.random(shape) > 0.5) * np.sqrt(2)",
            "not distributed as normal",
        ),
        (HE + "rng.choice([-1, 1], shape)", 'not distributed as normal | uniform'),
        (
            HE + "np.sort(rng.standard_normal(shape), axis=None).reshape(shape)",
            "not drawn independently",
        ),
        (
            HE + "np.random.default_rng(rng.integers(100)).standard_normal(shape)",
            "do not come from `rng`",
        ),
        (
            HE + "rng.uniform(-np.sqrt(1.5), np.sqrt(1.5), shape)",
            "Your numbers are uniform | is right.",
        ),
        (
            "w = right(shape, rng).ravel()\n"
            "h = len(w) // 2\n"
            "w[h : 2 * h] = -w[:h]\n"
            "return w.reshape(shape)",
            "not drawn independently",
        ),
    ],
    "xavier_uniform": [
        ("return right(shape, np.random.default_rng(0))", "different seeds gave the same"),
        ("return 5 * right(shape, rng)", "`standard deviation` is"),
        (
            XAVIER + "rng.choice([-a, a], shape) / np.sqrt(3)",
            "not distributed as uniform | tails",
        ),
        (XAVIER + "rng.triangular(-a, 0, a, shape)", 'not distributed as uniform | tails'),
        (
            XAVIER + "rng.uniform(-a, a, (2, *shape)).mean(0)",
            "not distributed as uniform | tails",
        ),
        (
            XAVIER + "rng.laplace(0, a / np.sqrt(6), shape)",
            "not distributed as uniform | tails",
        ),
        (XAVIER + "rng.normal(0, a / np.sqrt(6), shape)", 'Your numbers are normal | bound'),
    ],
    "softmax": [
        ("p = right(x)\nreturn p / p.sum()", "times too small, and 2 is the number of rows"),
        ("return right(2 * x)", "`x` were twice as large"),
        ("return right(x) ** 2", "the square of what was expected"),
        ("return 1 - right(x)", "1 minus what was expected"),
        ("return np.round(right(x), 2)", "no pattern | known"),
        (
            "e = np.exp(x - np.abs(x).max(-1, keepdims=True))\n"
            "return e / e.sum(-1, keepdims=True)",
            "not finite | fortran",
        ),
    ],
    "softmax_backward": [
        ("return right(p, dp)", "changed places"),
        ("return right(dp, p) + dp", "by exactly `dp`"),
        ("return right(dp, p).sum(-1)", "shape"),
    ],
    "cross_entropy": [
        ("return right(probabilities, labels) + 0.1", "0.1 too large, on every test | times"),
        ("return 3 * right(probabilities, labels)", "3 times what was expected, on every test"),
        ("return 2.345 * right(probabilities, labels)", "expected | times what was expected"),
        ("return np.array([right(probabilities, labels)])", "axis of size 1 too many"),
        (
            "return 0.0 if len(probabilities) == 1 else right(probabilities, labels)",
            "N (the batch size) is 1",
        ),
        ('return np.nan', '`loss` is nan | too small'),
        ('return 1.0', '`loss` is 1, on every test | sign'),
    ],
    "cross_entropy_backward": [
        ("return 2 * right(dy, probabilities, labels)", "2 times what was expected"),
        ("return right(dy * dy, probabilities, labels)", "`dy` | known"),
        ("return right(dy, probabilities, labels).T", "transpose"),
        ('return right(dy, np.maximum(probabilities, 0.01), labels)', 'right on 8 of 9'),
        ('return 0.0', 'is the number 0 | variance'),
        ('return right(abs(dy), probabilities, labels)', 'wrong sign | float'),
    ],
    "softmax_cross_entropy": [
        ("l, d = right(logits, labels)\nreturn d, l", "another order: you return dlogits, loss"),
        ("l, d = right(logits, labels)\nreturn l, d * 5", "5 times what was expected"),
        ("l, d = right(logits, labels)\nreturn l / 2, d", "1/2 | known"),
    ],
    "two_layer_loss": [
        ("return right(x, labels, 2 * weight1, bias1, weight2, bias2)", "right if"),
        ("return right(x, labels, weight1, bias1, -weight2, bias2)", "`weight2` had the other"),
    ],
    "two_layer_gradients": [
        ("r = right(x, labels, weight1, bias1, weight2, bias2)\nreturn r[0], r[2], r[1], r[3]",
         "another order: you return dweight1, dweight2, dbias1"),
        ("r = right(x, labels, weight1, bias1, weight2, bias2)\nreturn r[0], 0 * r[1], r[2], r[3]",
         "`dbias1` is 0 in every place"),
    ],
    "batch_norm": [
        ("y, m, v = right(x, gamma, beta, running_mean, running_var, train, momentum, eps)\n"
         "return y, m, v**0.5", "the root of what was expected"),
        ("y, m, v = right(x, gamma, beta, running_mean, running_var, train, momentum, eps)\n"
         "return y, v, m", "another order: you return y, running_var, running_mean"),
        ("return right(x, gamma, beta, running_mean, running_var, not train, momentum, eps)",
         "`train` were the opposite"),
    ],
    "batch_norm_backward": [
        ("dx, dg, db = right(dy, x, gamma, eps)\nreturn dx * gamma, dg, db", "`gamma` were squ"),
        ("dx, dg, db = right(dy, x, gamma, eps)\nreturn dx, dg, db * eps", "`eps` | known"),
    ],
    "layer_norm": [
        ("return right(x, gamma, beta, eps * eps)", "`eps` were squared"),
        ("return right(x, gamma[::-1], beta, eps)", "`gamma` were reversed"),
    ],
    "layer_norm_backward": [
        ("dx, dg, db = right(dy, x, gamma, eps)\nreturn dx, dg, db + 1", "`dx` and `dgamma` are"),
        ("dx, dg, db = right(dy, x, gamma, eps)\nreturn dx, dg, dy.mean()", "the mean of `dy`"),
    ],
    "sgd_momentum": [
        ("p, v = right(param, grad, velocity, lr, momentum)\nreturn v, p", "another order"),
        ("p, v = right(param, grad, velocity, lr, momentum)\nreturn p - lr * 0.05 * param, v",
         "0.05 times `lr` times the `param` that came in | known"),
        ("p, v = right(param, grad, velocity, lr, momentum)\nreturn param - lr * param, v",
         "`param` is (1 - `lr`) times the `param` that came in"),
        ("return right(param, grad, velocity, lr * lr, momentum)", "`lr` were squared"),
        ("return param, right(param, grad, velocity, lr, momentum)[1]", "`lr` were 0"),
        (
            "p, v = right(param, -grad, velocity, lr, momentum)\n"
            "return p, velocity",
            "`velocity` by itself | step is right",
        ),
        (
            "p, v = right(param, grad, velocity, lr, momentum)\n"
            "return p - 1e-5 * param, v",
            "float32 is too coarse | exactly where",
        ),
    ],
    "adam": [
        ("return right(param, grad, m, v, t, lr, beta1, beta2, 2 * eps)", "`eps` were twice"),
        ("return right(param, -grad, m, v, t, lr, beta1, beta2, eps)", "`grad` had the other sign"),
        ("return right(param, grad, v, m, t, lr, beta1, beta2, eps)", "had changed places"),
        (
            "p, m2, v2 = right(param, -grad, m, v, t, lr, beta1, beta2, eps)\n"
            "return p, m2 / (1 - beta1**t), v2 / (1 - beta2**t)",
            "`grad` had the other sign | step",
        ),
        (
            "v = np.maximum(beta2 * v, (1 - beta2) * grad * grad)\n"
            "m = beta1 * m + (1 - beta1) * grad\n"
            "return param - lr * m / (1 - beta1**t) / (np.sqrt(v / (1 - beta2**t)) + eps), m, v",
            "the `v` that came in",
        ),
    ],
    "conv2d": [
        ("y = right(x, weight, bias, stride, padding)\nreturn y if padding == 0 else 2 * y",
         "`padding` is above 0"),
        ("y = right(x, weight, bias, stride, padding)\nreturn y.transpose(1, 0, 2, 3)",
         "axes in another order"),
        ("return right(x, weight, bias * bias, stride, padding)", "`bias` were squared"),
        ("y = right(x, weight, bias, stride, padding)\ny[..., 0] = 0\nreturn y", "are 0 where"),
        ("return right(x, weight, bias, stride, padding).astype(np.int32)", "of the type int32"),
    ],
    "conv2d_backward": [
        ("dx, dw, db = right(dy, x, weight, stride, padding)\nreturn dx, dw, db[:, None]",
         "axis of size 1 too many"),
        ("dx, dw, db = right(dy, x, weight, stride, padding)\nreturn dx, dw, dy.max((0, 2, 3))",
         "the largest of `dy` over axes 0 and 2 and 3"),
    ],
    "max_pool2d": [
        ("return right(x, kernel_size, stride) - 1", "−1 too large, on every test"),
        ("return right(np.maximum(x, 1), kernel_size, stride)", "what was expected is | known"),
    ],
    "max_pool2d_backward": [
        ("return -right(dy, x, kernel_size, stride)", "wrong sign"),
        ("return right(dy * dy, x, kernel_size, stride)", "`dy` were squared"),
    ],
    "avg_pool2d": [
        ("return right(np.abs(x), kernel_size, stride) * 2", "elements of `y` differ | known"),
        ("return right(x, kernel_size, stride)[..., ::-1]", "along axis 3"),
    ],
    "avg_pool2d_backward": [
        ("return right(dy, x, kernel_size, stride) * stride", "`stride`"),
        ("return right(dy[..., ::-1], x, kernel_size, stride)", "reversed along axis 3"),
    ],
}  # fmt: skip
