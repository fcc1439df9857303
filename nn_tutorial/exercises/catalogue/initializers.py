"""How a weight begins: He's and Xavier's initialisers."""

import numpy as np

import nn_tutorial as nt
from nn_tutorial.layers.initializers import fans

from .. import drawn
from ..exercise import Exercise, Function, Misconception, Seed

AFTER = "linear"


def he_normal(shape, rng):
    """He's initialiser: normal numbers that keep the mean square through a ReLU.

    mean 0, variance 2 / n_in, where n_in is how many inputs feed one output:
    I for a linear weight (I, K), C * kh * kw for filters (F, C, kh, kw)

    shape: a tuple of two or four sizes
    rng:   a numpy.random.Generator
    returns weight: an array of this shape
    """
    n_in = shape[0] if len(shape) == 2 else shape[1] * shape[2] * shape[3]
    return rng.standard_normal(shape) * np.sqrt(2 / n_in)


def xavier_uniform(shape, rng):
    """Xavier's initialiser: uniform numbers between -a and a.

    a = sqrt(6 / (n_in + n_out)), where n_in inputs feed one output, and one input feeds n_out:
    I and K for a linear weight (I, K), C * kh * kw and F * kh * kw for filters (F, C, kh, kw)

    shape: a tuple of two or four sizes
    rng:   a numpy.random.Generator
    returns weight: an array of this shape
    """
    area = 1 if len(shape) == 2 else shape[2] * shape[3]
    a = np.sqrt(6 / ((shape[0] + shape[1]) * area))
    return rng.uniform(-a, a, shape)


def he_from_outputs(shape, rng):
    n_out = shape[1] if len(shape) == 2 else shape[0] * shape[2] * shape[3]
    return rng.standard_normal(shape) * np.sqrt(2 / n_out)


def variance_as_deviation(shape, rng):
    n_in = shape[0] if len(shape) == 2 else shape[1] * shape[2] * shape[3]
    return rng.standard_normal(shape) * 2 / n_in


def one_over_n(shape, rng):
    n_in = shape[0] if len(shape) == 2 else shape[1] * shape[2] * shape[3]
    return rng.standard_normal(shape) * np.sqrt(1 / n_in)


def xavier_variance(shape, rng):
    area = 1 if len(shape) == 2 else shape[2] * shape[3]
    return rng.standard_normal(shape) * np.sqrt(2 / ((shape[0] + shape[1]) * area))


def kernel_area_forgotten(shape, rng):
    n_in = shape[0] if len(shape) == 2 else shape[1]
    return rng.standard_normal(shape) * np.sqrt(2 / n_in)


def first_size_always(shape, rng):
    return rng.standard_normal(shape) * np.sqrt(2 / shape[0])


def positive_only(shape, rng):
    n_in = shape[0] if len(shape) == 2 else shape[1] * shape[2] * shape[3]
    return rng.random(shape) * np.sqrt(2 / n_in)


def he_as_uniform(shape, rng):
    n_in = shape[0] if len(shape) == 2 else shape[1] * shape[2] * shape[3]
    return rng.uniform(-1, 1, shape) * np.sqrt(6 / n_in)


def absolute(shape, rng):
    return np.abs(he_normal(shape, rng))


def never_scaled(shape, rng):
    return rng.standard_normal(shape)


def hundredths(shape, rng):
    return 0.01 * rng.standard_normal(shape)


def nothing(shape, rng):
    return np.zeros(shape)


def one_number(shape, rng):
    n_in = shape[0] if len(shape) == 2 else shape[1] * shape[2] * shape[3]
    return np.full(shape, np.sqrt(2 / n_in))


def multiplied_by_the_root(shape, rng):
    n_in = shape[0] if len(shape) == 2 else shape[1] * shape[2] * shape[3]
    return rng.standard_normal(shape) * np.sqrt(n_in / 2)


def two_outside_the_root(shape, rng):
    n_in = shape[0] if len(shape) == 2 else shape[1] * shape[2] * shape[3]
    return rng.standard_normal(shape) * 2 / np.sqrt(n_in)


def all_sizes(shape, rng):
    return rng.standard_normal(shape) * np.sqrt(2 / np.prod(shape))


def last_size_always(shape, rng):
    return rng.standard_normal(shape) * np.sqrt(2 / shape[-1])


def second_size_always(shape, rng):
    return rng.standard_normal(shape) * np.sqrt(2 / shape[1])


def between_one_and_minus_one(shape, rng):
    return rng.uniform(-1, 1, shape)


def normal_of_the_right_width(shape, rng):
    area = 1 if len(shape) == 2 else shape[2] * shape[3]
    return rng.standard_normal(shape) * np.sqrt(2 / ((shape[0] + shape[1]) * area))


def three_for_six(shape, rng):
    return xavier_uniform(shape, rng) / np.sqrt(2)


def outputs_alone(shape, rng):
    n_out = shape[1] if len(shape) == 2 else shape[0] * shape[2] * shape[3]
    a = np.sqrt(6 / n_out)
    return rng.uniform(-a, a, shape)


def outputs_without_area(shape, rng):
    area = 1 if len(shape) == 2 else shape[2] * shape[3]
    a = np.sqrt(6 / (shape[0] + shape[1] * area))
    return rng.uniform(-a, a, shape)


def half_of_the_sum(shape, rng):
    return xavier_uniform(shape, rng) * np.sqrt(2)


def bound_as_deviation(shape, rng):
    area = 1 if len(shape) == 2 else shape[2] * shape[3]
    return rng.standard_normal(shape) * np.sqrt(6 / ((shape[0] + shape[1]) * area))


def deviation_as_bound(shape, rng):
    area = 1 if len(shape) == 2 else shape[2] * shape[3]
    a = np.sqrt(2 / ((shape[0] + shape[1]) * area))
    return rng.uniform(-a, a, shape)


def one_sided(shape, rng):
    area = 1 if len(shape) == 2 else shape[2] * shape[3]
    return rng.random(shape) * np.sqrt(6 / ((shape[0] + shape[1]) * area))


def inputs_alone(shape, rng):
    n_in = shape[0] if len(shape) == 2 else shape[1] * shape[2] * shape[3]
    a = np.sqrt(6 / n_in)
    return rng.uniform(-a, a, shape)


def area_left_out(shape, rng):
    a = np.sqrt(6 / (shape[0] + shape[1]))
    return rng.uniform(-a, a, shape)


def no_root(shape, rng):
    area = 1 if len(shape) == 2 else shape[2] * shape[3]
    a = 6 / ((shape[0] + shape[1]) * area)
    return rng.uniform(-a, a, shape)


# Seeds of two generators whose first numbers agree in 16 of their bits, and whose others do not.
# Code that draws one number and seeds a generator with a small one made of it gives the same
# weight twice.
FIRST_ALIKE = 149258, 170702


def samples(rng):
    shapes = [(90, 110), (300, 70), (50, 30, 3, 5), (20, 70, 3, 3), (60, 400), (35, 11, 5, 5)]
    found = [{"shape": s, "rng": Seed(int(rng.integers(1 << 30)))} for s in shapes]
    # Equal shapes: with the same seed, and with two others. See not_from_generator.
    found[1]["rng"], other = map(Seed, FIRST_ALIKE)
    return [*found, dict(found[0]), {"shape": shapes[1], "rng": other}]


def facts(inputs):
    n_in, n_out = fans(inputs["shape"])
    return {"n_in": n_in, "n_out": n_out}


def random_weight(solution, reference, law, draw, misconceptions):
    """An exercise's function whose answer is random: how its numbers are spread is compared."""
    return Function(
        solution=solution,
        reference=lambda shape, rng: reference(shape, rng=rng, dtype=np.float64),
        returns=("weight",),
        samples=samples,
        misconceptions=misconceptions,
        judged=drawn.JUDGED,
        judge=drawn.spread,
        verdicts=drawn.verdicts(law, draw),
        tolerance=0.05,
        facts=facts,
    )


START = "layers/linear#how-large-should-the-first-weights-be"
MEASURED = "layers/linear#twenty-layers-measured"

EXERCISES = (
    Exercise(
        name="he_normal",
        title="He's initialiser",
        page="layers/linear",
        task="Draw a weight whose variance is right for a network with ReLUs.",
        hints=(
            "How many numbers are added up for one output? What does that do to the variance?",
            "A number with variance 1, times s, has the variance s². Which s gives 2 / n_in?",
            "`rng.standard_normal(shape)` has variance 1; multiply by the square root of 2 / n_in. "
            "For filters, n_in counts the channels and the pixels of the kernel.",
        ),
        functions=(
            random_weight(
                he_normal,
                nt.he_normal,
                "normal",
                "rng.standard_normal",
                (
                    Misconception(
                        "outputs counted instead of inputs",
                        he_from_outputs,
                        "Your variance is 2 / {n_out}, and {n_out} is how many outputs one input "
                        "feeds. One output adds up {n_in} inputs: that is what has to be undone.",
                        START,
                    ),
                    Misconception(
                        "the variance taken for the standard deviation",
                        variance_as_deviation,
                        "Your standard deviation is 2 / n_in; that is the variance. Take the root.",
                        START,
                    ),
                    Misconception(
                        "the 2 is forgotten",
                        one_over_n,
                        "Your variance is 1 / n_in. A ReLU halves the mean square, which is why He "
                        "puts a 2 there.",
                        START,
                    ),
                    Misconception(
                        "Xavier's variance",
                        xavier_variance,
                        "Your variance is 2 / (n_in + n_out): that is Xavier's, made for layers "
                        "without a ReLU.",
                        MEASURED,
                    ),
                    Misconception(
                        "the kernel's pixels are not counted",
                        kernel_area_forgotten,
                        "Your filters' weights are too large: one output adds up channels times "
                        "pixels, here {n_in} numbers, and you have counted the channels alone.",
                        START,
                    ),
                    Misconception(
                        "the first size is always taken",
                        first_size_always,
                        "Your filters use the first size, which is the number of filters. For a "
                        "linear weight the first size is n_in, for filters it is not.",
                        START,
                    ),
                    Misconception(
                        "all weights are positive",
                        positive_only,
                        "Your weights lie between 0 and a bound, so their mean is not 0 and the "
                        "activations grow layer by layer.",
                        START,
                    ),
                    Misconception(
                        "no weight is negative",
                        absolute,
                        "Your weights have the tails of normal numbers and no negative one: is "
                        "the absolute value taken? Their mean is not 0.",
                        START,
                    ),
                    Misconception(
                        "never scaled",
                        never_scaled,
                        "Your standard deviation is 1 for every shape: the numbers are drawn, and "
                        "not multiplied by the root of 2 / n_in.",
                        START,
                    ),
                    Misconception(
                        "a hundredth for every shape",
                        hundredths,
                        "Your standard deviation is 0.01 for every shape. It should follow from "
                        "n_in, here {n_in}.",
                        START,
                    ),
                    Misconception(
                        "all weights are 0",
                        nothing,
                        "Your weights are all 0. If you draw them, look at the factor: `2 // "
                        "n_in` and `int(...)` are whole numbers, and 0 here.",
                        START,
                    ),
                    Misconception(
                        "all weights are one number",
                        one_number,
                        "Your weights are all the same, the standard deviation itself. Multiply "
                        "random numbers by it.",
                        START,
                    ),
                    Misconception(
                        "multiplied where it should be divided",
                        multiplied_by_the_root,
                        "Your standard deviation is the root of n_in / 2: the fraction is the "
                        "wrong way round.",
                        START,
                    ),
                    Misconception(
                        "the 2 is outside the root",
                        two_outside_the_root,
                        "Your standard deviation is 2 / √n_in, which is √2 times too large: the 2 "
                        "belongs under the root.",
                        START,
                    ),
                    Misconception(
                        "all sizes are multiplied",
                        all_sizes,
                        "Your n_in is the number of all weights. It counts the inputs of one "
                        "output, here {n_in}.",
                        START,
                    ),
                    Misconception(
                        "the last size is always taken",
                        last_size_always,
                        "Your n_in is the last size of the shape: n_out for a linear weight, and "
                        "the kernel's width for filters.",
                        START,
                    ),
                    Misconception(
                        "the second size is always taken",
                        second_size_always,
                        "Your n_in is the second size of the shape: n_out for a linear weight, "
                        "and the channels without the pixels for filters.",
                        START,
                    ),
                    Misconception(
                        "uniform instead of normal",
                        he_as_uniform,
                        "Your variance is right, but the numbers are uniform: no tails. That is "
                        "He's other initialiser; this one is normal.",
                        START,
                    ),
                ),
            ),
        ),
    ),
    Exercise(
        name="xavier_uniform",
        title="Xavier's initialiser",
        page="layers/linear",
        task="Draw a weight for a linear or a tanh layer: a compromise between keeping the size of "
        "the activations and that of the gradients.",
        hints=(
            "The variance of numbers that are uniform between −a and a is a² / 3. Which a gives "
            "the variance 2 / (n_in + n_out)?",
            "n_in is about the forward pass, n_out about the backward pass: for filters both "
            "count the kernel's pixels.",
            "a is the square root of 6 / (n_in + n_out), and `rng.uniform(-a, a, shape)` draws.",
        ),
        functions=(
            random_weight(
                xavier_uniform,
                nt.xavier_uniform,
                "uniform",
                "rng.uniform",
                (
                    Misconception(
                        "normal numbers with the bound as their width",
                        bound_as_deviation,
                        "Your numbers are normal with standard deviation a. They should be uniform "
                        "between −a and a, whose standard deviation is a / √3.",
                        START,
                    ),
                    Misconception(
                        "the standard deviation taken for the bound",
                        deviation_as_bound,
                        "Your bound is √(2 / (n_in + n_out)), the standard deviation that is "
                        "wanted. Uniform numbers reach √3 times as far: the bound has a 6.",
                        START,
                    ),
                    Misconception(
                        "normal instead of uniform",
                        normal_of_the_right_width,
                        "Your standard deviation is right, but the numbers are normal: they have "
                        "tails. Uniform numbers between −a and a are asked for.",
                        START,
                    ),
                    Misconception(
                        "3 instead of 6",
                        three_for_six,
                        "Your bound is √2 times too small: a² is 6 / (n_in + n_out).",
                        START,
                    ),
                    Misconception(
                        "a mean of inputs and outputs",
                        half_of_the_sum,
                        "Your bound is √2 times too large: a² is 6 over the sum of n_in and "
                        "n_out, not over their mean.",
                        START,
                    ),
                    Misconception(
                        "outputs counted alone",
                        outputs_alone,
                        "Your bound uses n_out alone, here {n_out}. Xavier's adds n_in, here "
                        "{n_in}.",
                        START,
                    ),
                    Misconception(
                        "the kernel's pixels counted on one side",
                        outputs_without_area,
                        "Your bound counts the kernel's pixels for one of n_in and n_out only. "
                        "Both count them.",
                        START,
                    ),
                    Misconception(
                        "the bound is 1",
                        between_one_and_minus_one,
                        "Your weights lie between -1 and 1 for every shape. The bound is the root "
                        "of 6 / (n_in + n_out).",
                        START,
                    ),
                    Misconception(
                        "from 0 instead of −a",
                        one_sided,
                        "Your weights lie between 0 and a. Half of them should be negative.",
                        START,
                    ),
                    Misconception(
                        "inputs counted alone",
                        inputs_alone,
                        "Your bound uses n_in alone, here {n_in}. Xavier's is a compromise between "
                        "forward and backward, and adds n_out, here {n_out}.",
                        START,
                    ),
                    Misconception(
                        "the kernel's pixels are not counted",
                        area_left_out,
                        "Your filters' weights are too large: n_in and n_out count the pixels of "
                        "the kernel as well.",
                        START,
                    ),
                    Misconception(
                        "no root",
                        no_root,
                        "Your bound is 6 / (n_in + n_out), without the root.",
                        START,
                    ),
                ),
            ),
        ),
    ),
)
