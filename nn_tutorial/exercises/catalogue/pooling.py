"""Max and average pooling, forward and backward."""

import numpy as np

import nn_tutorial as nt

from ..exercise import Exercise, Function, Misconception

AFTER = "convolution"


def max_pool2d(x, kernel_size, stride):
    """The largest value of each window.

    y[n, c, i, j] = the largest of x[n, c, stride*i + u, stride*j + v] for u, v < kernel_size

    x: (N, C, H, W); kernel_size, stride: whole numbers, the same along H and W
    returns y: (N, C, (H - kernel_size) // stride + 1, (W - kernel_size) // stride + 1)

    Floats keep their dtype: float32 in, float32 out.
    """
    windows = np.lib.stride_tricks.sliding_window_view(x, (kernel_size, kernel_size), axis=(2, 3))
    return windows[:, :, ::stride, ::stride].max(axis=(4, 5))


def max_pool2d_backward(dy, x, kernel_size, stride):
    """Gradient of max_pool2d: all of it goes to the winner of each window.

    dx[n, c, a, b] = sum of dy[n, c, i, j] over the windows (i, j) whose largest value stands
                     at (a, b); of several equal ones the first in reading order wins

    dy: (N, C, H', W'), x: (N, C, H, W)
    returns dx: (N, C, H, W)

    Floats keep their dtype: float32 in, float32 out.
    """
    dx = np.zeros_like(x)
    for n, c, i, j in np.ndindex(dy.shape):
        a, b = stride * i, stride * j
        window = x[n, c, a : a + kernel_size, b : b + kernel_size]
        u, v = divmod(int(window.argmax()), kernel_size)
        dx[n, c, a + u, b + v] += dy[n, c, i, j]
    return dx


def avg_pool2d(x, kernel_size, stride):
    """The mean of each window.

    y[n, c, i, j] = mean of x[n, c, stride*i + u, stride*j + v] over u, v < kernel_size

    x: (N, C, H, W); kernel_size, stride: whole numbers, the same along H and W
    returns y: (N, C, (H - kernel_size) // stride + 1, (W - kernel_size) // stride + 1)

    Floats keep their dtype: float32 in, float32 out.
    """
    windows = np.lib.stride_tricks.sliding_window_view(x, (kernel_size, kernel_size), axis=(2, 3))
    return windows[:, :, ::stride, ::stride].mean(axis=(4, 5))


def avg_pool2d_backward(dy, x, kernel_size, stride):
    """Gradient of avg_pool2d: an equal share to each pixel of the window.

    dx[n, c, a, b] = sum of dy[n, c, i, j] / kernel_size**2 over the windows (i, j) that contain
                     the pixel (a, b)

    dy: (N, C, H', W'), x: (N, C, H, W), of which only the shape matters
    returns dx: (N, C, H, W)

    Floats keep their dtype: float32 in, float32 out.
    """
    dx = np.zeros_like(x)
    height, width = dy.shape[2:]
    for u, v in np.ndindex(kernel_size, kernel_size):
        rows = slice(u, u + stride * height, stride)
        columns = slice(v, v + stride * width, stride)
        dx[:, :, rows, columns] += dy / kernel_size**2
    return dx


def windows_of(x, kernel_size, stride):
    """N, C, H', W', kernel_size, kernel_size."""
    size = kernel_size, kernel_size
    return np.lib.stride_tricks.sliding_window_view(x, size, axis=(2, 3))[:, :, ::stride, ::stride]


def mean_of_window(x, kernel_size, stride):
    return windows_of(x, kernel_size, stride).mean(axis=(4, 5))


def smallest(x, kernel_size, stride):
    return windows_of(x, kernel_size, stride).min(axis=(4, 5))


def window_too_small_max(x, kernel_size, stride):
    return windows_of(x, kernel_size, stride)[..., :-1, :-1].max(axis=(4, 5))


def window_sum_max(x, kernel_size, stride):
    return windows_of(x, kernel_size, stride).sum(axis=(4, 5))


def corner_max(x, kernel_size, stride):
    return windows_of(x, kernel_size, stride)[..., 0, 0]


def largest_of_rows(x, kernel_size, stride):
    return windows_of(x, kernel_size, stride)[..., 0, :].max(axis=-1)


def place_of_largest(x, kernel_size, stride):
    windows = windows_of(x, kernel_size, stride)
    return windows.reshape(*windows.shape[:4], -1).argmax(axis=-1)


def last_window_left_out_max(x, kernel_size, stride):
    return windows_of(x, kernel_size, stride).max(axis=(4, 5))[:, :, :-1, :-1]


def without_the_border(y, x, kernel_size, stride):
    """An output without the windows at which ``range(0, H - kernel_size, stride)`` never begins."""
    rows, columns = (len(range(0, n - kernel_size, stride)) for n in x.shape[2:])
    return y[:, :, :rows, :columns]


def zero_at_the_border(y, x, kernel_size, stride):
    """The same, of an array that was made as large as it should be."""
    inside = without_the_border(y, x, kernel_size, stride)
    y = np.zeros_like(y)
    y[:, :, : inside.shape[2], : inside.shape[3]] = inside
    return y


def stops_at_the_border_max(x, kernel_size, stride):
    return without_the_border(max_pool2d(x, kernel_size, stride), x, kernel_size, stride)


def zero_at_the_border_max(x, kernel_size, stride):
    return zero_at_the_border(max_pool2d(x, kernel_size, stride), x, kernel_size, stride)


def stops_at_the_border_mean(x, kernel_size, stride):
    return without_the_border(avg_pool2d(x, kernel_size, stride), x, kernel_size, stride)


def zero_at_the_border_mean(x, kernel_size, stride):
    return zero_at_the_border(avg_pool2d(x, kernel_size, stride), x, kernel_size, stride)


def median_max(x, kernel_size, stride):
    return np.median(windows_of(x, kernel_size, stride), axis=(4, 5)).astype(x.dtype)


def largest_size(x, kernel_size, stride):
    return np.abs(windows_of(x, kernel_size, stride)).max(axis=(4, 5))


def not_below_zero(x, kernel_size, stride):
    return np.maximum(windows_of(x, kernel_size, stride).max(axis=(4, 5)), 0)


def stride_is_kernel_max(x, kernel_size, stride):
    return windows_of(x, kernel_size, kernel_size).max(axis=(4, 5))


def stride_is_one_max(x, kernel_size, stride):
    return windows_of(x, kernel_size, 1).max(axis=(4, 5))


def over_channels(x, kernel_size, stride):
    y = windows_of(x, kernel_size, stride).max(axis=(4, 5))
    return y.max(axis=1, keepdims=True)


def routed(dy, x, kernel_size, stride, share):
    """dx where ``share(window)`` says how much of dy each pixel of a window gets."""
    dx = np.zeros_like(x)
    for n, c, i, j in np.ndindex(dy.shape):
        a, b = stride * i, stride * j
        window = x[n, c, a : a + kernel_size, b : b + kernel_size]
        part = dx[n, c, a : a + kernel_size, b : b + kernel_size]
        part += dy[n, c, i, j] * share(window)
    return dx


def every_tied_maximum(dy, x, kernel_size, stride):
    return routed(dy, x, kernel_size, stride, lambda w: w == w.max())


def shared_among_ties(dy, x, kernel_size, stride):
    return routed(dy, x, kernel_size, stride, lambda w: (w == w.max()) / (w == w.max()).sum())


def last_of_the_ties(dy, x, kernel_size, stride):
    dx = np.zeros_like(x)
    for n, c, i, j in np.ndindex(dy.shape):
        a, b = stride * i, stride * j
        window = x[n, c, a : a + kernel_size, b : b + kernel_size]
        place = window.size - 1 - int(window[::-1, ::-1].argmax())
        dx[n, c, a + place // kernel_size, b + place % kernel_size] += dy[n, c, i, j]
    return dx


def to_the_smallest(dy, x, kernel_size, stride):
    return max_pool2d_backward(dy, -x, kernel_size, stride)


def to_the_largest_size(dy, x, kernel_size, stride):
    return max_pool2d_backward(dy, np.abs(x), kernel_size, stride)


def row_and_column_swapped(dy, x, kernel_size, stride):
    dx = np.zeros_like(x)
    for n, c, i, j in np.ndindex(dy.shape):
        a, b = stride * i, stride * j
        v, u = divmod(int(x[n, c, a : a + kernel_size, b : b + kernel_size].argmax()), kernel_size)
        dx[n, c, a + u, b + v] += dy[n, c, i, j]
    return dx


def one_where_it_won(dy, x, kernel_size, stride):
    return max_pool2d_backward(np.ones_like(dy), x, kernel_size, stride)


def winner_of_the_image(dy, x, kernel_size, stride):
    dx = np.zeros_like(x)
    for n, c in np.ndindex(dy.shape[:2]):
        a, b = np.unravel_index(x[n, c].argmax(), x.shape[2:])
        dx[n, c, a, b] = dy[n, c].sum()
    return dx


def stride_ignored_backward(dy, x, kernel_size, stride):
    dx = np.zeros_like(x)
    for n, c, i, j in np.ndindex(dy.shape):
        u, v = divmod(int(x[n, c, i : i + kernel_size, j : j + kernel_size].argmax()), kernel_size)
        dx[n, c, i + u, j + v] += dy[n, c, i, j]
    return dx


def windows_side_by_side(dy, x, kernel_size, stride):
    dx = np.zeros_like(x)
    for n, c, i, j in np.ndindex(dy.shape):
        a, b = kernel_size * i, kernel_size * j
        window = x[n, c, a : a + kernel_size, b : b + kernel_size]
        if window.size:
            u, v = divmod(int(window.argmax()), window.shape[1])
            dx[n, c, a + u, b + v] += dy[n, c, i, j]
    return dx


def whole_window(dy, x, kernel_size, stride):
    return routed(dy, x, kernel_size, stride, np.ones_like)


def shared_by_the_window(dy, x, kernel_size, stride):
    return routed(dy, x, kernel_size, stride, lambda w: np.full_like(w, 1 / w.size))


def overlaps_overwritten_max(dy, x, kernel_size, stride):
    dx = np.zeros_like(x)
    for n, c, i, j in np.ndindex(dy.shape):
        a, b = stride * i, stride * j
        u, v = divmod(int(x[n, c, a : a + kernel_size, b : b + kernel_size].argmax()), kernel_size)
        dx[n, c, a + u, b + v] = dy[n, c, i, j]
    return dx


def overwritten_by_places(dy, x, kernel_size, stride):
    """One place of all windows after the other, so that the first window's gradient stays."""
    dx, places = np.zeros_like(x), place_of_largest(x, kernel_size, stride)
    for u, v in np.ndindex(kernel_size, kernel_size):
        n, c, i, j = np.nonzero(places == u * kernel_size + v)
        dx[n, c, stride * i + u, stride * j + v] = dy[n, c, i, j]
    return dx


def overwritten_with_zeros(dy, x, kernel_size, stride):
    dx = np.zeros_like(x)
    for n, c, i, j in np.ndindex(dy.shape):
        a, b = stride * i, stride * j
        window = x[n, c, a : a + kernel_size, b : b + kernel_size]
        won = np.arange(window.size).reshape(window.shape) == window.argmax()
        dx[n, c, a : a + kernel_size, b : b + kernel_size] = won * dy[n, c, i, j]
    return dx


def times_the_maximum(dy, x, kernel_size, stride):
    return max_pool2d_backward(dy * max_pool2d(x, kernel_size, stride), x, kernel_size, stride)


def always_the_corner(dy, x, kernel_size, stride):
    dx = np.zeros_like(x)
    height, width = dy.shape[2:]
    dx[:, :, : stride * height : stride, : stride * width : stride] = dy
    return dx


def summed(x, kernel_size, stride):
    return windows_of(x, kernel_size, stride).sum(axis=(4, 5))


def divided_by_the_side(x, kernel_size, stride):
    return windows_of(x, kernel_size, stride).sum(axis=(4, 5)) / kernel_size


def largest(x, kernel_size, stride):
    return windows_of(x, kernel_size, stride).max(axis=(4, 5))


def divided_by_the_stride(x, kernel_size, stride):
    return windows_of(x, kernel_size, stride).sum(axis=(4, 5)) / stride**2


def stride_is_kernel_mean(x, kernel_size, stride):
    return windows_of(x, kernel_size, kernel_size).mean(axis=(4, 5))


def median(x, kernel_size, stride):
    return np.median(windows_of(x, kernel_size, stride), axis=(4, 5)).astype(x.dtype)


def root_mean_square(x, kernel_size, stride):
    return np.sqrt((windows_of(x, kernel_size, stride) ** 2).mean(axis=(4, 5)))


def mean_of_sizes(x, kernel_size, stride):
    return np.abs(windows_of(x, kernel_size, stride)).mean(axis=(4, 5))


def rounded_down(x, kernel_size, stride):
    return np.floor(windows_of(x, kernel_size, stride).sum(axis=(4, 5)) / kernel_size**2)


def cut(x, kernel_size, stride):
    return np.trunc(windows_of(x, kernel_size, stride).mean(axis=(4, 5)))


def window_too_small_mean(x, kernel_size, stride):
    return windows_of(x, kernel_size, stride)[..., :-1, :-1].mean(axis=(4, 5))


def window_too_small_sum(x, kernel_size, stride):
    return windows_of(x, kernel_size, stride)[..., :-1, :-1].sum(axis=(4, 5)) / kernel_size**2


def stride_is_one_mean(x, kernel_size, stride):
    return windows_of(x, kernel_size, 1).mean(axis=(4, 5))


def over_channels_mean(x, kernel_size, stride):
    return windows_of(x, kernel_size, stride).mean(axis=(1, 4, 5))[:, None]


def channels_mixed(x, kernel_size, stride):
    y = windows_of(x, kernel_size, stride).mean(axis=(1, 4, 5))[:, None]
    return np.repeat(y, x.shape[1], axis=1)


def corner_mean(x, kernel_size, stride):
    return windows_of(x, kernel_size, stride)[..., 0, 0]


def middle_of_the_range(x, kernel_size, stride):
    windows = windows_of(x, kernel_size, stride)
    return (windows.max(axis=(4, 5)) + windows.min(axis=(4, 5))) / 2


def divided_by_one_less(x, kernel_size, stride):
    return windows_of(x, kernel_size, stride).sum(axis=(4, 5)) / (kernel_size**2 - 1)


def last_window_left_out_mean(x, kernel_size, stride):
    return windows_of(x, kernel_size, stride).mean(axis=(4, 5))[:, :, :-1, :-1]


def positive_part_mean(x, kernel_size, stride):
    return np.maximum(windows_of(x, kernel_size, stride), 0).mean(axis=(4, 5))


def share_not_divided(dy, x, kernel_size, stride):
    return kernel_size**2 * avg_pool2d_backward(dy, x, kernel_size, stride)


def share_of_the_side(dy, x, kernel_size, stride):
    return kernel_size * avg_pool2d_backward(dy, x, kernel_size, stride)


def divided_twice(dy, x, kernel_size, stride):
    return avg_pool2d_backward(dy, x, kernel_size, stride) / kernel_size**2


def to_the_largest(dy, x, kernel_size, stride):
    return max_pool2d_backward(dy, x, kernel_size, stride)


def share_of_the_stride(dy, x, kernel_size, stride):
    return avg_pool2d_backward(dy, x, kernel_size, stride) * kernel_size**2 / stride**2


def block_of_the_stride(dy, x, kernel_size, stride):
    up = (dy / kernel_size**2).repeat(stride, axis=2).repeat(stride, axis=3)
    dx = np.zeros_like(x)
    h, w = min(x.shape[2], up.shape[2]), min(x.shape[3], up.shape[3])
    dx[:, :, :h, :w] = up[:, :, :h, :w]
    return dx


def block_of_the_kernel(dy, x, kernel_size, stride):
    up = (dy / kernel_size**2).repeat(kernel_size, axis=2).repeat(kernel_size, axis=3)
    dx = np.zeros_like(x)
    h, w = min(x.shape[2], up.shape[2]), min(x.shape[3], up.shape[3])
    dx[:, :, :h, :w] = up[:, :, :h, :w]
    return dx


def as_if_dy_were_one(dy, x, kernel_size, stride):
    return avg_pool2d_backward(np.ones_like(dy), x, kernel_size, stride)


def to_the_corner(dy, x, kernel_size, stride):
    return always_the_corner(dy, x, kernel_size, stride)


def corner_of_the_share(dy, x, kernel_size, stride):
    return always_the_corner(dy / kernel_size**2, x, kernel_size, stride)


def times_x(dy, x, kernel_size, stride):
    return avg_pool2d_backward(dy, x, kernel_size, stride) * x


def positive_pixels_alone(dy, x, kernel_size, stride):
    return avg_pool2d_backward(dy, x, kernel_size, stride) * (x > 0)


def stride_of_one_mean(dy, x, kernel_size, stride):
    wide = np.zeros((*dy.shape[:2], *(n - kernel_size + 1 for n in x.shape[2:])), dy.dtype)
    wide[:, :, : dy.shape[2], : dy.shape[3]] = dy
    return avg_pool2d_backward(wide, x, kernel_size, 1)


def overlaps_overwritten_mean(dy, x, kernel_size, stride):
    dx = np.zeros_like(x)
    for i, j in np.ndindex(*dy.shape[2:]):
        a, b = stride * i, stride * j
        share = dy[:, :, i : i + 1, j : j + 1] / kernel_size**2
        dx[:, :, a : a + kernel_size, b : b + kernel_size] = share
    return dx


def shares_overwritten_by_places(dy, x, kernel_size, stride):
    dx = np.zeros_like(x)
    height, width = dy.shape[2:]
    for u, v in np.ndindex(kernel_size, kernel_size):
        rows = slice(u, u + stride * height, stride)
        columns = slice(v, v + stride * width, stride)
        dx[:, :, rows, columns] = dy / kernel_size**2
    return dx


def divided_by_windows(dy, x, kernel_size, stride):
    ones = np.ones_like(dy)
    count = avg_pool2d_backward(ones, x, kernel_size, stride) * kernel_size**2
    dx = avg_pool2d_backward(dy, x, kernel_size, stride)
    return dx / np.maximum(np.round(count), 1).astype(x.dtype)


def images(rng):
    by_hand = np.array([[[[1.0, 3.0, 2.0, 0.0], [5.0, -1.0, 2.0, 4.0]]]])
    geometries = [
        ((2, 3, 5, 7), 2, 2),
        ((3, 2, 7, 5), 3, 2),
        ((1, 2, 6, 8), 3, 1),
        ((2, 3, 5, 6), 2, 1),
        ((2, 2, 8, 7), 2, 3),
        ((2, 2, 4, 4), 2, 2),
    ]
    samples = [{"x": by_hand, "kernel_size": 2, "stride": 2}]
    for shape, kernel, stride in geometries:
        x = np.round(2 * rng.standard_normal(shape)) / 2 - 0.5  # halves, so that there are ties
        samples.append({"x": x, "kernel_size": kernel, "stride": stride})
    return samples


def gradients(rng):
    samples = []
    for inputs in images(rng):
        shape = windows_of(**inputs).shape[:4]
        samples.append({"dy": rng.standard_normal(shape), **inputs})
    samples[0]["dy"] = np.array([[[[2.0, -3.0]]]])
    return samples


def tied_gradients(rng):
    samples = gradients(rng)
    samples[0]["x"] = np.array([[[[1.0, 5.0, 2.0, 4.0], [5.0, -1.0, 2.0, 0.0]]]])
    return samples


def book(function):
    return lambda x, kernel_size, stride: function(x, kernel_size, stride=stride)[0]


def book_backward(function, backward):
    def both(dy, x, kernel_size, stride):
        _, cache = function(x, kernel_size, stride=stride)
        return backward(dy, cache)

    return both


def facts(inputs):
    k = inputs["kernel_size"]
    return {"k": k, "area": k * k, "s": inputs["stride"], "s2": inputs["stride"] ** 2}


def pooled(solution, reference, returns, samples, misconceptions):
    """One of the four functions; all have the same axes and facts."""
    return Function(
        solution=solution,
        reference=reference,
        returns=(returns,),
        samples=samples,
        axes={"x": "N C H W"},
        meanings={
            "area": "the number of pixels in a window",
            "k": "the side of a window",
            "N": "the batch size",
        },
        facts=facts,
        misconceptions=misconceptions,
    )


PAGE = "layers/pooling"
HAND, SLOPE = f"{PAGE}#sixteen-numbers-by-hand", f"{PAGE}#where-the-slope-of-a-maximum-points"
TIES, OVERLAP = (
    f"{PAGE}#ties-when-two-are-the-largest",
    f"{PAGE}#windows-that-overlap-routes-add-up",
)
WRONG, SHAPES = f"{PAGE}#seven-ways-to-get-it-wrong", f"{PAGE}#a-large-image-in-a-small-one-out"

EXERCISES = (
    Exercise(
        name="max_pool2d",
        title="Max pooling, forward",
        page=PAGE,
        task="Write the largest value of each window of an image.",
        hints=(
            "Where does window (i, j) begin, and how far does it reach? Do windows overlap?",
            "Two loops over the output, or a view of all windows with `sliding_window_view`.",
            "Window (i, j) is `x[:, :, stride*i : stride*i + k, stride*j : stride*j + k]`; take "
            "`.max` over its last two axes.",
        ),
        functions=(
            pooled(
                max_pool2d,
                book(nt.max_pool2d),
                "y",
                images,
                (
                    Misconception(
                        "the mean of the window",
                        mean_of_window,
                        "Your y is the mean of each window. The largest value is asked for.",
                        HAND,
                    ),
                    Misconception(
                        "the smallest of the window",
                        smallest,
                        "Your y is the smallest value of each window.",
                        HAND,
                    ),
                    Misconception(
                        "the largest in size",
                        largest_size,
                        "Your y is the largest absolute value: negative pixels win, and lose their "
                        "sign.",
                        HAND,
                    ),
                    Misconception(
                        "never below 0",
                        not_below_zero,
                        "Your y is 0 where all pixels of a window are negative. Begin the search "
                        "with the first pixel, or with −inf, not with 0.",
                        f"{PAGE}#at-the-border",
                    ),
                    Misconception(
                        "the stride taken for the kernel's size",
                        stride_is_kernel_max,
                        "Your windows lie side by side, {k} apart. They should be {s} apart.",
                        OVERLAP,
                    ),
                    Misconception(
                        "the stride is ignored",
                        stride_is_one_max,
                        "Your windows move by 1 pixel, so the output is too large: the stride is "
                        "{s}.",
                        SHAPES,
                    ),
                    Misconception(
                        "the window is one pixel too small",
                        window_too_small_max,
                        "Your windows lack their last row and column: a slice `a : a + k` ends "
                        "before a + k, so no 1 is to be subtracted.",
                        SHAPES,
                    ),
                    Misconception(
                        "the last window is left out",
                        last_window_left_out_max,
                        "Your output has one row and one column too few. The number of windows is "
                        "(H - kernel_size) // stride + 1: mind the 1.",
                        SHAPES,
                    ),
                    Misconception(
                        "the window at the border is left out",
                        stops_at_the_border_max,
                        "A window that ends exactly at the border is left out: `range(0, H - "
                        "kernel_size, stride)` stops before H - kernel_size, where it begins. Add "
                        "1 to the end.",
                        SHAPES,
                        also=(zero_at_the_border_max,),
                    ),
                    Misconception(
                        "the sum of the window",
                        window_sum_max,
                        "Your y is the sum of each window. The largest value is asked for.",
                        HAND,
                    ),
                    Misconception(
                        "always the first pixel",
                        corner_max,
                        "Your y is the first pixel of each window, whichever is the largest.",
                        HAND,
                    ),
                    Misconception(
                        "only the first row of the window",
                        largest_of_rows,
                        "Your y looks at the first row of each window alone.",
                        HAND,
                    ),
                    Misconception(
                        "the place of the largest",
                        place_of_largest,
                        "Your y is the place of the largest value in its window, 0 for the first: "
                        "`argmax` instead of `max`.",
                        HAND,
                    ),
                    Misconception(
                        "the median of the window",
                        median_max,
                        "Your y is the median of each window. The largest value is asked for.",
                        HAND,
                    ),
                    Misconception(
                        "over the channels as well",
                        over_channels,
                        "Your y has one channel: the maximum was taken over the channels too. Each "
                        "of the {C} is pooled by itself.",
                        SHAPES,
                    ),
                ),
            ),
        ),
    ),
    Exercise(
        name="max_pool2d_backward",
        title="Max pooling, backward",
        page=PAGE,
        task="Send the gradient of each window to its winner; windows may overlap.",
        hints=(
            "If you raise one pixel a little, which outputs change?",
            "Only the winner's window feels it, with slope 1. A pixel that wins in several windows "
            "gets the gradients of all of them.",
            "For each window, `argmax` gives the first of equal winners in reading order; add dy "
            "to that pixel with `+=`.",
        ),
        functions=(
            pooled(
                max_pool2d_backward,
                book_backward(nt.max_pool2d, nt.max_pool2d_backward),
                "dx",
                tied_gradients,
                (
                    Misconception(
                        "the gradient goes to every tied maximum",
                        every_tied_maximum,
                        "Your gradient goes whole to every pixel that equals the maximum, so more "
                        "leaves the window than came in. One of them wins: the first in reading "
                        "order.",
                        TIES,
                    ),
                    Misconception(
                        "the gradient is shared among ties",
                        shared_among_ties,
                        "Your gradient is divided among equal winners. That is a possible rule, "
                        "but this book's, like PyTorch's, gives all to the first in reading order.",
                        TIES,
                    ),
                    Misconception(
                        "the last of the ties wins",
                        last_of_the_ties,
                        "Your gradient goes to the last of equal winners; the first in reading "
                        "order wins here.",
                        TIES,
                    ),
                    Misconception(
                        "the gradient goes to the smallest",
                        to_the_smallest,
                        "Your gradient goes to the smallest pixel of each window. The largest is "
                        "the one that moves the output.",
                        SLOPE,
                    ),
                    Misconception(
                        "the gradient goes to the largest in size",
                        to_the_largest_size,
                        "Your gradient goes to the pixel with the largest absolute value. The "
                        "largest value wins, with its sign.",
                        SLOPE,
                    ),
                    Misconception(
                        "row and column of the winner are swapped",
                        row_and_column_swapped,
                        "Your gradient goes to the pixel (v, u) where the winner stands at (u, "
                        "v). `divmod(place, kernel_size)` gives the row first.",
                        SLOPE,
                    ),
                    Misconception(
                        "dy is forgotten",
                        one_where_it_won,
                        "Your dx counts in how many windows a pixel wins, as if dy were 1 at each. "
                        "Add the element of dy instead of 1.",
                        SLOPE,
                    ),
                    Misconception(
                        "the winner of the whole image",
                        winner_of_the_image,
                        "Your gradient goes to the largest pixel of the whole image. Each window "
                        "has its own winner.",
                        SLOPE,
                    ),
                    Misconception(
                        "the stride is ignored on the way back",
                        stride_ignored_backward,
                        "Your windows lie 1 pixel apart on the way back. They begin at {s} * i "
                        "and {s} * j.",
                        OVERLAP,
                    ),
                    Misconception(
                        "the stride taken for the kernel's size on the way back",
                        windows_side_by_side,
                        "Your windows lie side by side on the way back, {k} apart. They should be "
                        "{s} apart.",
                        OVERLAP,
                    ),
                    Misconception(
                        "the gradient goes to the whole window",
                        whole_window,
                        "Your gradient goes whole to all {area} pixels of a window. Only the "
                        "winner moves the output.",
                        SLOPE,
                    ),
                    Misconception(
                        "the gradient is shared by the window",
                        shared_by_the_window,
                        "Your gradient is spread over the window, as for average pooling. Here the "
                        "winner gets all of it.",
                        SLOPE,
                    ),
                    Misconception(
                        "overlapping windows overwrite each other",
                        overlaps_overwritten_max,
                        "Where windows overlap, what one of them sends overwrites what another has "
                        "sent before. They add: `+=`, not `=`.",
                        OVERLAP,
                        also=(overwritten_by_places, overwritten_with_zeros),
                    ),
                    Misconception(
                        "multiplied by the maximum",
                        times_the_maximum,
                        "Your gradient is multiplied by the largest value. The slope is 1, however "
                        "large that is.",
                        SLOPE,
                    ),
                    Misconception(
                        "always the window's corner",
                        always_the_corner,
                        "Your gradient goes to the first pixel of each window, no matter which "
                        "won.",
                        SLOPE,
                    ),
                ),
            ),
        ),
    ),
    Exercise(
        name="avg_pool2d",
        title="Average pooling, forward",
        page=PAGE,
        task="Write the mean of each window of an image.",
        hints=(
            "How many pixels does a window have? What must their sum be divided by?",
            "It is a convolution whose weights are all 1 / k², for each channel by itself.",
            "`sliding_window_view`, every stride-th of them, and `.mean` over the last two axes.",
        ),
        functions=(
            pooled(
                avg_pool2d,
                book(nt.avg_pool2d),
                "y",
                images,
                (
                    Misconception(
                        "not divided",
                        summed,
                        "Your y is exactly {area} times too large, and {area} is the number of "
                        "pixels in a window: a mean divides.",
                        HAND,
                    ),
                    Misconception(
                        "divided by the side",
                        divided_by_the_side,
                        "Your y is exactly {k} times too large. A window of side {k} has {area} "
                        "pixels.",
                        HAND,
                    ),
                    Misconception(
                        "the largest instead of the mean",
                        largest,
                        "Your y is the largest value of each window. The mean is asked for.",
                        HAND,
                    ),
                    Misconception(
                        "divided by the stride's square",
                        divided_by_the_stride,
                        "Your y divides by {s2}, the square of the stride. A window has {area} "
                        "pixels, however far it moves.",
                        OVERLAP,
                    ),
                    Misconception(
                        "the stride taken for the kernel's size",
                        stride_is_kernel_mean,
                        "Your windows lie side by side, {k} apart. They should be {s} apart.",
                        OVERLAP,
                    ),
                    Misconception(
                        "the median",
                        median,
                        "Your y is the median of each window. The mean is asked for.",
                        HAND,
                    ),
                    Misconception(
                        "the root of the mean square",
                        root_mean_square,
                        "Your y is the root of the mean of the squares. The mean itself is asked "
                        "for.",
                        HAND,
                    ),
                    Misconception(
                        "the mean of the absolute values",
                        mean_of_sizes,
                        "Your mean treats negative pixels as positive ones.",
                        HAND,
                    ),
                    Misconception(
                        "rounded down to whole numbers",
                        rounded_down,
                        "Your means are rounded down: `//` instead of `/`.",
                        HAND,
                    ),
                    Misconception(
                        "cut to whole numbers",
                        cut,
                        "Your means have lost what comes after the decimal point: is an array or a "
                        "number made whole on the way?",
                        HAND,
                    ),
                    Misconception(
                        "the window is one pixel too small",
                        window_too_small_mean,
                        "Your windows lack their last row and column: a slice `a : a + k` ends "
                        "before a + k, so no 1 is to be subtracted.",
                        SHAPES,
                        also=(window_too_small_sum,),
                    ),
                    Misconception(
                        "the stride is ignored",
                        stride_is_one_mean,
                        "Your windows move by 1 pixel, so the output is too large: the stride is "
                        "{s}.",
                        SHAPES,
                    ),
                    Misconception(
                        "over the channels as well",
                        over_channels_mean,
                        "Your y has one channel: the mean was taken over the channels too. Each "
                        "of the {C} is pooled by itself.",
                        SHAPES,
                    ),
                    Misconception(
                        "one mean for all channels",
                        channels_mixed,
                        "Your channels all have the same mean, that of all of them. Each of the "
                        "{C} is pooled by itself.",
                        SHAPES,
                    ),
                    Misconception(
                        "always the first pixel",
                        corner_mean,
                        "Your y is the first pixel of each window. The mean of all {area} is asked "
                        "for.",
                        HAND,
                    ),
                    Misconception(
                        "the middle between largest and smallest",
                        middle_of_the_range,
                        "Your y lies halfway between the largest and the smallest pixel. A mean "
                        "counts all {area}.",
                        HAND,
                    ),
                    Misconception(
                        "divided by one pixel less",
                        divided_by_one_less,
                        "Your sum is divided by the number of pixels less 1. A window has {area} "
                        "pixels.",
                        HAND,
                    ),
                    Misconception(
                        "the last window is left out",
                        last_window_left_out_mean,
                        "Your output has one row and one column too few. The number of windows is "
                        "(H - kernel_size) // stride + 1: mind the 1.",
                        SHAPES,
                    ),
                    Misconception(
                        "the window at the border is left out",
                        stops_at_the_border_mean,
                        "A window that ends exactly at the border is left out: `range(0, H - "
                        "kernel_size, stride)` stops before H - kernel_size, where it begins. Add "
                        "1 to the end.",
                        SHAPES,
                        also=(zero_at_the_border_mean,),
                    ),
                    Misconception(
                        "negative pixels count as 0",
                        positive_part_mean,
                        "Your mean treats negative pixels as 0.",
                        HAND,
                    ),
                ),
            ),
        ),
    ),
    Exercise(
        name="avg_pool2d_backward",
        title="Average pooling, backward",
        page=PAGE,
        task="Share the gradient of each window among its pixels; windows may overlap.",
        hints=(
            "If you raise one pixel by 1, by how much does the mean of its window rise?",
            "Each pixel of a window gets the same share, and adds the shares of all the windows "
            "that it lies in.",
            "For each place (u, v) in the window: `dx[:, :, u::stride, v::stride]`, cut to the "
            "output's size, gets `+= dy / k**2`.",
        ),
        functions=(
            pooled(
                avg_pool2d_backward,
                book_backward(nt.avg_pool2d, nt.avg_pool2d_backward),
                "dx",
                gradients,
                (
                    Misconception(
                        "the share is not divided",
                        share_not_divided,
                        "Your dx is exactly {area} times too large, and {area} is the number of "
                        "pixels in a window: each gets its share, not the whole.",
                        SLOPE,
                    ),
                    Misconception(
                        "divided by the side",
                        share_of_the_side,
                        "Your dx is exactly {k} times too large. A window of side {k} has {area} "
                        "pixels.",
                        SLOPE,
                    ),
                    Misconception(
                        "divided twice",
                        divided_twice,
                        "Your dx is exactly {area} times too small, and {area} is the number of "
                        "pixels in a window: it has been divided twice.",
                        WRONG,
                    ),
                    Misconception(
                        "divided by the stride's square",
                        share_of_the_stride,
                        "Your dy is divided by {s2}, the square of the stride. A window has "
                        "{area} pixels, however far it moves.",
                        OVERLAP,
                    ),
                    Misconception(
                        "blocks instead of windows",
                        block_of_the_stride,
                        "Each gradient fills a block of {s} by {s} pixels, the stride. It goes to "
                        "all of its window, {k} by {k} pixels, and windows may overlap or leave "
                        "gaps.",
                        OVERLAP,
                    ),
                    Misconception(
                        "blocks of the kernel's size side by side",
                        block_of_the_kernel,
                        "Your windows lie side by side on the way back, {k} apart. They should be "
                        "{s} apart.",
                        OVERLAP,
                    ),
                    Misconception(
                        "dy is forgotten",
                        as_if_dy_were_one,
                        "Your dx is right for a dy of all ones: the upstream gradient is not used.",
                        SLOPE,
                    ),
                    Misconception(
                        "all to the first pixel",
                        to_the_corner,
                        "Your gradient goes to the first pixel of each window. All {area} pixels "
                        "get their share.",
                        SLOPE,
                        also=(corner_of_the_share,),
                    ),
                    Misconception(
                        "multiplied by the input",
                        times_x,
                        "Your dx is multiplied by x. The slope of a mean does not depend on the "
                        "pixels.",
                        SLOPE,
                    ),
                    Misconception(
                        "positive pixels alone",
                        positive_pixels_alone,
                        "Your dx is 0 where x is not positive. The slope of a mean does not "
                        "depend on the pixels.",
                        SLOPE,
                    ),
                    Misconception(
                        "the stride is ignored on the way back",
                        stride_of_one_mean,
                        "Your windows lie 1 pixel apart on the way back. They begin at {s} * i "
                        "and {s} * j.",
                        OVERLAP,
                    ),
                    Misconception(
                        "all to the largest",
                        to_the_largest,
                        "Your gradient goes to the largest pixel, as for max pooling. In a mean "
                        "all count alike.",
                        SLOPE,
                    ),
                    Misconception(
                        "overlapping windows overwrite each other",
                        overlaps_overwritten_mean,
                        "Where windows overlap, your dx keeps the share that one of them sent. "
                        "Shares add: `+=`, not `=`.",
                        OVERLAP,
                        also=(shares_overwritten_by_places,),
                    ),
                    Misconception(
                        "divided by the number of windows as well",
                        divided_by_windows,
                        "Your shares are averaged over the windows that a pixel lies in. They add.",
                        OVERLAP,
                    ),
                ),
            ),
        ),
    ),
)
