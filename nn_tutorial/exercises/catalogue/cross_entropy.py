"""Cross-entropy: of probabilities, and fused with softmax."""

import math
from functools import partial

import numpy as np

from nn_tutorial.layers import losses

from ..exercise import Exercise, Function, Misconception

AFTER = "softmax"


def cross_entropy(probabilities, labels):
    """Mean negative log-likelihood of the labels.

    L = -(1/N) sum_n log p[n, labels[n]], with the natural logarithm.

    probabilities: (N, C), one distribution per row; the labels' are never 0 here
    labels: (N,), the true classes, integers from 0 to C - 1
    returns loss: one number

    Floats keep their dtype: float32 in, float32 out.
    """
    rows = np.arange(len(labels))
    return -np.log(probabilities[rows, labels]).mean()


def cross_entropy_backward(dy, probabilities, labels):
    """Gradient of cross_entropy with respect to the probabilities.

    dL/dp[n, k] = -dy / (N p[n, k]) where k is the label of row n, and 0 elsewhere.

    dy: the upstream gradient of the loss, one number
    probabilities, labels: as in the forward pass, (N, C) and (N,)
    returns dprobabilities: (N, C), the dtype of probabilities
    """
    rows = np.arange(len(labels))
    p = probabilities[rows, labels]
    dprobabilities = np.zeros_like(probabilities)
    dprobabilities[rows, labels] = -dy / (len(labels) * p)
    return dprobabilities


def softmax_cross_entropy(logits, labels):
    """Softmax and cross-entropy in one, with their gradient.

    L = (1/N) sum_n (log sum_j exp(x[n, j]) - x[n, labels[n]])
    dL/dx[n, k] = (p[n, k] - [k is labels[n]]) / N, with p the softmax of x.

    Scores of 1000 and of -1000 must do no harm, even where the label's probability becomes 0.

    logits: the scores x, (N, C)
    labels: (N,), the true classes, integers from 0 to C - 1
    returns loss: one number
            dlogits: (N, C), the dtype of logits
    """
    rows = np.arange(len(labels))
    shifted = logits - logits.max(axis=1, keepdims=True)
    e = np.exp(shifted)
    total = e.sum(axis=1, keepdims=True)
    loss = (np.log(total[:, 0]) - shifted[rows, labels]).mean()
    dlogits = e / total
    dlogits[rows, labels] -= 1
    return loss, dlogits / len(labels)


def of_labels(probabilities, labels):
    return probabilities[np.arange(len(labels)), labels]


def ones_at(labels, like):
    return np.eye(like.shape[1], dtype=like.dtype)[labels]


def summed(probabilities, labels):
    return -np.log(of_labels(probabilities, labels)).sum()


def divided_twice(probabilities, labels):
    return -np.log(of_labels(probabilities, labels)).mean() / len(labels)


def divided_by_classes(probabilities, labels):
    return -(ones_at(labels, probabilities) * np.log(probabilities)).mean()


def no_minus(probabilities, labels):
    return np.log(of_labels(probabilities, labels)).mean()


def base_two(probabilities, labels):
    return -np.log2(of_labels(probabilities, labels)).mean()


def base_ten(probabilities, labels):
    return -np.log10(of_labels(probabilities, labels)).mean()


def all_classes(probabilities, labels):
    return -np.log(probabilities).sum(axis=1).mean()


def no_logarithm(probabilities, labels):
    return -of_labels(probabilities, labels).mean()


def logarithm_of_the_mean(probabilities, labels):
    return -np.log(of_labels(probabilities, labels).mean())


def entropy(probabilities, labels):
    return -(probabilities * np.log(probabilities)).sum(axis=1).mean()


def squared_distance(probabilities, labels):
    return ((1 - of_labels(probabilities, labels)) ** 2).mean()


def of_the_likeliest(probabilities, labels):
    return -np.log(probabilities.max(axis=1)).mean()


def of_the_others(probabilities, labels):
    return -np.log(1 - of_labels(probabilities, labels)).mean()


def for_and_against(probabilities, labels):
    true = ones_at(labels, probabilities)
    each = true * np.log(probabilities) + (1 - true) * np.log(1 - probabilities)
    return -each.sum(axis=1).mean()


def perplexity(probabilities, labels):
    return np.exp(-np.log(of_labels(probabilities, labels)).mean())


def kept_for_each_row(probabilities, labels):
    return -np.log(of_labels(probabilities, labels))


def labels_of_all_rows(probabilities, labels):
    return -np.log(probabilities[:, labels]).mean()


def labels_of_all_rows_summed(probabilities, labels):
    return -np.log(probabilities[:, labels]).sum() / len(labels)


def labels_from_one(probabilities, labels):
    return -np.log(of_labels(probabilities, labels - 1)).mean()


def softmax_first(probabilities, labels):
    e = np.exp(probabilities)
    return -np.log(of_labels(e / e.sum(axis=1, keepdims=True), labels)).mean()


def slope_not_divided(dy, probabilities, labels):
    return -dy * ones_at(labels, probabilities) / probabilities


def slope_divided_twice(dy, probabilities, labels):
    return -dy * ones_at(labels, probabilities) / probabilities / len(labels) ** 2


def slope_without_minus(dy, probabilities, labels):
    return dy * ones_at(labels, probabilities) / probabilities / len(labels)


def slope_of_logits(dy, probabilities, labels):
    return dy * (probabilities - ones_at(labels, probabilities)) / len(labels)


def slope_of_all_classes(dy, probabilities, labels):
    return -dy / probabilities / len(labels)


def slope_without_dy(dy, probabilities, labels):
    return -ones_at(labels, probabilities) / probabilities / len(labels)


def slope_without_p(dy, probabilities, labels):
    return -dy * ones_at(labels, probabilities) / len(labels)


def slope_times_p(dy, probabilities, labels):
    return -dy * ones_at(labels, probabilities) * probabilities / len(labels)


def slope_at_label_only_of_p(dy, probabilities, labels):
    return dy * (ones_at(labels, probabilities) - probabilities) / len(labels)


def slope_of_logarithm(dy, probabilities, labels):
    return -dy * ones_at(labels, probabilities) * np.log(probabilities) / len(labels)


def slope_squared(dy, probabilities, labels):
    return -dy * ones_at(labels, probabilities) / probabilities**2 / len(labels)


def slope_averaged_over_classes(dy, probabilities, labels):
    return -dy * ones_at(labels, probabilities) / probabilities / probabilities.size


def slope_in_all_rows(dy, probabilities, labels):
    read = np.zeros_like(probabilities)
    read[:, labels] = 1
    return -dy * read / probabilities / len(labels)


def fused(logits, labels):
    shifted = logits - logits.max(axis=1, keepdims=True)
    total = np.exp(shifted).sum(axis=1, keepdims=True)
    p = np.exp(shifted) / total
    loss = (np.log(total[:, 0]) - of_labels(shifted, labels)).mean()
    return loss, p, p - ones_at(labels, p)


def dlogits_not_divided(logits, labels):
    loss, _, difference = fused(logits, labels)
    return loss, difference


def dlogits_divided_twice(logits, labels):
    loss, _, difference = fused(logits, labels)
    return loss, difference / len(labels) ** 2


def dlogits_averaged(logits, labels):
    loss, _, difference = fused(logits, labels)
    return loss, difference / difference.size


def dlogits_turned(logits, labels):
    loss, _, difference = fused(logits, labels)
    return loss, -difference / len(labels)


def dlogits_without_one(logits, labels):
    loss, p, _ = fused(logits, labels)
    return loss, p / len(labels)


def dlogits_one_in_all_rows(logits, labels):
    loss, p, _ = fused(logits, labels)
    p[:, labels] -= 1
    return loss, p / len(labels)


def dlogits_of_probabilities(logits, labels):
    loss, p, _ = fused(logits, labels)
    return loss, -ones_at(labels, p) / p / len(labels)


def loss_summed(logits, labels):
    loss, _, difference = fused(logits, labels)
    return loss * len(labels), difference / len(labels)


def loss_over_classes(logits, labels):
    loss, _, difference = fused(logits, labels)
    return loss / logits.shape[1], difference / len(labels)


def loss_read_too_late(logits, labels):
    _, _, difference = fused(logits, labels)
    return -np.log(np.abs(of_labels(difference, labels))).mean(), difference / len(labels)


def loss_of_p(logits, labels):
    _, p, difference = fused(logits, labels)
    return -of_labels(p, labels).mean(), difference / len(labels)


def small_number_added(logits, labels, smallest=1e-9):
    _, p, difference = fused(logits, labels)
    return -np.log(of_labels(p, labels) + smallest).mean(), difference / len(labels)


def small_number_is_the_least(logits, labels, smallest=1e-9):
    _, p, difference = fused(logits, labels)
    return -np.log(np.maximum(of_labels(p, labels), smallest)).mean(), difference / len(labels)


def of_the_winner(logits, labels):
    loss, _, difference = fused(logits, logits.argmax(axis=1))
    return loss, difference / len(labels)


def subtracted(of, logits, labels):
    """Another number of each row than its largest is taken away before the exponential."""
    e = np.exp(logits - of(logits, axis=1, keepdims=True))
    p = e / e.sum(axis=1, keepdims=True)
    return -np.log(of_labels(p, labels)).mean(), (p - ones_at(labels, p)) / len(labels)


def subtracted_in_logarithms(of, logits, labels):
    shifted = logits - of(logits, axis=1, keepdims=True)
    log_p = shifted - np.log(np.exp(shifted).sum(axis=1, keepdims=True))
    return -of_labels(log_p, labels).mean(), (np.exp(log_p) - ones_at(labels, log_p)) / len(labels)


def maximum_of_all(logits, labels):
    e = np.exp(logits - logits.max())
    p = e / e.sum(axis=1, keepdims=True)
    return -np.log(of_labels(p, labels)).mean(), (p - ones_at(labels, p)) / len(labels)


def maximum_of_all_in_logarithms(logits, labels):
    shifted = logits - logits.max()
    log_p = shifted - np.log(np.exp(shifted).sum(axis=1, keepdims=True))
    return -of_labels(log_p, labels).mean(), (np.exp(log_p) - ones_at(labels, log_p)) / len(labels)


def sum_in_both(logits, labels):
    loss, _, difference = fused(logits, labels)
    return loss * len(labels), difference


def no_minus_in_the_loss(logits, labels):
    loss, _, difference = fused(logits, labels)
    return -loss, difference / len(labels)


def no_maximum(logits, labels):
    e = np.exp(logits)
    p = e / e.sum(axis=1, keepdims=True)
    loss = (np.log(e.sum(axis=1)) - of_labels(logits, labels)).mean()
    return loss, (p - ones_at(labels, p)) / len(labels)


def logarithm_of_p(logits, labels):
    _, p, difference = fused(logits, labels)
    return -np.log(of_labels(p, labels)).mean(), difference / len(labels)


def softmax_twice(logits, labels):
    _, p, _ = fused(logits, labels)
    loss, _, difference = fused(p, labels)
    return loss, difference / len(labels)


def over_the_batch(logits, labels):
    shifted = logits - logits.max(axis=0)
    total = np.exp(shifted).sum(axis=0)
    loss = -of_labels(shifted - np.log(total), labels).mean()
    return loss, (np.exp(shifted) / total - ones_at(labels, logits)) / len(labels)


def counted_from_one(logits, labels):
    loss, _, difference = fused(logits, labels - 1)
    return loss, difference / len(labels)


def with_labels(rng, n, c):
    """Scores, and labels that hold each class's number at least once where there is room."""
    return rng.standard_normal((n, c)), rng.permutation(np.arange(n) % c)


def softmax_of(logits):
    e = np.exp(logits)
    return e / e.sum(axis=1, keepdims=True)


SHAPES = ((5, 3), (3, 7), (7, 5), (11, 2))
SPECIAL = ((3, 3), (1, 3), (1, 4))


def loss_samples(rng):
    samples = [(np.log([[1.0, 2.0, 3.0], [1.0, 1.0, 2.0]]), np.array([2, 0]))]
    samples += [with_labels(rng, n, c) for n, c in SHAPES]
    faint, t = with_labels(rng, 4, 3)
    faint[np.arange(4), t] -= [4, 8, 14, 1]  # labels of small probability
    samples += [(faint, t), *(with_labels(rng, n, c) for n, c in SPECIAL)]
    return [{"probabilities": softmax_of(x), "labels": t} for x, t in samples]


def gradient_samples(rng):
    dys = (3.0, -0.5, 2.5, -1.7, -0.3, 0.7, -1.2, 0.9, -2.0)
    return [{"dy": dy} | sample for dy, sample in zip(dys, loss_samples(rng), strict=True)]


def fused_samples(rng):
    samples = [with_labels(rng, n, c) for n, c in SHAPES]
    samples[1][0][:] += 1000  # too large for exp
    samples[2][0][::2, 0] += 1500  # and far apart: the other classes get probability 0
    by_hand = {"logits": np.log([[1.0, 2.0, 3.0], [1.0, 1.0, 2.0]]), "labels": np.array([2, 0])}
    sure, t = with_labels(rng, 4, 3)
    sure[np.arange(4), t] += 900
    samples.append((sure, t))
    for n, c in ((3, 5), (4, 3)):  # rows, and numbers of a row, that are far apart
        x, t = with_labels(rng, n, c)
        x[:, 0] += 1000
        x[:, 1] -= 1000
        x[0] -= 3000
        samples.append((x, t))
    samples += [with_labels(rng, n, c) for n, c in SPECIAL]
    return [by_hand, *({"logits": x, "labels": t} for x, t in samples)]


LOSS = "layers/cross_entropy#from-likelihood-to-loss"
GRADIENT = "layers/cross_entropy#the-gradient-from-one-number-to-the-batch"
BY_HAND = "layers/cross_entropy#two-rows-by-hand"
FUSION = "layers/cross_entropy#what-the-fusion-saves-and-what-it-does-not"
WRONG = "layers/cross_entropy#six-ways-to-get-it-wrong"
SOFTMAX_WRONG = "layers/softmax#five-ways-to-get-it-wrong"

SMALL = tuple(
    partial(of, smallest=k)
    for k in (1e-15, 1e-12, 1e-10, 1e-9, 1e-8, 1e-7, 1e-6, 1e-5)
    for of in (small_number_added, small_number_is_the_least)
)
AXES = {"N": "the batch size", "C": "the number of classes"}

EXERCISES = (
    Exercise(
        name="cross_entropy",
        title="Cross-entropy of probabilities",
        page="layers/cross_entropy",
        task="Write the cross-entropy of probabilities and true classes, and its gradient with "
        "respect to the probabilities.",
        hints=(
            "How many of the N times C probabilities does the loss read?",
            "One per row, that of the label. The loss is the mean of their negative logarithms, so "
            "each row's share in it is one N-th, in the gradient as well.",
            "`p[np.arange(N), labels]` reads one element of each row, and the same on the left of "
            "an equals sign writes them. The slope of -log p is -1/p.",
        ),
        functions=(
            Function(
                solution=cross_entropy,
                reference=lambda probabilities, labels: losses.cross_entropy(probabilities, labels)[
                    0
                ],
                returns=("loss",),
                samples=loss_samples,
                axes={"probabilities": "N C"},
                facts=lambda inputs: {"bits": 1 / math.log(2), "digits": 1 / math.log(10)},
                meanings=AXES,
                misconceptions=(
                    Misconception(
                        "the sum instead of the mean",
                        summed,
                        "Your loss is exactly {N} times too large, and {N} is the batch size: the "
                        "loss is the mean over the examples, not their sum.",
                        LOSS,
                    ),
                    Misconception(
                        "divided by the batch size twice",
                        divided_twice,
                        "Your loss is exactly {N} times too small, and {N} is the batch size. "
                        "`mean` has divided already.",
                        GRADIENT,
                    ),
                    Misconception(
                        "divided by the number of classes as well",
                        divided_by_classes,
                        "Your loss is exactly {C} times too small, and {C} is the number of "
                        "classes: a mean over the whole (N, C) table divides by N times C. Only "
                        "the N examples count.",
                        WRONG,
                    ),
                    Misconception(
                        "the minus is missing",
                        no_minus,
                        "Your loss is negative. Logarithms of probabilities are never above 0; "
                        "the minus makes the loss a price, which is small where the answer is "
                        "good.",
                        LOSS,
                    ),
                    Misconception(
                        "logarithm to base 2",
                        base_two,
                        "Your loss is in bits, {bits} times too large: the logarithm is the "
                        "natural one, `np.log`, whose slope is 1/p without a factor.",
                        LOSS,
                    ),
                    Misconception(
                        "logarithm to base 10",
                        base_ten,
                        "Your loss is {digits} times what it should be: the logarithm is the "
                        "natural one, `np.log`, whose slope is 1/p without a factor.",
                        LOSS,
                    ),
                    Misconception(
                        "the logarithms of all classes summed",
                        all_classes,
                        "Your loss adds the logarithms of all {C} classes, so it does not depend "
                        "on the labels. Only the probability of what did happen counts, one per "
                        "row.",
                        LOSS,
                    ),
                    Misconception(
                        "the logarithm is missing",
                        no_logarithm,
                        "Your loss is minus the mean probability of the labels. The price is the "
                        "negative logarithm: likelihoods multiply, and logarithms turn the product "
                        "into a sum.",
                        LOSS,
                    ),
                    Misconception(
                        "the logarithm of the mean",
                        logarithm_of_the_mean,
                        "You average the probabilities and then take the logarithm. Each example "
                        "pays for itself: first the logarithms, then their mean.",
                        LOSS,
                    ),
                    Misconception(
                        "the entropy of the probabilities",
                        entropy,
                        "Your loss is the entropy of the probabilities, minus the sum of p log p: "
                        "it does not depend on the labels.",
                        LOSS,
                    ),
                    Misconception(
                        "a squared distance",
                        squared_distance,
                        "Your loss is the mean of (1 - p)² at the labels. The cross-entropy is "
                        "the mean of -log p.",
                        LOSS,
                    ),
                    Misconception(
                        "the likeliest class instead of the label",
                        of_the_likeliest,
                        "Your loss reads the largest probability of each row, whatever the label "
                        "is. Read that of the label.",
                        LOSS,
                    ),
                    Misconception(
                        "1 - p instead of p",
                        of_the_others,
                        "Your loss is the mean of -log(1 - p). It is -log p: small where p is "
                        "near 1.",
                        LOSS,
                    ),
                    Misconception(
                        "a term for the classes that are not true",
                        for_and_against,
                        "Your loss also adds -log(1 - p) for the classes that are not true: that "
                        "is the loss of a yes or no for each class. Here the probabilities of a "
                        "row sum to 1, and one is read.",
                        LOSS,
                    ),
                    Misconception(
                        "an exponential at the end",
                        perplexity,
                        "Your loss is e to the power of what was asked for, which is called the "
                        "perplexity.",
                        LOSS,
                    ),
                    Misconception(
                        "no mean over the rows",
                        kept_for_each_row,
                        "Your loss is an array of {N} numbers, one for each row. The loss is "
                        "their mean.",
                        LOSS,
                    ),
                    Misconception(
                        "the labels of all rows read in each row",
                        labels_of_all_rows,
                        "`probabilities[:, labels]` reads the labels of all rows in every row, an "
                        "array of {N} times {N}. One element per row is "
                        "`probabilities[np.arange(N), labels]`.",
                        WRONG,
                        also=(labels_of_all_rows_summed,),
                    ),
                    Misconception(
                        "labels counted from 1",
                        labels_from_one,
                        "You read the class before the label. Labels run from 0, and −1 is a legal "
                        "index, the last class, so nothing fails.",
                        WRONG,
                    ),
                    Misconception(
                        "softmax taken once more",
                        softmax_first,
                        "You take the softmax of the probabilities. They are one already: a second "
                        "softmax draws them towards each other, and the loss can never get near 0.",
                        SOFTMAX_WRONG,
                    ),
                ),
            ),
            Function(
                solution=cross_entropy_backward,
                reference=lambda dy, probabilities, labels: losses.cross_entropy_backward(
                    dy, losses.CrossEntropyCache(probabilities, labels)
                ),
                returns=("dprobabilities",),
                samples=gradient_samples,
                axes={"probabilities": "N C"},
                meanings=AXES,
                misconceptions=(
                    Misconception(
                        "the gradient not divided by the batch size",
                        slope_not_divided,
                        "Your dprobabilities is exactly {N} times too large, and {N} is the batch "
                        "size: the loss is a mean, so each example's share in it is one N-th.",
                        GRADIENT,
                    ),
                    Misconception(
                        "the gradient divided by the batch size twice",
                        slope_divided_twice,
                        "Your dprobabilities is exactly {N} times too small, and {N} is the batch "
                        "size. The mean divides once.",
                        GRADIENT,
                    ),
                    Misconception(
                        "the gradient without its minus",
                        slope_without_minus,
                        "Your dprobabilities has the wrong sign. Raising the label's probability "
                        "lowers the loss, so where dy is positive the gradient is negative.",
                        GRADIENT,
                    ),
                    Misconception(
                        "the gradient of the logits",
                        slope_of_logits,
                        "Your gradient is dy (p − T) / N, that of the scores before the softmax. "
                        "The gradient of the probabilities is asked for, before it goes through "
                        "the softmax: −dy / (N p) at the label, 0 elsewhere.",
                        BY_HAND,
                    ),
                    Misconception(
                        "a gradient for all classes",
                        slope_of_all_classes,
                        "Your gradient has no 0. The loss reads one probability per row, that of "
                        "the label. The others have no effect on it, and gradient 0.",
                        BY_HAND,
                    ),
                    Misconception(
                        "dy is forgotten",
                        slope_without_dy,
                        "Your gradient is that of the loss itself, as if dy were 1. The chain rule "
                        "multiplies it by dy.",
                        GRADIENT,
                    ),
                    Misconception(
                        "not divided by the probability",
                        slope_without_p,
                        "Your gradient is the same number for every label. The slope of −log p is "
                        "−1/p: the smaller the probability, the larger the gradient.",
                        GRADIENT,
                    ),
                    Misconception(
                        "multiplied by the probability",
                        slope_times_p,
                        "You multiply by the probability where you should divide. The slope of "
                        "−log p is −1/p: a confident mistake sends a large gradient.",
                        GRADIENT,
                    ),
                    Misconception(
                        "the gradient of the logits, with the sign flipped",
                        slope_at_label_only_of_p,
                        "Your gradient is dy (T - p) / N: that of the scores, and with the wrong "
                        "sign. That of the probabilities is asked for: -dy / (N p) at the label, 0 "
                        "elsewhere.",
                        BY_HAND,
                    ),
                    Misconception(
                        "the logarithm in the gradient",
                        slope_of_logarithm,
                        "Your gradient holds log p. The slope of -log p is -1/p.",
                        GRADIENT,
                    ),
                    Misconception(
                        "divided by the square of the probability",
                        slope_squared,
                        "Your gradient divides by p twice. The slope of -log p is -1/p.",
                        GRADIENT,
                    ),
                    Misconception(
                        "the gradient divided by the number of classes as well",
                        slope_averaged_over_classes,
                        "Your dprobabilities is exactly {C} times too small, and {C} is the "
                        "number of classes. The loss is a mean over the {N} examples alone.",
                        GRADIENT,
                    ),
                    Misconception(
                        "the labels of all rows written in each row",
                        slope_in_all_rows,
                        "Each row of your gradient has a slope at the labels of all rows: an index "
                        "`[:, labels]` means every row. One element per row is `[np.arange(N), "
                        "labels]`.",
                        WRONG,
                    ),
                ),
            ),
        ),
    ),
    Exercise(
        name="softmax_cross_entropy",
        title="Softmax and cross-entropy in one",
        page="layers/cross_entropy",
        task="Write the cross-entropy of scores, with the softmax inside, and its gradient with "
        "respect to the scores.",
        hints=(
            "What is the logarithm of a softmax, if you write it as a difference?",
            "It is the score less the logarithm of the sum of the exponentials. Subtract the "
            "largest score of the row from both. The gradient is what was predicted less what was "
            "true.",
            "With `shifted` for the scores less their row's maximum, a row's loss is "
            "`np.log(np.exp(shifted).sum())` less the label's `shifted`. Subtract 1 from the "
            "probabilities at `[np.arange(N), labels]`, and divide by N once.",
        ),
        functions=(
            Function(
                solution=softmax_cross_entropy,
                reference=losses.softmax_cross_entropy,
                returns=("loss", "dlogits"),
                samples=fused_samples,
                axes={"logits": "N C"},
                meanings=AXES,
                misconceptions=(
                    Misconception(
                        "dlogits not divided by the batch size",
                        dlogits_not_divided,
                        "Your dlogits is exactly {N} times too large, and {N} is the batch size: "
                        "the loss is a mean, so its gradient is (p − T) / N.",
                        GRADIENT,
                    ),
                    Misconception(
                        "dlogits divided by the batch size twice",
                        dlogits_divided_twice,
                        "Your dlogits is exactly {N} times too small, and {N} is the batch size. "
                        "The mean divides once, and no layer below divides again.",
                        GRADIENT,
                    ),
                    Misconception(
                        "dlogits divided by the number of classes as well",
                        dlogits_averaged,
                        "Your dlogits is exactly {C} times too small, and {C} is the number of "
                        "classes. The loss is a mean over the {N} examples, not over all elements.",
                        WRONG,
                    ),
                    Misconception(
                        "dlogits with the sign flipped",
                        dlogits_turned,
                        "Your dlogits has the wrong sign: it is what was true less what was "
                        "predicted. A step against it would make the network worse. The gradient "
                        "is (p − T) / N.",
                        GRADIENT,
                    ),
                    Misconception(
                        "no 1 subtracted at the label",
                        dlogits_without_one,
                        "Your dlogits is p / N: no element is negative, so every score would be "
                        "pushed down, the right one too. Subtract 1 from the label's probability "
                        "before you divide; each row then sums to 0.",
                        GRADIENT,
                    ),
                    Misconception(
                        "1 subtracted at the labels of all rows",
                        dlogits_one_in_all_rows,
                        "You subtract 1 in every row at the labels of all rows: that is what `[:, "
                        "labels]` means. One element per row is `[np.arange(N), labels]`.",
                        WRONG,
                    ),
                    Misconception(
                        "the gradient of the probabilities",
                        dlogits_of_probabilities,
                        "Your dlogits is −1 / (N p) at the label and 0 elsewhere: the gradient of "
                        "the probabilities. It still has to go through the softmax, where the "
                        "probability cancels and (p − T) / N remains.",
                        GRADIENT,
                    ),
                    Misconception(
                        "the loss is a sum",
                        loss_summed,
                        "Your loss is exactly {N} times too large, and {N} is the batch size: it "
                        "is a sum. Take the mean.",
                        LOSS,
                        alone="Your dlogits is that of the mean, and right.",
                    ),
                    Misconception(
                        "the loss divided by the number of classes as well",
                        loss_over_classes,
                        "Your loss is exactly {C} times too small, and {C} is the number of "
                        "classes. The loss is a mean over the {N} examples.",
                        WRONG,
                    ),
                    Misconception(
                        "the loss read after the 1 was subtracted",
                        loss_read_too_late,
                        "Your loss is made of 1 - p: where it is read, the 1 has been subtracted "
                        "at the label already. Is the gradient made in the array of the "
                        "probabilities? Take the loss first, or a copy.",
                        GRADIENT,
                    ),
                    Misconception(
                        "the loss without a logarithm",
                        loss_of_p,
                        "Your loss is minus the mean probability of the labels. The price is the "
                        "negative logarithm.",
                        LOSS,
                    ),
                    Misconception(
                        "a small number added before the logarithm",
                        small_number_added,
                        "Your loss is too small where the label is nearly impossible: a small "
                        "number, added before the logarithm or used as a minimum, puts a ceiling "
                        "on it. The logarithm of the sum of the exponentials less the score needs "
                        "none.",
                        FUSION,
                        also=SMALL,
                    ),
                    Misconception(
                        "the largest score instead of the label",
                        of_the_winner,
                        "Your loss and dlogits take the class with the largest score for the true "
                        "one. Read the labels.",
                        LOSS,
                    ),
                    Misconception(
                        "the minimum subtracted",
                        partial(subtracted, np.min),
                        "You subtract the smallest score of each row. It cancels on paper, but "
                        "the largest exponential overflows where scores are far apart. Subtract "
                        "the largest.",
                        "layers/softmax#the-formula-is-right-and-the-program-is-wrong",
                        also=(partial(subtracted_in_logarithms, np.min),),
                    ),
                    Misconception(
                        "the mean subtracted",
                        partial(subtracted, np.mean),
                        "You subtract the mean score of each row. It cancels on paper, but the "
                        "largest exponential overflows where scores are far apart. Subtract the "
                        "largest.",
                        "layers/softmax#the-formula-is-right-and-the-program-is-wrong",
                        also=(partial(subtracted_in_logarithms, np.mean),),
                    ),
                    Misconception(
                        "the maximum of the whole array subtracted",
                        maximum_of_all,
                        "You subtract one number from all rows, the largest of the whole array. "
                        "In a row far below it all exponentials become 0, and so does their sum. "
                        "Each row has its own maximum.",
                        "layers/softmax#the-formula-is-right-and-the-program-is-wrong",
                        also=(maximum_of_all_in_logarithms,),
                    ),
                    Misconception(
                        "the sum instead of the mean, in loss and gradient",
                        sum_in_both,
                        "Both your loss and your dlogits are exactly {N} times too large, and {N} "
                        "is the batch size: they belong to the sum over the examples. They fit "
                        "each other, so no gradient check would tell you.",
                        LOSS,
                    ),
                    Misconception(
                        "the loss without its minus",
                        no_minus_in_the_loss,
                        "Your loss has the wrong sign. Each row costs the logarithm of the sum "
                        "less the label's score, which is never below 0.",
                        LOSS,
                    ),
                    Misconception(
                        "no maximum subtracted",
                        no_maximum,
                        "At scores of 1000 the exponential overflows, and inf / inf is nan. "
                        "Subtract the largest score of the row first; it cancels in the loss and "
                        "in the gradient.",
                        "layers/softmax#the-formula-is-right-and-the-program-is-wrong",
                    ),
                    Misconception(
                        "the logarithm of a probability that rounds to 0",
                        logarithm_of_p,
                        "Your loss is infinite where the label's probability rounds to 0. Take no "
                        "logarithm of a probability: −log p is the logarithm of the sum of the "
                        "exponentials less the label's score, and that is finite.",
                        FUSION,
                    ),
                    Misconception(
                        "softmax taken twice",
                        softmax_twice,
                        "You take the softmax of the softmax. The second draws the probabilities "
                        "towards each other, so the loss can never get near 0, however right the "
                        "network is.",
                        SOFTMAX_WRONG,
                    ),
                    Misconception(
                        "softmax over the batch",
                        over_the_batch,
                        "You take the softmax along axis 0, over the {N} examples. Each example "
                        "has its own distribution over the classes, along axis 1.",
                        SOFTMAX_WRONG,
                    ),
                    Misconception(
                        "labels counted from 1",
                        counted_from_one,
                        "You read the class before the label. Labels run from 0, and −1 is a legal "
                        "index, the last class, so nothing fails.",
                        WRONG,
                    ),
                ),
            ),
        ),
    ),
)
