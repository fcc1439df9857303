"""Convolution, forward and backward."""

import numpy as np

import nn_tutorial as nt

from ..exercise import Exercise, Function, Misconception

AFTER = "optimizers"


def conv2d(x, weight, bias, stride, padding):
    """Slide each filter over the image (a cross-correlation, as in every framework).

    y[n, f, i, j] = bias[f] + sum over c, u, v of
                    x[n, c, stride*i + u - padding, stride*j + v - padding] * weight[f, c, u, v]

    where pixels outside of the image are 0.

    x: (N, C, H, W), weight: (F, C, kh, kw), bias: (F,)
    stride, padding: whole numbers, the same along H and W
    returns y: (N, F, (H + 2*padding - kh) // stride + 1, (W + 2*padding - kw) // stride + 1)

    Floats keep their dtype: float32 in, float32 out.
    """
    around = ((0, 0), (0, 0), (padding, padding), (padding, padding))
    image = np.pad(x, around)
    kh, kw = weight.shape[2:]
    windows = np.lib.stride_tricks.sliding_window_view(image, (kh, kw), axis=(2, 3))
    windows = windows[:, :, ::stride, ::stride]  # N, C, H', W', kh, kw
    return np.einsum("ncijuv,fcuv->nfij", windows, weight) + bias[:, None, None]


def conv2d_backward(dy, x, weight, stride, padding):
    """Gradients of conv2d.

    dweight[f, c, u, v] = sum over n, i, j of
                          dy[n, f, i, j] * x[n, c, stride*i + u - padding, stride*j + v - padding]
    dbias[f]            = sum over n, i, j of dy[n, f, i, j]
    dx[n, c, a, b]      = sum of dy[n, f, i, j] * weight[f, c, u, v] over all f, i, j, u, v
                          with stride*i + u - padding = a and stride*j + v - padding = b

    dy: (N, F, H', W'), x: (N, C, H, W), weight: (F, C, kh, kw)
    returns dx (N, C, H, W), dweight (F, C, kh, kw), dbias (F,)

    Floats keep their dtype: float32 in, float32 out.
    """
    around = ((0, 0), (0, 0), (padding, padding), (padding, padding))
    image = np.pad(x, around)
    dimage, dweight = np.zeros_like(image), np.zeros_like(weight)
    height, width = dy.shape[2:]
    for u, v in np.ndindex(weight.shape[2:]):
        rows = slice(u, u + stride * height, stride)
        columns = slice(v, v + stride * width, stride)
        dweight[:, :, u, v] = np.einsum("nfij,ncij->fc", dy, image[:, :, rows, columns])
        dimage[:, :, rows, columns] += np.einsum("nfij,fc->ncij", dy, weight[:, :, u, v])
    h, w = x.shape[2:]
    return dimage[:, :, padding : padding + h, padding : padding + w], dweight, dy.sum((0, 2, 3))


def kernel_flipped(x, weight, bias, stride, padding):
    return conv2d(x, weight[:, :, ::-1, ::-1], bias, stride, padding)


def bias_forgotten(x, weight, bias, stride, padding):
    return conv2d(x, weight, 0 * bias, stride, padding)


def bias_subtracted(x, weight, bias, stride, padding):
    return conv2d(x, weight, -bias, stride, padding)


def bias_for_each_product(x, weight, bias, stride, padding):
    return conv2d(x, weight, weight[0].size * bias, stride, padding)


def bias_for_each_pixel(x, weight, bias, stride, padding):
    return conv2d(x, weight, weight[0, 0].size * bias, stride, padding)


def first_bias_for_all(x, weight, bias, stride, padding):
    return conv2d(x, weight, np.full_like(bias, bias[0]), stride, padding)


def window_averaged(x, weight, bias, stride, padding):
    return conv2d(x, weight / weight[0, 0].size, bias, stride, padding)


def all_averaged(x, weight, bias, stride, padding):
    return conv2d(x, weight / weight[0].size, bias, stride, padding)


def result_averaged(x, weight, bias, stride, padding):
    return conv2d(x, weight, bias, stride, padding) / weight[0, 0].size


def last_channel_alone(x, weight, bias, stride, padding):
    return conv2d(x[:, -1:], weight[:, -1:], bias, stride, padding)


def first_filter_for_all(x, weight, bias, stride, padding):
    return conv2d(x, np.repeat(weight[:1], len(weight), axis=0), bias, stride, padding)


def channels_apart(x, weight, bias, stride, padding):
    apart = np.broadcast_to(weight.sum(axis=1, keepdims=True), weight.shape)
    return conv2d(x, apart, bias, stride, padding)


def filters_backwards(x, weight, bias, stride, padding):
    return conv2d(x, weight[:, ::-1], bias, stride, padding)


def kernel_transposed(x, weight, bias, stride, padding):
    return conv2d(x, weight.swapaxes(2, 3), bias, stride, padding)


def flipped_up_down(x, weight, bias, stride, padding):
    return conv2d(x, weight[:, :, ::-1], bias, stride, padding)


def bent(x, weight, bias, stride, padding):
    return np.maximum(conv2d(x, weight, bias, stride, padding), 0)


def padding_of_ones(x, weight, bias, stride, padding):
    around = ((0, 0), (0, 0), (padding, padding), (padding, padding))
    return conv2d(np.pad(x, around, constant_values=1), weight, bias, stride, 0)


def padding_reflected(x, weight, bias, stride, padding):
    around = ((0, 0), (0, 0), (padding, padding), (padding, padding))
    return conv2d(np.pad(x, around, mode="reflect"), weight, bias, stride, 0)


def padding_wrapped(x, weight, bias, stride, padding):
    around = ((0, 0), (0, 0), (padding, padding), (padding, padding))
    return conv2d(np.pad(x, around, mode="wrap"), weight, bias, stride, 0)


def padding_at_the_end(x, weight, bias, stride, padding):
    around = ((0, 0), (0, 0), (0, 2 * padding), (0, 2 * padding))
    return conv2d(np.pad(x, around), weight, bias, stride, 0)


def padding_of_one(x, weight, bias, stride, padding):
    return conv2d(x, weight, bias, stride, min(padding, 1))


def rows_padded_alone(x, weight, bias, stride, padding):
    around = ((0, 0), (0, 0), (padding, padding), (0, 0))
    return conv2d(np.pad(x, around), weight, bias, stride, 0)


def stride_of_the_rows_alone(x, weight, bias, stride, padding):
    return conv2d(x, weight, bias, 1, padding)[:, :, ::stride]


def bias_for_each_channel(x, weight, bias, stride, padding):
    return conv2d(x, weight, x.shape[1] * bias, stride, padding)


def channels_averaged(x, weight, bias, stride, padding):
    return conv2d(x, weight / x.shape[1], bias, stride, padding)


def first_channel_alone(x, weight, bias, stride, padding):
    return conv2d(x[:, :1], weight[:, :1], bias, stride, padding)


def edge_repeated(x, weight, bias, stride, padding):
    around = ((0, 0), (0, 0), (padding, padding), (padding, padding))
    return conv2d(np.pad(x, around, mode="edge"), weight, bias, stride, 0)


def padding_forgotten(x, weight, bias, stride, padding):
    return conv2d(x, weight, bias, stride, 0)


def padding_on_one_side(x, weight, bias, stride, padding):
    around = ((0, 0), (0, 0), (2 * padding, 0), (2 * padding, 0))
    return conv2d(np.pad(x, around), weight, bias, stride, 0)


def stride_ignored(x, weight, bias, stride, padding):
    return conv2d(x, weight, bias, 1, padding)


def stride_ignored_in_the_positions(x, weight, bias, stride, padding):
    height, width = conv2d(x, weight, bias, stride, padding).shape[2:]
    return conv2d(x, weight, bias, 1, padding)[:, :, :height, :width]


def last_window_left_out(x, weight, bias, stride, padding):
    return conv2d(x, weight, bias, stride, padding)[:, :, :-1, :-1]


def stops_at_the_border(x, weight, bias, stride, padding):
    """Without the windows at which ``range(0, H + 2 * padding - kh, stride)`` never begins."""
    sizes = zip(x.shape[2:], weight.shape[2:])
    rows, columns = (len(range(0, n + 2 * padding - k, stride)) for n, k in sizes)
    return conv2d(x, weight, bias, stride, padding)[:, :, :rows, :columns]


def zero_at_the_border(x, weight, bias, stride, padding):
    """The same, of an array that was made as large as it should be."""
    inside = stops_at_the_border(x, weight, bias, stride, padding)
    y = np.zeros_like(conv2d(x, weight, bias, stride, padding))
    y[:, :, : inside.shape[2], : inside.shape[3]] = inside
    return y


def bias_alone_at_the_border(x, weight, bias, stride, padding):
    return zero_at_the_border(x, weight, 0 * bias, stride, padding) + bias[:, None, None]


def image_transposed(x, weight, bias, stride, padding):
    return conv2d(x, weight, bias, stride, padding).swapaxes(2, 3)


def dx_with_the_kernel_unflipped(dy, x, weight, stride, padding):
    dx = conv2d_backward(dy, x, weight[:, :, ::-1, ::-1], stride, padding)[0]
    return dx, *conv2d_backward(dy, x, weight, stride, padding)[1:]


def stride_ignored_backward(dy, x, weight, stride, padding):
    dense = np.zeros((*dy.shape[:2], *conv2d_shape(x, weight, padding)), dy.dtype)
    dense[:, :, : dy.shape[2], : dy.shape[3]] = dy
    return conv2d_backward(dense, x, weight, 1, padding)


def conv2d_shape(x, weight, padding):
    """Height and width of the output with stride 1."""
    return tuple(x.shape[k] + 2 * padding - weight.shape[k] + 1 for k in (2, 3))


def padding_not_cropped(dy, x, weight, stride, padding):
    around = ((0, 0), (0, 0), (padding, padding), (padding, padding))
    dx = conv2d_backward(dy, np.pad(x, around), weight, stride, 0)[0]
    return dx, *conv2d_backward(dy, x, weight, stride, padding)[1:]


def cropped_on_one_side(dy, x, weight, stride, padding):
    h, w = x.shape[2:]
    whole, dweight, dbias = padding_not_cropped(dy, x, weight, stride, padding)
    return whole[:, :, :h, :w], dweight, dbias


def overlaps_overwritten(dy, x, weight, stride, padding):
    around = ((0, 0), (0, 0), (padding, padding), (padding, padding))
    dimage = np.zeros_like(np.pad(x, around))
    for u, v in np.ndindex(weight.shape[2:]):
        rows = slice(u, u + stride * dy.shape[2], stride)
        columns = slice(v, v + stride * dy.shape[3], stride)
        dimage[:, :, rows, columns] = np.einsum("nfij,fc->ncij", dy, weight[:, :, u, v])
    h, w = x.shape[2:]
    dx = dimage[:, :, padding : padding + h, padding : padding + w]
    return dx, *conv2d_backward(dy, x, weight, stride, padding)[1:]


def overlaps_overwritten_by_windows(dy, x, weight, stride, padding):
    around = ((0, 0), (0, 0), (padding, padding), (padding, padding))
    dimage = np.zeros_like(np.pad(x, around))
    kh, kw = weight.shape[2:]
    for i, j in np.ndindex(dy.shape[2:]):
        a, b = stride * i, stride * j
        sent = np.einsum("nf,fcuv->ncuv", dy[:, :, i, j], weight)
        dimage[:, :, a : a + kh, b : b + kw] = sent
    h, w = x.shape[2:]
    dx = dimage[:, :, padding : padding + h, padding : padding + w]
    return dx, *conv2d_backward(dy, x, weight, stride, padding)[1:]


def weight_of_last_window(dy, x, weight, stride, padding):
    alone = np.zeros_like(dy)
    alone[:, :, -1, -1] = dy[:, :, -1, -1]
    dx, _, dbias = conv2d_backward(dy, x, weight, stride, padding)
    return dx, conv2d_backward(alone, x, weight, stride, padding)[1], dbias


def bias_of_last_pixel(dy, x, weight, stride, padding):
    dx, dweight, _ = conv2d_backward(dy, x, weight, stride, padding)
    return dx, dweight, dy[:, :, -1, -1].sum(0)


def weight_of_last_example(dy, x, weight, stride, padding):
    dx, _, dbias = conv2d_backward(dy, x, weight, stride, padding)
    return dx, conv2d_backward(dy[-1:], x[-1:], weight, stride, padding)[1], dbias


def weight_of_first_example(dy, x, weight, stride, padding):
    dx, _, dbias = conv2d_backward(dy, x, weight, stride, padding)
    return dx, conv2d_backward(dy[:1], x[:1], weight, stride, padding)[1], dbias


def weight_averaged_over_pixels(dy, x, weight, stride, padding):
    dx, dweight, dbias = conv2d_backward(dy, x, weight, stride, padding)
    return dx, dweight / dy[0, 0].size, dbias


def bias_averaged(dy, x, weight, stride, padding):
    dx, dweight, dbias = conv2d_backward(dy, x, weight, stride, padding)
    return dx, dweight, dbias / len(x)


def parameters_averaged(dy, x, weight, stride, padding):
    dx, dweight, dbias = conv2d_backward(dy, x, weight, stride, padding)
    return dx, dweight / len(x), dbias / len(x)


def dx_averaged(dy, x, weight, stride, padding):
    dx, dweight, dbias = conv2d_backward(dy, x, weight, stride, padding)
    return dx / len(x), dweight, dbias


def dx_of_first_filter(dy, x, weight, stride, padding):
    dx = conv2d_backward(dy[:, :1], x, weight[:1], stride, padding)[0]
    return dx, *conv2d_backward(dy, x, weight, stride, padding)[1:]


def nothing_computed(dy, x, weight, stride, padding):
    return np.zeros_like(x), np.zeros_like(weight), np.zeros(len(weight), x.dtype)


def weight_averaged(dy, x, weight, stride, padding):
    dx, dweight, dbias = conv2d_backward(dy, x, weight, stride, padding)
    return dx, dweight / len(x), dbias


def weight_from_unpadded(dy, x, weight, stride, padding):
    shifted = np.zeros_like(x)
    h, w = x.shape[2:]
    shifted[:, :, : h - padding, : w - padding] = x[:, :, padding:, padding:]
    dx, _, dbias = conv2d_backward(dy, x, weight, stride, padding)
    return dx, conv2d_backward(dy, shifted, weight, stride, padding)[1], dbias


def weight_flipped(dy, x, weight, stride, padding):
    dx, dweight, dbias = conv2d_backward(dy, x, weight, stride, padding)
    return dx, dweight[:, :, ::-1, ::-1], dbias


def weight_transposed(dy, x, weight, stride, padding):
    dx, dweight, dbias = conv2d_backward(dy, x, weight, stride, padding)
    return dx, dweight.swapaxes(0, 1), dbias


def bias_kept_for_each_example(dy, x, weight, stride, padding):
    dx, dweight, _ = conv2d_backward(dy, x, weight, stride, padding)
    return dx, dweight, dy.sum((2, 3))


def bias_not_summed_over_pixels(dy, x, weight, stride, padding):
    dx, dweight, _ = conv2d_backward(dy, x, weight, stride, padding)
    return dx, dweight, dy.sum(0)


def bias_averaged_over_pixels(dy, x, weight, stride, padding):
    dx, dweight, _ = conv2d_backward(dy, x, weight, stride, padding)
    return dx, dweight, dy.mean((2, 3)).sum(0)


def sizes(rng):
    """N, C, F, H, W, kh, kw, stride, padding: mostly different, once as equal as can be."""
    return [
        (2, 3, 2, 5, 4, 2, 3, 1, 1),
        (3, 2, 5, 6, 7, 3, 2, 2, 1),
        (1, 2, 3, 7, 5, 3, 3, 2, 0),
        (2, 3, 4, 4, 6, 2, 2, 1, 2),
        (5, 2, 3, 5, 8, 3, 2, 3, 1),
        (2, 2, 2, 3, 3, 2, 2, 1, 1),
        (2, 1, 3, 4, 3, 2, 3, 1, 0),
    ]


def forward_samples(rng):
    by_hand = {
        "x": np.array([[[[1.0, 2.0, 0.0], [0.0, 1.0, 3.0], [2.0, -1.0, 1.0]]]]),
        "weight": np.array([[[[1.0, 0.0], [-1.0, 2.0]]]]),
        "bias": np.array([1.0]),
        "stride": 1,
        "padding": 0,
    }
    samples = [by_hand]
    for n, c, f, h, w, kh, kw, stride, padding in sizes(rng):
        samples.append(
            {
                "x": rng.standard_normal((n, c, h, w)),
                "weight": rng.standard_normal((f, c, kh, kw)),
                "bias": rng.standard_normal(f),
                "stride": stride,
                "padding": padding,
            }
        )
    return samples


def backward_samples(rng):
    samples = []
    for inputs in forward_samples(rng):
        shape = conv2d(*inputs.values()).shape
        del inputs["bias"]
        samples.append({"dy": rng.standard_normal(shape), **inputs})
    samples[0]["dy"] = np.array([[[[1.0, 0.0], [-2.0, 3.0]]]])
    return samples


def book_forward(x, weight, bias, stride, padding):
    return nt.conv2d(x, weight, bias, stride=stride, padding=padding)[0]


def book_backward(dy, x, weight, stride, padding):
    bias = np.zeros(len(weight), x.dtype)
    _, cache = nt.conv2d(x, weight, bias, stride=stride, padding=padding)
    return nt.conv2d_backward(dy, cache)


def facts(inputs):
    found = {"s": inputs["stride"], "p": inputs["padding"]}
    if "dy" in inputs:
        found["pixels"] = inputs["dy"][0, 0].size
    found["area"], found["taps"] = inputs["weight"][0, 0].size, inputs["weight"][0].size
    return found


AXES = {"x": "N C H W", "weight": "F C kh kw"}
MEANINGS = {
    "N": "the batch size",
    "C": "the number of channels",
    "F": "the number of filters",
    "pixels": "the number of output pixels",
    "area": "the number of pixels of a kernel",
    "taps": "the number of weights of a filter",
}
PAGE = "layers/convolution"
HAND, SHAPES = f"{PAGE}#nine-pixels-by-hand", f"{PAGE}#how-large-is-the-output"
DERIVE, TURNED = (
    f"{PAGE}#from-one-pixel-to-the-array",
    f"{PAGE}#the-kernel-comes-back-rotated",
)
WEIGHT, WRONG = (
    f"{PAGE}#the-gradient-of-a-convolution-is-a-convolution",
    f"{PAGE}#six-mistakes-and-where-each-one-hides",
)

EXERCISES = (
    Exercise(
        name="conv2d",
        title="Convolution, forward",
        page=PAGE,
        task="Write the forward pass of a convolution with stride and padding.",
        hints=(
            "Which pixels does the output pixel (i, j) look at? Where does the next one begin?",
            "Pad first, then forget about the padding: window (i, j) begins at row stride * i and "
            "column stride * j of the padded image.",
            "Two loops over the output's pixels are enough: in each, take the window of all "
            "examples, `image[:, :, a : a + kh, b : b + kw]`, and let "
            "`np.einsum('ncuv,fcuv->nf', window, weight)` add up.",
        ),
        functions=(
            Function(
                solution=conv2d,
                reference=book_forward,
                returns=("y",),
                samples=forward_samples,
                axes=AXES,
                meanings=MEANINGS,
                facts=facts,
                misconceptions=(
                    Misconception(
                        "the kernel is flipped",
                        kernel_flipped,
                        "Your filter is rotated by 180°: that is the convolution of mathematics. "
                        "Every framework slides the filter as it is.",
                        WRONG,
                    ),
                    Misconception(
                        "the bias is forgotten",
                        bias_forgotten,
                        "Your y has no bias. Each of the {F} filters adds its own to all pixels.",
                        HAND,
                    ),
                    Misconception(
                        "the bias is subtracted",
                        bias_subtracted,
                        "Your y has the bias subtracted. Each of the {F} filters adds its own.",
                        HAND,
                    ),
                    Misconception(
                        "the bias is added to every product",
                        bias_for_each_product,
                        "Your bias has come in {taps} times, once for each weight of a filter. It "
                        "is added once, after the sum.",
                        DERIVE,
                    ),
                    Misconception(
                        "the bias is added for each pixel of the kernel",
                        bias_for_each_pixel,
                        "Your bias has come in {area} times, once for each pixel of the kernel. "
                        "It is added once, after the sum.",
                        DERIVE,
                    ),
                    Misconception(
                        "the first filter's bias for all",
                        first_bias_for_all,
                        "Your y adds the first number of the bias to all filters. Each of the {F} "
                        "filters has its own.",
                        HAND,
                    ),
                    Misconception(
                        "the bias is added for each channel",
                        bias_for_each_channel,
                        "Your bias has come in {C} times, once for each channel. It is added once, "
                        "after the sum over the channels.",
                        DERIVE,
                    ),
                    Misconception(
                        "a mean over the channels",
                        channels_averaged,
                        "Your sum is divided by {C}, the number of channels. They are added up.",
                        DERIVE,
                    ),
                    Misconception(
                        "a mean over the window",
                        window_averaged,
                        "Your sum is divided by {area}, the number of pixels of the kernel. The "
                        "products are added up.",
                        DERIVE,
                    ),
                    Misconception(
                        "a mean over window and channels",
                        all_averaged,
                        "Your sum is divided by {taps}, the number of weights of a filter. The "
                        "products are added up.",
                        DERIVE,
                    ),
                    Misconception(
                        "the whole output is divided",
                        result_averaged,
                        "Your y, the bias with it, is divided by {area}, the number of pixels of "
                        "the kernel. Nothing is divided.",
                        DERIVE,
                    ),
                    Misconception(
                        "channels are summed separately",
                        channels_apart,
                        "Your channels do not meet their own part of the filter: image and filter "
                        "are summed over the {C} channels separately.",
                        DERIVE,
                    ),
                    Misconception(
                        "the channels run the other way",
                        filters_backwards,
                        "Your first channel meets the last layer of the filter. Channel c meets "
                        "layer c.",
                        DERIVE,
                    ),
                    Misconception(
                        "only the last channel",
                        last_channel_alone,
                        "Your y looks at the last channel alone: is the sum overwritten in each "
                        "turn of a loop? A filter adds over its {C} channels.",
                        DERIVE,
                    ),
                    Misconception(
                        "the first filter for all",
                        first_filter_for_all,
                        "Your {F} output channels are all made with the first filter; only the "
                        "bias differs.",
                        DERIVE,
                    ),
                    Misconception(
                        "the kernel is flipped along one axis",
                        flipped_up_down,
                        "Your filter stands upside down: its rows run the other way.",
                        WRONG,
                    ),
                    Misconception(
                        "a ReLU is applied as well",
                        bent,
                        "Your y has 0 where it should be negative: that is a ReLU, the next layer.",
                        HAND,
                    ),
                    Misconception(
                        "only the first channel",
                        first_channel_alone,
                        "Your y looks at the first channel alone. A filter has a layer for each of "
                        "the {C} channels, and adds over them.",
                        DERIVE,
                    ),
                    Misconception(
                        "padded with the edge",
                        edge_repeated,
                        "Your border repeats the outermost pixels. Pixels outside are 0 here.",
                        SHAPES,
                    ),
                    Misconception(
                        "padded with ones",
                        padding_of_ones,
                        "Your border is made of ones. Pixels outside are 0 here.",
                        SHAPES,
                    ),
                    Misconception(
                        "padded with a mirror",
                        padding_reflected,
                        "Your border mirrors the image. Pixels outside are 0 here.",
                        SHAPES,
                    ),
                    Misconception(
                        "padded with the other side",
                        padding_wrapped,
                        "Your border repeats the pixels of the other side. Pixels outside are 0 "
                        "here.",
                        SHAPES,
                    ),
                    Misconception(
                        "all the padding at the end",
                        padding_at_the_end,
                        "Your image has all rows and columns of 0 below and to the right, and "
                        "none above and to the left. Padding is put on all four sides.",
                        SHAPES,
                    ),
                    Misconception(
                        "only the rows are padded",
                        rows_padded_alone,
                        "Your image is padded above and below alone. Padding is put on all four "
                        "sides.",
                        SHAPES,
                    ),
                    Misconception(
                        "one row of padding, whatever is asked",
                        padding_of_one,
                        "Your image is padded by 1 pixel, whatever `padding` is.",
                        SHAPES,
                    ),
                    Misconception(
                        "the padding is forgotten",
                        padding_forgotten,
                        "Your image is not padded, so the output is too small: put {p} pixels of 0 "
                        "around it.",
                        SHAPES,
                    ),
                    Misconception(
                        "all the padding on one side",
                        padding_on_one_side,
                        "Your image has all its rows of 0 above and none below. Padding is put on "
                        "all four sides.",
                        SHAPES,
                    ),
                    Misconception(
                        "the stride is ignored",
                        stride_ignored,
                        "Your windows move by 1 pixel, so the output is too large: the stride is "
                        "{s}.",
                        SHAPES,
                    ),
                    Misconception(
                        "the stride along the rows only",
                        stride_of_the_rows_alone,
                        "Your windows move by the stride downwards, and by 1 pixel to the right. "
                        "It is the same along both.",
                        SHAPES,
                    ),
                    Misconception(
                        "the stride is in the size only",
                        stride_ignored_in_the_positions,
                        "Your output has the right size, but the windows lie side by side at a "
                        "distance of 1: window (i, j) begins at {s} * i and {s} * j.",
                        SHAPES,
                    ),
                    Misconception(
                        "the last window is left out",
                        last_window_left_out,
                        "Your output has one row and one column too few. The number of windows is "
                        "(H + 2 * padding − kh) // stride + 1: mind the 1.",
                        SHAPES,
                    ),
                    Misconception(
                        "the window at the border is left out",
                        stops_at_the_border,
                        "A window that ends exactly at the border of the padded image is left out: "
                        "`range(0, H + 2 * padding - kh, stride)` stops before the place where it "
                        "begins. Add 1 to the end.",
                        SHAPES,
                        also=(zero_at_the_border, bias_alone_at_the_border),
                    ),
                    Misconception(
                        "rows and columns are swapped",
                        image_transposed,
                        "Your output is transposed: i goes down, j goes across.",
                        SHAPES,
                    ),
                ),
            ),
        ),
    ),
    Exercise(
        name="conv2d_backward",
        title="Convolution, backward",
        page=PAGE,
        task="Write the three gradients of a convolution with stride and padding.",
        hints=(
            "Which output pixels does one input pixel take part in, and with which weight each?",
            "Run the forward pass again, and at each product do the opposite: where it read a "
            "pixel and a weight, add dy times the weight to the pixel's gradient, and dy times the "
            "pixel to the weight's.",
            "Work on the padded image, add with `+=` because windows overlap, and cut the padding "
            "off at the end. The bias was added to every pixel of every example.",
        ),
        functions=(
            Function(
                solution=conv2d_backward,
                reference=book_backward,
                returns=("dx", "dweight", "dbias"),
                samples=backward_samples,
                axes=AXES,
                meanings=MEANINGS,
                facts=facts,
                misconceptions=(
                    Misconception(
                        "the kernel is the wrong way round in dx",
                        dx_with_the_kernel_unflipped,
                        "Your dx uses the kernel rotated by 180° from what it should be. A pixel "
                        "that the forward pass met with weight (u, v) gets its gradient with "
                        "weight (u, v): in a loop over the windows the kernel stays as it is, "
                        "and in a convolution of dy it is rotated.",
                        TURNED,
                    ),
                    Misconception(
                        "the stride is ignored on the way back",
                        stride_ignored_backward,
                        "Your gradients are those of windows at a distance of 1. Output (i, j) "
                        "belongs to the window that begins at {s} * i and {s} * j: spread dy out.",
                        TURNED,
                    ),
                    Misconception(
                        "the padding is not cut off",
                        padding_not_cropped,
                        "Your dx has the size of the padded image. The padding is no input: cut "
                        "{p} rows and columns off on each side.",
                        TURNED,
                    ),
                    Misconception(
                        "the padding is cut off on one side",
                        cropped_on_one_side,
                        "Your dx begins in the padding: it is moved by {p}. Cut {p} rows and "
                        "columns off on both sides, not only at the end.",
                        TURNED,
                    ),
                    Misconception(
                        "overlapping windows overwrite each other",
                        overlaps_overwritten,
                        "Where windows overlap, your dx keeps what one of them sent. A pixel there "
                        "has several gradients, and they add: `+=`, not `=`.",
                        TURNED,
                        also=(overlaps_overwritten_by_windows,),
                    ),
                    Misconception(
                        "nothing is computed",
                        nothing_computed,
                        "Your three gradients are all 0.",
                        WEIGHT,
                    ),
                    Misconception(
                        "dweight of the last window alone",
                        weight_of_last_window,
                        "Your dweight is that of the last window alone: is it overwritten for each "
                        "window? The gradients of all windows add, `+=`.",
                        WEIGHT,
                    ),
                    Misconception(
                        "dbias of the last pixel alone",
                        bias_of_last_pixel,
                        "Your dbias sums the last output pixel alone: is it overwritten for each "
                        "pixel? The gradients of all {pixels} pixels add.",
                        WEIGHT,
                    ),
                    Misconception(
                        "dweight of the last example alone",
                        weight_of_last_example,
                        "Your dweight is that of the last example alone. The gradients of all {N} "
                        "add.",
                        WEIGHT,
                    ),
                    Misconception(
                        "dweight of the first example alone",
                        weight_of_first_example,
                        "Your dweight is that of the first example alone. The gradients of all "
                        "{N} add.",
                        WEIGHT,
                    ),
                    Misconception(
                        "dweight is a mean over the pixels",
                        weight_averaged_over_pixels,
                        "Your dweight is exactly {pixels} times too small, and {pixels} is the "
                        "number of output pixels. The gradients add.",
                        WEIGHT,
                    ),
                    Misconception(
                        "dx is a mean over the batch",
                        dx_averaged,
                        "Your dx is exactly {N} times too small, and {N} is the batch size. Each "
                        "image has its own dx, and nothing is averaged in it.",
                        TURNED,
                    ),
                    Misconception(
                        "dx of the first filter alone",
                        dx_of_first_filter,
                        "Your dx comes from the first filter alone. Each of the {F} filters sends "
                        "its own, and they add.",
                        TURNED,
                    ),
                    Misconception(
                        "dweight and dbias are means over the batch",
                        parameters_averaged,
                        "Your dweight and dbias are exactly {N} times too small, and {N} is the "
                        "batch size. Where the loss is a mean, dy has been divided already.",
                        WEIGHT,
                    ),
                    Misconception(
                        "dbias is a mean over the batch",
                        bias_averaged,
                        "Your dbias is exactly {N} times too small, and {N} is the batch size. "
                        "The gradients add.",
                        WEIGHT,
                    ),
                    Misconception(
                        "dweight is a mean over the batch",
                        weight_averaged,
                        "Your dweight is exactly {N} times too small, and {N} is the batch size. "
                        "The layer sums; where the loss is a mean, dy has been divided already.",
                        WEIGHT,
                    ),
                    Misconception(
                        "dweight without the padding",
                        weight_from_unpadded,
                        "Your dweight reads the image from its corner, as if it had not been "
                        "padded. Use the padded image, as the forward pass does.",
                        WEIGHT,
                    ),
                    Misconception(
                        "dweight is rotated",
                        weight_flipped,
                        "Your dweight is rotated by 180°. Its place (u, v) collects the pixels "
                        "that weight (u, v) met.",
                        WEIGHT,
                    ),
                    Misconception(
                        "filters and channels are swapped",
                        weight_transposed,
                        "Your dweight has the shape (C, F, kh, kw), and the weight is "
                        "(F, C, kh, kw).",
                        WEIGHT,
                    ),
                    Misconception(
                        "dbias is not summed over the batch",
                        bias_kept_for_each_example,
                        "Your dbias has a row for each of the {N} examples. They all use the same "
                        "bias: sum over them as well.",
                        WEIGHT,
                    ),
                    Misconception(
                        "dbias is not summed over the pixels",
                        bias_not_summed_over_pixels,
                        "Your dbias is an image for each filter. The bias is added to every pixel, "
                        "so its gradient is the sum over all of them.",
                        WEIGHT,
                    ),
                    Misconception(
                        "dbias is a mean over the pixels",
                        bias_averaged_over_pixels,
                        "Your dbias is exactly {pixels} times too small, and {pixels} is the "
                        "number of output pixels. The gradients add.",
                        WEIGHT,
                    ),
                ),
            ),
        ),
    ),
)
