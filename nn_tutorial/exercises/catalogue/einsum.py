"""Five exercises on sums of products, to be written as einsum strings."""

import numpy as np

from ..exercise import Exercise, Function, Misconception

AFTER = ""  # the first


def sums(x):
    """Row sums, column sums and the sum of squares of a matrix.

    rows[n]    = sum over d of x[n, d]
    columns[d] = sum over n of x[n, d]
    squares    = sum over n and d of x[n, d] * x[n, d]

    x: (N, D)
    returns rows (N,), columns (D,), squares (one number)

    Floats keep their dtype: float32 in, float32 out.
    """
    return np.einsum("nd->n", x), np.einsum("nd->d", x), np.einsum("nd,nd->", x, x)


def matrix_product(a, b):
    """Product of two matrices.

    y[i, k] = sum over j of a[i, j] * b[j, k]

    a: (I, J)
    b: (J, K)
    returns y: (I, K)

    Floats keep their dtype: float32 in, float32 out.
    """
    return np.einsum("ij,jk->ik", a, b)


def batch_product(a, b):
    """One matrix product for each example.

    y[n, i, k] = sum over j of a[n, i, j] * b[n, j, k]

    a: (N, I, J)
    b: (N, J, K)
    returns y: (N, I, K)

    Floats keep their dtype: float32 in, float32 out.
    """
    return np.einsum("nij,njk->nik", a, b)


def product_gradients(dy, a, b):
    """Gradients of matrix_product: swap the operand's letters with the output's.

    da[i, j] = sum over k of dy[i, k] * b[j, k]
    db[j, k] = sum over i of a[i, j] * dy[i, k]

    dy: (I, K), the upstream gradient
    a:  (I, J)
    b:  (J, K)
    returns da (I, J), db (J, K)

    Floats keep their dtype: float32 in, float32 out.
    """
    return np.einsum("ik,jk->ij", dy, b), np.einsum("ij,ik->jk", a, dy)


def filter_windows(windows, weight):
    """A convolution, once the windows of the image are an array.

    y[n, f, i, j] = sum over c, u, v of windows[n, c, i, j, u, v] * weight[f, c, u, v]

    windows: (N, C, H, W, kh, kw), for each output pixel (i, j) the window that it looks at
    weight:  (F, C, kh, kw)
    returns y: (N, F, H, W)

    Floats keep their dtype: float32 in, float32 out.
    """
    return np.einsum("ncijuv,fcuv->nfij", windows, weight)


def sums_swapped(x):
    return x.sum(0), x.sum(1), (x * x).sum()


def rows_as_means(x):
    return x.mean(1), x.mean(0), (x * x).sum()


def square_of_the_sum(x):
    return x.sum(1), x.sum(0), x.sum() ** 2


def sum_without_squares(x):
    return x.sum(1), x.sum(0), x.sum()


def sum_of_sizes(x):
    return x.sum(1), x.sum(0), np.abs(x).sum()


def mean_of_the_squares(x):
    return x.sum(1), x.sum(0), (x * x).mean()


def squares_not_summed(x):
    return x.sum(1), x.sum(0), x * x


def axes_kept(x):
    return x.sum(1, keepdims=True), x.sum(0, keepdims=True), (x * x).sum()


def products_of_rows(x):
    return x.sum(1), x.sum(0), (x @ x.T).sum()


def root_of_the_squares(x):
    return x.sum(1), x.sum(0), np.sqrt((x * x).sum())


def result_transposed(a, b):
    return np.einsum("ij,jk->ki", a, b)


def summed_over_a_and_b_apart(a, b):
    return np.einsum("ij,lk->ik", a, b)


def averaged(a, b):
    return a @ b / a.shape[1]


def diagonal_of_j(a, b):
    return np.outer(a[:, 0], b[0])


def one_sum_left_out(a, b):
    return np.einsum("ij,jk->ijk", a, b)


def all_summed(a, b):
    return np.full((a.shape[0], b.shape[1]), np.einsum("ij,jk->", a, b), a.dtype)


def batch_summed(a, b):
    return np.einsum("nij,njk->ik", a, b)


def every_pair_of_examples(a, b):
    return np.einsum("nij,mjk->nik", a, b)


def batch_transposed(a, b):
    return np.einsum("nij,njk->nki", a, b)


def partner_of_the_neighbour(a, b):
    return np.einsum("nij,njk->nik", a, b[::-1])


def averaged_over_j(a, b):
    return np.einsum("nij,njk->nik", a, b) / a.shape[-1]


def first_example_for_all(a, b):
    return np.einsum("nij,jk->nik", a, b[0])


def db_transposed(dy, a, b):
    return dy @ b.T, dy.T @ a


def da_without_dy(dy, a, b):
    return np.ones_like(dy) @ b.T, a.T @ dy


def db_without_dy(dy, a, b):
    return dy @ b.T, a.T @ np.ones_like(dy)


def returned_the_other_way_round(dy, a, b):
    return a.T @ dy, dy @ b.T


def da_transposed(dy, a, b):
    return b @ dy.T, a.T @ dy


def both_transposed(dy, a, b):
    return b @ dy.T, dy.T @ a


def operands_summed_apart(dy, a, b):
    return (
        np.einsum("ik,jl->ij", dy, b),
        np.einsum("lj,ik->jk", a, dy),
    )


def as_if_dy_were_one(dy, a, b):
    ones = np.ones_like(dy)
    return ones @ b.T, a.T @ ones


def kernel_flipped(windows, weight):
    return np.einsum("ncijuv,fcuv->nfij", windows, weight[:, :, ::-1, ::-1])


def first_channel_alone(windows, weight):
    return np.einsum("nijuv,fuv->nfij", windows[:, 0], weight[:, 0])


def window_summed_apart(windows, weight):
    return np.einsum("ncijuv,fcwz->nfij", windows, weight)


def corner_alone(windows, weight):
    return np.einsum("ncij,fc->nfij", windows[..., 0, 0], weight[..., 0, 0])


def channels_averaged(windows, weight):
    return np.einsum("ncijuv,fcuv->nfij", windows, weight) / weight.shape[1]


def channels_apart(windows, weight):
    return np.einsum("ncijuv,fduv->nfij", windows, weight)


def pixels_transposed(windows, weight):
    return np.einsum("ncijuv,fcuv->nfji", windows, weight)


def windows_averaged(windows, weight):
    area = weight.shape[2] * weight.shape[3]
    return np.einsum("ncijuv,fcuv->nfij", windows, weight) / area


def filters_last(windows, weight):
    return np.einsum("ncijuv,fcuv->nijf", windows, weight)


def sums_samples(rng):
    by_hand = np.array([[1.0, 2.0, 0.0], [3.0, -1.0, 4.0]])
    shapes = [(5, 3), (2, 7), (3, 5), (7, 2), (3, 3)]
    return [{"x": by_hand}, *({"x": rng.standard_normal(shape)} for shape in shapes)]


def product_samples(rng):
    a = np.array([[1.0, 2.0, 0.0], [3.0, -1.0, 4.0]])
    b = np.array([[2.0, 1.0], [0.0, 5.0], [1.0, -2.0]])
    samples = [{"a": a, "b": b}]
    for i, j, k in [(5, 3, 2), (2, 3, 7), (3, 5, 7), (7, 2, 3), (3, 3, 3)]:
        samples.append({"a": rng.standard_normal((i, j)), "b": rng.standard_normal((j, k))})
    return samples


def batch_samples(rng):
    a = np.array([[[1.0, 2.0, 0.0]], [[3.0, -1.0, 4.0]]])
    b = np.array([[[2.0, 1.0], [0.0, 5.0], [1.0, -2.0]], [[1.0, 0.0], [2.0, 3.0], [0.0, 1.0]]])
    samples = [{"a": a, "b": b}]
    sizes = [(2, 5, 3, 2), (3, 2, 5, 7), (5, 3, 2, 4), (2, 3, 7, 5), (3, 3, 3, 3)]
    for n, i, j, k in sizes:
        samples.append({"a": rng.standard_normal((n, i, j)), "b": rng.standard_normal((n, j, k))})
    return samples


def gradient_samples(rng):
    samples = []
    for inputs in product_samples(rng):
        shape = inputs["a"].shape[0], inputs["b"].shape[1]
        samples.append({"dy": rng.standard_normal(shape), **inputs})
    samples[0]["dy"] = np.array([[1.0, 0.0], [-1.0, 2.0]])
    return samples


def window_samples(rng):
    image = np.arange(12.0).reshape(1, 1, 3, 4)
    by_hand = np.lib.stride_tricks.sliding_window_view(image, (2, 2), axis=(2, 3))
    samples = [{"windows": by_hand.copy(), "weight": np.array([[[[1.0, 0.0], [-1.0, 2.0]]]])}]
    for n, c, f, h, w, kh, kw in [
        (2, 3, 2, 5, 3, 2, 3),
        (1, 2, 3, 2, 4, 3, 2),
        (3, 2, 5, 3, 2, 2, 2),
        (2, 3, 4, 2, 3, 3, 3),
        (2, 2, 2, 2, 2, 2, 2),
    ]:
        samples.append(
            {
                "windows": rng.standard_normal((n, c, h, w, kh, kw)),
                "weight": rng.standard_normal((f, c, kh, kw)),
            }
        )
    return samples


def book_windows(windows, weight):
    """By the book's rule as matrix products: every window a row, every filter a column."""
    n, _, h, w, *_ = windows.shape
    rows = np.moveaxis(windows, 1, 3).reshape(n * h * w, -1)
    return (rows @ weight.reshape(len(weight), -1).T).reshape(n, h, w, -1).transpose(0, 3, 1, 2)


PAGE = "foundations/einsum"
LETTERS, HAND = f"{PAGE}#one-letter-for-each-axis", f"{PAGE}#four-numbers-by-hand-and-back"
TOUCH, THREE = (
    f"{PAGE}#which-cells-does-a-string-touch",
    f"{PAGE}#three-to-begin-with-each-against-two-others",
)
GRADIENT, WINDOWS, WRONG = (
    f"{PAGE}#the-gradient-of-an-einsum-is-an-einsum",
    f"{PAGE}#a-convolution-is-an-einsum-over-windows",
    f"{PAGE}#six-ways-to-get-it-wrong",
)

EXERCISES = (
    Exercise(
        name="einsum_sums",
        title="einsum: sums of a matrix",
        page=PAGE,
        task="Write three sums of a matrix, each as one einsum string.",
        hints=(
            "Which letter is left when you sum over d? And when you sum over both?",
            "What stands after the arrow is kept, what is missing there is summed. Nothing after "
            "the arrow means one number.",
            "The row sums are `nd->n`. For the squares, hand x in twice, with the same letters.",
        ),
        functions=(
            Function(
                solution=sums,
                reference=lambda x: (x.sum(1), x.sum(0), (x * x).sum()),
                returns=("rows", "columns", "squares"),
                samples=sums_samples,
                axes={"x": "N D"},
                meanings={"N": "the number of rows", "D": "the number of columns"},
                misconceptions=(
                    Misconception(
                        "rows and columns swapped",
                        sums_swapped,
                        "Your rows are the sums of the columns, and the other way round. The "
                        "letter after the arrow is the axis that is kept: rows keep n.",
                        LETTERS,
                    ),
                    Misconception(
                        "means instead of sums",
                        rows_as_means,
                        "Your rows are exactly {D} times too small and your columns {N} times: they"
                        " are means. einsum adds up and never divides.",
                        LETTERS,
                    ),
                    Misconception(
                        "the square of the sum",
                        square_of_the_sum,
                        "Your squares is the sum, squared. The sum of the squares is wanted: "
                        "multiply first, element by element, then add.",
                        TOUCH,
                    ),
                    Misconception(
                        "nothing is squared",
                        sum_without_squares,
                        "Your squares is the sum of x itself. Hand x in twice: einsum multiplies "
                        "what has the same letters.",
                        TOUCH,
                    ),
                    Misconception(
                        "the sum of the absolute values",
                        sum_of_sizes,
                        "Your squares is the sum of the absolute values. Multiply x with itself, "
                        "then add.",
                        TOUCH,
                    ),
                    Misconception(
                        "the mean of the squares",
                        mean_of_the_squares,
                        "Your squares is a mean. The sum is asked for.",
                        TOUCH,
                    ),
                    Misconception(
                        "the squares are not summed",
                        squares_not_summed,
                        "Your squares is an array, x times x. Nothing stands after the arrow when "
                        "everything is summed.",
                        TOUCH,
                    ),
                    Misconception(
                        "the summed axes are kept",
                        axes_kept,
                        "Your rows and columns have an axis of size 1, the one that was summed. "
                        "What is missing after the arrow is gone.",
                        LETTERS,
                    ),
                    Misconception(
                        "other letters in the two operands",
                        products_of_rows,
                        "Your squares multiplies each row with every row: the two operands do not "
                        "have the same letters.",
                        TOUCH,
                    ),
                    Misconception(
                        "the root is taken",
                        root_of_the_squares,
                        "Your squares is the length of x, the root of what was asked for.",
                        TOUCH,
                    ),
                ),
            ),
        ),
    ),
    Exercise(
        name="einsum_matmul",
        title="einsum: the matrix product",
        page=PAGE,
        task="Write the product of two matrices as one einsum string.",
        hints=(
            "Which letter do the two operands share? Does the result have it?",
            "Copy the indices from the formula: first a's, a comma, b's, an arrow, those of y.",
            "The letters of a are `ij`, those of b `jk`. j is missing after the arrow.",
        ),
        functions=(
            Function(
                solution=matrix_product,
                reference=lambda a, b: a @ b,
                returns=("y",),
                samples=product_samples,
                axes={"a": "I J", "b": "J K"},
                meanings={"J": "the size of the axis that is summed"},
                misconceptions=(
                    Misconception(
                        "the result is transposed",
                        result_transposed,
                        "Your y has the shape ({K}, {I}): the letters after the arrow are in the "
                        "wrong order.",
                        LETTERS,
                    ),
                    Misconception(
                        "two letters where one is shared",
                        summed_over_a_and_b_apart,
                        "Your two operands are summed separately and then multiplied. The same "
                        "letter in both makes them walk together: the second axis of a and the "
                        "first of b are both j.",
                        WRONG,
                    ),
                    Misconception(
                        "a mean over j",
                        averaged,
                        "Your y is divided by {J}, the number of products: einsum adds up and "
                        "never divides.",
                        LETTERS,
                    ),
                    Misconception(
                        "only the first j",
                        diagonal_of_j,
                        "Your y is the product for j = 0 alone. All {J} are added.",
                        LETTERS,
                    ),
                    Misconception(
                        "nothing is summed",
                        one_sum_left_out,
                        "Your y still has the axis j, so all products are there and none is added. "
                        "Leave j out after the arrow.",
                        LETTERS,
                    ),
                    Misconception(
                        "everything is summed",
                        all_summed,
                        "Your y has the sum of all products in every place. Keep i and k after the "
                        "arrow.",
                        LETTERS,
                    ),
                ),
            ),
        ),
    ),
    Exercise(
        name="einsum_batch",
        title="einsum: a batch of products",
        page=PAGE,
        task="Write one matrix product for each example, as one einsum string.",
        hints=(
            "What is different from one matrix product, and which operands have it?",
            "The example's letter n stands in both operands and in the result.",
            "Put an n in front of each of the three groups of letters of `ij,jk->ik`.",
        ),
        functions=(
            Function(
                solution=batch_product,
                reference=lambda a, b: a @ b,
                returns=("y",),
                samples=batch_samples,
                axes={"a": "N I J", "b": "N J K"},
                meanings={"N": "the batch size"},
                misconceptions=(
                    Misconception(
                        "the batch is summed",
                        batch_summed,
                        "Your y has lost its first axis: the products of all {N} examples are "
                        "added. Keep n after the arrow.",
                        THREE,
                    ),
                    Misconception(
                        "every example with every other",
                        every_pair_of_examples,
                        "Your examples of a meet the sum of all examples of b. With the same "
                        "letter n in both, each meets its own partner.",
                        THREE,
                    ),
                    Misconception(
                        "each product is transposed",
                        batch_transposed,
                        "Your y has the shape ({N}, {K}, {I}): the last two letters after the "
                        "arrow are swapped.",
                        LETTERS,
                    ),
                    Misconception(
                        "the partners are in the opposite order",
                        partner_of_the_neighbour,
                        "Your first example of a meets the last of b: the examples of one of them "
                        "run the other way.",
                        THREE,
                    ),
                    Misconception(
                        "a mean over j",
                        averaged_over_j,
                        "Your y is divided by {J}, the number of products: einsum adds up and "
                        "never divides.",
                        LETTERS,
                    ),
                    Misconception(
                        "the first example's matrix for all",
                        first_example_for_all,
                        "Your products all use the first matrix of b. It has one for each of the "
                        "{N} examples.",
                        THREE,
                    ),
                ),
            ),
        ),
    ),
    Exercise(
        name="einsum_gradients",
        title="einsum: the gradients of a product",
        page=PAGE,
        task="Write the gradients of the matrix product, each as one einsum string.",
        hints=(
            "Which outputs does a[i, j] take part in, and which factor does it meet there?",
            "The letters of the operand and those of the output change places; the other operand "
            "keeps its own.",
            "The forward string is `ij,jk->ik`. For a, `ij` and `ik` change places.",
        ),
        functions=(
            Function(
                solution=product_gradients,
                reference=lambda dy, a, b: (dy @ b.T, a.T @ dy),
                returns=("da", "db"),
                samples=gradient_samples,
                axes={"a": "I J", "b": "J K"},
                meanings={"I": "the number of rows of a", "K": "the number of columns of b"},
                misconceptions=(
                    Misconception(
                        "db is transposed",
                        db_transposed,
                        "Your db has the shape ({K}, {J}), the transpose of b's. The letters after "
                        "the arrow are those of b.",
                        GRADIENT,
                    ),
                    Misconception(
                        "da without dy",
                        da_without_dy,
                        "Your da is right for a dy of all ones: the upstream gradient is not used "
                        "in it.",
                        GRADIENT,
                    ),
                    Misconception(
                        "db without dy",
                        db_without_dy,
                        "Your db is right for a dy of all ones: the upstream gradient is not used "
                        "in it.",
                        GRADIENT,
                    ),
                    Misconception(
                        "the two gradients are returned the other way round",
                        returned_the_other_way_round,
                        "Your da is what db should be, and the other way round: first da, then db.",
                        GRADIENT,
                    ),
                    Misconception(
                        "da is transposed",
                        da_transposed,
                        "Your da has the shape ({J}, {I}), the transpose of a's. The letters after "
                        "the arrow are those of a.",
                        GRADIENT,
                    ),
                    Misconception(
                        "both gradients are transposed",
                        both_transposed,
                        "Your da and db have the shapes of the transposes. The letters after the "
                        "arrow are those of the operand whose gradient you want.",
                        GRADIENT,
                    ),
                    Misconception(
                        "dy and the other operand are summed separately",
                        operands_summed_apart,
                        "Your gradients are products of sums: the letter that is summed is not "
                        "shared. In da, k stands in dy and in b.",
                        GRADIENT,
                    ),
                    Misconception(
                        "dy is forgotten",
                        as_if_dy_were_one,
                        "Your gradients are right for a dy of all ones: the upstream gradient is "
                        "not used. It takes the output's place among the operands.",
                        GRADIENT,
                    ),
                ),
            ),
        ),
    ),
    Exercise(
        name="einsum_windows",
        title="einsum: a convolution over windows",
        page=PAGE,
        task="The windows of an image are an array already: apply the filters with one string.",
        hints=(
            "Which axes do a window and a filter share? Which of them are left in the output?",
            "Each output pixel adds over the channels and over both axes of the window.",
            "The letters of the windows are `ncijuv`, those of the weight `fcuv`; c, u and v are "
            "missing after the arrow.",
        ),
        functions=(
            Function(
                solution=filter_windows,
                reference=book_windows,
                returns=("y",),
                samples=window_samples,
                axes={"windows": "N C H W kh kw", "weight": "F C kh kw"},
                facts=lambda inputs: {"area": inputs["weight"][0, 0].size},
                meanings={"C": "the number of channels"},
                misconceptions=(
                    Misconception(
                        "the kernel is flipped",
                        kernel_flipped,
                        "Your filters are rotated by 180°. What every framework calls a "
                        "convolution does not rotate them: u and v run the same way in both "
                        "operands.",
                        WINDOWS,
                    ),
                    Misconception(
                        "only the first channel",
                        first_channel_alone,
                        "Your output looks at the first channel alone. All {C} are added.",
                        WINDOWS,
                    ),
                    Misconception(
                        "the window is summed separately",
                        window_summed_apart,
                        "Your windows and filters are summed over their pixels separately. The "
                        "same letters u and v in both make them walk together.",
                        WINDOWS,
                    ),
                    Misconception(
                        "only the window's corner",
                        corner_alone,
                        "Your output uses the first pixel of each window alone. All of its pixels "
                        "are added.",
                        WINDOWS,
                    ),
                    Misconception(
                        "a mean over the channels",
                        channels_averaged,
                        "Your output is exactly {C} times too small, and {C} is the number of "
                        "channels: they are added up.",
                        WINDOWS,
                    ),
                    Misconception(
                        "channels are summed separately",
                        channels_apart,
                        "Your channels do not meet their own part of the filter: window and filter "
                        "are summed over the {C} channels separately. Give them the same letter c.",
                        WINDOWS,
                    ),
                    Misconception(
                        "the image is transposed",
                        pixels_transposed,
                        "Your output has rows and columns swapped: i and j after the arrow stand "
                        "in the wrong order.",
                        LETTERS,
                    ),
                    Misconception(
                        "a mean over the window",
                        windows_averaged,
                        "Your output is exactly {area} times too small, and {area} is the number "
                        "of pixels in a window. A convolution adds the products up.",
                        WINDOWS,
                    ),
                    Misconception(
                        "the filters come last",
                        filters_last,
                        "Your output has the shape (N, H, W, F). Channels come second in this "
                        "book: `nfij`.",
                        LETTERS,
                    ),
                ),
            ),
        ),
    ),
)
