"""A gradient checker's heart: central differences."""

import numpy as np

from ..exercise import Exercise, Function, Misconception, SharedFunction

AFTER = "einsum"


def numerical_gradient(f, x, h):
    """Gradient of f at x by central differences, element by element.

    grad[i] = (f(x + h * e_i) - f(x - h * e_i)) / (2 * h)

    where e_i is 1 at element i and 0 elsewhere.

    f: a function that takes an array of the shape of x and returns one number
    x: an array of any shape; it must be the same afterwards
    h: a small positive number
    returns grad: shape and dtype of x
    """
    grad = np.zeros_like(x)
    for index in np.ndindex(x.shape):
        up, down = x.copy(), x.copy()
        up[index] += h
        down[index] -= h
        grad[index] = (f(up) - f(down)) / (2 * h)
    return grad


def forward_difference(f, x, h):
    grad = np.zeros_like(x)
    for index in np.ndindex(x.shape):
        up = x.copy()
        up[index] += h
        grad[index] = (f(up) - f(x)) / h
    return grad


def backward_difference(f, x, h):
    grad = np.zeros_like(x)
    for index in np.ndindex(x.shape):
        down = x.copy()
        down[index] -= h
        grad[index] = (f(x) - f(down)) / h
    return grad


def one_sided_over_two(f, x, h):
    return forward_difference(f, x, h) / 2


def multiplied_by_h(f, x, h):
    return h * h * numerical_gradient(f, x, h)


def rows_moved(f, x, h):
    grad = np.zeros_like(x)
    for i in range(len(x)):
        step = np.zeros_like(x)
        step[i] = h
        grad[i] = (f(x + step) - f(x - step)) / (2 * h)
    return grad


def columns_moved(f, x, h):
    grad = np.zeros_like(x)
    for i in range(x.shape[-1]):
        step = np.zeros_like(x)
        step[..., i] = h
        grad[..., i] = (f(x + step) - f(x - step)) / (2 * h)
    return grad


def flattened(f, x, h):
    return numerical_gradient(f, x, h).ravel()


def second_difference(f, x, h):
    grad = np.zeros_like(x)
    for index in np.ndindex(x.shape):
        up, down = x.copy(), x.copy()
        up[index] += h
        down[index] -= h
        grad[index] = (f(up) - 2 * f(x) + f(down)) / h**2
    return grad


def divided_by_h(f, x, h):
    return 2 * numerical_gradient(f, x, h)


def not_divided(f, x, h):
    return 2 * h * numerical_gradient(f, x, h)


def half_steps(f, x, h):
    return numerical_gradient(f, x, h / 2) / 2


def all_moved_at_once(f, x, h):
    return np.full_like(x, (f(x + h) - f(x - h)) / (2 * h))


def turned_round(f, x, h):
    return -numerical_gradient(f, x, h)


def left_moved(f, x, h):
    grad = np.zeros_like(x)
    for index in np.ndindex(x.shape):
        x[index] += h
        up = f(x)
        x[index] -= 2 * h
        grad[index] = (up - f(x)) / (2 * h)
    return grad


def moves_add_up(f, x, h):
    grad, moved = np.zeros_like(x), x.copy()
    for index in np.ndindex(x.shape):
        moved[index] += h
        up = f(moved)
        moved[index] -= 2 * h
        grad[index] = (up - f(moved)) / (2 * h)
    return grad


def first_row_only(f, x, h):
    grad = numerical_gradient(f, x, h)
    if x.ndim > 1:
        grad[1:] = 0
    return grad


def samples(rng):
    by_hand = {
        "f": SharedFunction("sum_of_cubes"),
        "x": np.array([[1.0, -2.0], [0.0, 3.0]]),
        "h": 0.5,
    }
    samples = [by_hand]
    for name, shape, h in [
        ("sine_of_sum", (5,), 0.1),
        ("weighted_squares", (2, 3), 0.125),
        ("sum_of_products", (3, 2), 0.25),
        ("sum_of_cubes", (5, 2), 0.125),
        ("log_sum_exp", (2, 3, 2), 0.2),
    ]:
        samples.append({"f": SharedFunction(name), "x": rng.standard_normal(shape), "h": h})
    return samples


def book_differences(f, x, h):
    """The book's own check uses a direction at a time; here one for each element."""
    directions = np.eye(x.size).reshape(x.size, *x.shape)
    return np.array([(f(x + h * e) - f(x - h * e)) / (2 * h) for e in directions]).reshape(x.shape)


PAGE = "foundations/gradient_checking"
THREE, FAR = f"{PAGE}#three-ways-to-measure-a-slope", f"{PAGE}#how-far-off-in-general"
FRACTIONS, MANY = f"{PAGE}#with-exact-fractions", f"{PAGE}#many-inputs-many-outputs"
FOOL = f"{PAGE}#four-ways-to-fool-yourself"

EXERCISES = (
    Exercise(
        name="numerical_gradient",
        title="A gradient checker",
        page=PAGE,
        task="Write the gradient of any function by central differences.",
        hints=(
            "How many times must f be called for a gradient of six elements?",
            "For each element: a copy of x with that element a little higher, one with it a "
            "little lower, and the difference of the two values, divided by the distance.",
            "`np.ndindex(x.shape)` visits all elements of an array of any shape. The distance of "
            "the two points is 2 * h.",
        ),
        functions=(
            Function(
                solution=numerical_gradient,
                reference=book_differences,
                returns=("grad",),
                samples=samples,
                facts=lambda inputs: {"h": inputs["h"], "two_h": 2 * inputs["h"]},
                meanings={"two_h": "2h, the distance of the two points", "h": "h"},
                misconceptions=(
                    Misconception(
                        "a forward difference",
                        forward_difference,
                        "Your difference is between x + h and x. Its error is proportional to h; "
                        "with x − h on the other side it is proportional to h², much smaller.",
                        THREE,
                    ),
                    Misconception(
                        "divided by h, not by 2h",
                        divided_by_h,
                        "Your gradient is exactly twice too large: the two points are 2h apart.",
                        THREE,
                    ),
                    Misconception(
                        "not divided",
                        not_divided,
                        "Your gradient is the difference of the two values. Divide by the distance "
                        "of the points, {two_h}.",
                        THREE,
                    ),
                    Misconception(
                        "half a step, divided by a whole one",
                        half_steps,
                        "Your points are h/2 to each side, but you divide by 2h.",
                        THREE,
                    ),
                    Misconception(
                        "a backward difference",
                        backward_difference,
                        "Your difference is between x and x - h. Its error is proportional to h; "
                        "with x + h on the other side it is proportional to h², much smaller.",
                        THREE,
                    ),
                    Misconception(
                        "one point moved, divided by 2h",
                        one_sided_over_two,
                        "Your difference is between x + h and x, which are h apart, but you "
                        "divide by 2h.",
                        THREE,
                    ),
                    Misconception(
                        "multiplied by h",
                        multiplied_by_h,
                        "Your gradient is h² times what it should be: `/ 2 * h` divides by 2 and "
                        "multiplies by h. Put 2 * h in brackets.",
                        THREE,
                    ),
                    Misconception(
                        "a whole row is moved at once",
                        rows_moved,
                        "Your loop runs over the first axis and moves all of a row: each of its "
                        "elements gets the sum of their gradients. Move one element; "
                        "`np.ndindex(x.shape)` visits all.",
                        MANY,
                    ),
                    Misconception(
                        "a whole column is moved at once",
                        columns_moved,
                        "Your loop runs over the last axis and moves all that has this index: "
                        "each of these elements gets the sum of their gradients. Move one "
                        "element; `np.ndindex(x.shape)` visits all.",
                        MANY,
                    ),
                    Misconception(
                        "the gradient is flat",
                        flattened,
                        "Your gradient has the right numbers in one long row. It should have the "
                        "shape of x.",
                        MANY,
                    ),
                    Misconception(
                        "a second difference",
                        second_difference,
                        "Your numbers are second derivatives: f(x + h) - 2 f(x) + f(x - h), over "
                        "h².",
                        THREE,
                    ),
                    Misconception(
                        "all elements are moved at once",
                        all_moved_at_once,
                        "Your gradient is the same everywhere: it is the slope along (1, 1, …, 1). "
                        "Move one element, and leave the others where they are.",
                        MANY,
                    ),
                    Misconception(
                        "the sign is flipped",
                        turned_round,
                        "Your gradient has the wrong sign: it is f(x + h) minus f(x − h).",
                        THREE,
                    ),
                    Misconception(
                        "x is moved and never put back",
                        left_moved,
                        "Your code moves the elements of x itself and leaves them moved. The "
                        "caller's x is changed, and later elements are measured at another point.",
                        FOOL,
                    ),
                    Misconception(
                        "the moves add up",
                        moves_add_up,
                        "Your elements stay moved while the next ones are measured. Begin with a "
                        "fresh copy of x for each element, or put it back.",
                        FOOL,
                    ),
                    Misconception(
                        "only the first row is measured",
                        first_row_only,
                        "Your gradient is 0 after the first row: the loop runs over one axis only.",
                        MANY,
                    ),
                ),
            ),
        ),
    ),
)
