"""SGD with momentum, and Adam: one step each."""

from functools import partial
from typing import Any

import numpy as np

from nn_tutorial import SGD, Adam

from ..exercise import Exercise, Function, Misconception

AFTER = "batch_norm"


def sgd_momentum(param, grad, velocity, lr, momentum):
    """One step of stochastic gradient descent with momentum, as PyTorch has it.

    velocity <- momentum * velocity + grad
    param    <- param - lr * velocity

    param, grad, velocity: arrays of one shape
    lr, momentum: numbers
    returns param, velocity: the new ones; the arrays that came in stay as they are

    Floats keep their dtype: float32 in, float32 out.
    """
    velocity = momentum * velocity + grad
    return param - lr * velocity, velocity


def adam(param, grad, m, v, t, lr, beta1, beta2, eps):
    """Step number t of Adam, counted from 1.

    m <- beta1 * m + (1 - beta1) * grad
    v <- beta2 * v + (1 - beta2) * grad ** 2
    param <- param - lr * m_hat / (sqrt(v_hat) + eps)
    with m_hat = m / (1 - beta1 ** t) and v_hat = v / (1 - beta2 ** t)

    param, grad, m, v: arrays of one shape
    t: a whole number; lr, beta1, beta2, eps: numbers
    returns param, m, v: the new ones; the arrays that came in stay as they are

    Floats keep their dtype: float32 in, float32 out.
    """
    m = beta1 * m + (1 - beta1) * grad
    v = beta2 * v + (1 - beta2) * grad**2
    m_hat, v_hat = m / (1 - beta1**t), v / (1 - beta2**t)
    return param - lr * m_hat / (np.sqrt(v_hat) + eps), m, v


def uphill(param, grad, velocity, lr, momentum):
    velocity = momentum * velocity + grad
    return param + lr * velocity, velocity


def velocity_sign(param, grad, velocity, lr, momentum):
    velocity = momentum * velocity - grad
    return param - lr * velocity, velocity


def rate_in_the_velocity(param, grad, velocity, lr, momentum):
    velocity = momentum * velocity + lr * grad
    return param - velocity, velocity


def damped(param, grad, velocity, lr, momentum):
    velocity = momentum * velocity + (1 - momentum) * grad
    return param - lr * velocity, velocity


def nesterov(param, grad, velocity, lr, momentum):
    velocity = momentum * velocity + grad
    return param - lr * (grad + momentum * velocity), velocity


def old_velocity(param, grad, velocity, lr, momentum):
    return param - lr * velocity, momentum * velocity + grad


def no_momentum(param, grad, velocity, lr, momentum):
    return param - lr * grad, momentum * velocity + grad


def no_momentum_at_all(param, grad, velocity, lr, momentum):
    return param - lr * grad, grad


def velocity_of_the_step(param, grad, velocity, lr, momentum):
    velocity = momentum * velocity + grad
    return param - lr * velocity, lr * velocity


def gradient_times_momentum(param, grad, velocity, lr, momentum):
    velocity = momentum * (velocity + grad)
    return param - lr * velocity, velocity


def velocity_not_renewed(param, grad, velocity, lr, momentum):
    return param - lr * (momentum * velocity + grad), velocity


def momentum_forgotten(param, grad, velocity, lr, momentum):
    velocity = velocity + grad
    return param - lr * velocity, velocity


def rate_forgotten(param, grad, velocity, lr, momentum):
    velocity = momentum * velocity + grad
    return param - velocity, velocity


def rate_twice(param, grad, velocity, lr, momentum):
    velocity = momentum * velocity + lr * grad
    return param - lr * velocity, velocity


def weights_swapped(param, grad, velocity, lr, momentum):
    velocity = (1 - momentum) * velocity + momentum * grad
    return param - lr * velocity, velocity


def velocity_uphill(param, grad, velocity, lr, momentum):
    velocity = momentum * velocity - lr * grad
    return param + velocity, velocity


def sgd_in_place(param, grad, velocity, lr, momentum):
    velocity *= momentum
    velocity += grad
    param -= lr * velocity
    return param, velocity


def uncorrected(param, grad, m, v, t, lr, beta1, beta2, eps):
    m = beta1 * m + (1 - beta1) * grad
    v = beta2 * v + (1 - beta2) * grad**2
    return param - lr * m / (np.sqrt(v) + eps), m, v


def first_moment_corrected_alone(param, grad, m, v, t, lr, beta1, beta2, eps):
    m = beta1 * m + (1 - beta1) * grad
    v = beta2 * v + (1 - beta2) * grad**2
    return param - lr * m / (1 - beta1**t) / (np.sqrt(v) + eps), m, v


def corrected_state_is_kept(param, grad, m, v, t, lr, beta1, beta2, eps):
    m = (beta1 * m + (1 - beta1) * grad) / (1 - beta1**t)
    v = (beta2 * v + (1 - beta2) * grad**2) / (1 - beta2**t)
    return param - lr * m / (np.sqrt(v) + eps), m, v


def second_moment_corrected_alone(param, grad, m, v, t, lr, beta1, beta2, eps):
    m = beta1 * m + (1 - beta1) * grad
    v = beta2 * v + (1 - beta2) * grad**2
    return param - lr * m / (np.sqrt(v / (1 - beta2**t)) + eps), m, v


def correction_multiplied(param, grad, m, v, t, lr, beta1, beta2, eps):
    m = beta1 * m + (1 - beta1) * grad
    v = beta2 * v + (1 - beta2) * grad**2
    return param - lr * m * (1 - beta1**t) / (np.sqrt(v * (1 - beta2**t)) + eps), m, v


def first_step_correction(param, grad, m, v, t, lr, beta1, beta2, eps):
    m = beta1 * m + (1 - beta1) * grad
    v = beta2 * v + (1 - beta2) * grad**2
    return param - lr * m / (1 - beta1) / (np.sqrt(v / (1 - beta2)) + eps), m, v


def times_t(param, grad, m, v, t, lr, beta1, beta2, eps):
    m = beta1 * m + (1 - beta1) * grad
    v = beta2 * v + (1 - beta2) * grad**2
    return param - lr * m / (1 - beta1 * t) / (np.sqrt(v / (1 - beta2 * t)) + eps), m, v


def gradient_in_the_step(param, grad, m, v, t, lr, beta1, beta2, eps):
    _, m, v = adam(param, grad, m, v, t, lr, beta1, beta2, eps)
    return param - lr * grad / (np.sqrt(v / (1 - beta2**t)) + eps), m, v


def no_second_moment(param, grad, m, v, t, lr, beta1, beta2, eps):
    _, m, v = adam(param, grad, m, v, t, lr, beta1, beta2, eps)
    return param - lr * m / (1 - beta1**t), m, v


def old_moments(param, grad, m, v, t, lr, beta1, beta2, eps):
    step = lr * m / (1 - beta1**t) / (np.sqrt(v / (1 - beta2**t)) + eps)
    return param - step, *adam(param, grad, m, v, t, lr, beta1, beta2, eps)[1:]


def new_ones_whole(param, grad, m, v, t, lr, beta1, beta2, eps):
    m, v = beta1 * m + grad, beta2 * v + grad**2
    return param - lr * m / (1 - beta1**t) / (np.sqrt(v / (1 - beta2**t)) + eps), m, v


def one_beta_for_both(param, grad, m, v, t, lr, beta1, beta2, eps):
    return adam(param, grad, m, v, t, lr, beta1, beta1, eps)


def square_of_the_mean(param, grad, m, v, t, lr, beta1, beta2, eps):
    m = beta1 * m + (1 - beta1) * grad
    v = beta2 * v + (1 - beta2) * m**2
    return param - lr * m / (1 - beta1**t) / (np.sqrt(v / (1 - beta2**t)) + eps), m, v


def weights_decay(param, grad, m, v, t, lr, beta1, beta2, eps, decay=0.01):
    new, m, v = adam(param, grad, m, v, t, lr, beta1, beta2, eps)
    return new - lr * decay * param, m, v


def v_alone_corrected_and_kept(param, grad, m, v, t, lr, beta1, beta2, eps):
    new, m, v = adam(param, grad, m, v, t, lr, beta1, beta2, eps)
    return new, m, v / (1 - beta2**t)


def m_alone_corrected_and_kept(param, grad, m, v, t, lr, beta1, beta2, eps):
    new, m, v = adam(param, grad, m, v, t, lr, beta1, beta2, eps)
    return new, m / (1 - beta1**t), v


def adam_in_place(param, grad, m, v, t, lr, beta1, beta2, eps):
    param[...], m[...], v[...] = adam(param, grad, m, v, t, lr, beta1, beta2, eps)
    return param, m, v


def eps_forgotten(param, grad, m, v, t, lr, beta1, beta2, eps):
    return adam(param, grad, m, v, t, lr, beta1, beta2, 0)


def eps_is_the_least(param, grad, m, v, t, lr, beta1, beta2, eps):
    _, m, v = adam(param, grad, m, v, t, lr, beta1, beta2, eps)
    return param - lr * m / (1 - beta1**t) / np.maximum(np.sqrt(v / (1 - beta2**t)), eps), m, v


def eps_for_zero_alone(param, grad, m, v, t, lr, beta1, beta2, eps):
    _, m, v = adam(param, grad, m, v, t, lr, beta1, beta2, eps)
    v_hat = v / (1 - beta2**t)
    return param - lr * m / (1 - beta1**t) / np.sqrt(np.where(v_hat == 0, eps, v_hat)), m, v


def eps_for_a_root_of_zero(param, grad, m, v, t, lr, beta1, beta2, eps):
    _, m, v = adam(param, grad, m, v, t, lr, beta1, beta2, eps)
    root = np.sqrt(v / (1 - beta2**t))
    return param - lr * m / (1 - beta1**t) / np.where(root == 0, eps, root), m, v


def counted_one_too_far(param, grad, m, v, t, lr, beta1, beta2, eps):
    return adam(param, grad, m, v, t + 1, lr, beta1, beta2, eps)


def eps_in_the_root(param, grad, m, v, t, lr, beta1, beta2, eps):
    m = beta1 * m + (1 - beta1) * grad
    v = beta2 * v + (1 - beta2) * grad**2
    return param - lr * m / (1 - beta1**t) / np.sqrt(v / (1 - beta2**t) + eps), m, v


def no_root(param, grad, m, v, t, lr, beta1, beta2, eps):
    m = beta1 * m + (1 - beta1) * grad
    v = beta2 * v + (1 - beta2) * grad**2
    return param - lr * m / (1 - beta1**t) / (v / (1 - beta2**t) + eps), m, v


def betas_swapped(param, grad, m, v, t, lr, beta1, beta2, eps):
    return adam(param, grad, m, v, t, lr, beta2, beta1, eps)


def not_squared(param, grad, m, v, t, lr, beta1, beta2, eps):
    m = beta1 * m + (1 - beta1) * grad
    v = beta2 * v + (1 - beta2) * np.abs(grad)
    return param - lr * m / (1 - beta1**t) / (np.sqrt(v / (1 - beta2**t)) + eps), m, v


def adam_uphill(param, grad, m, v, t, lr, beta1, beta2, eps):
    return 2 * param - adam(param, grad, m, v, t, lr, beta1, beta2, eps)[0], *adam(
        param, grad, m, v, t, lr, beta1, beta2, eps
    )[1:]


def weights_of_old_and_new_swapped(param, grad, m, v, t, lr, beta1, beta2, eps):
    m = (1 - beta1) * m + beta1 * grad
    v = (1 - beta2) * v + beta2 * grad**2
    return param - lr * m / (1 - beta1**t) / (np.sqrt(v / (1 - beta2**t)) + eps), m, v


def sgd_samples(rng):
    by_hand = {
        "param": np.array([1.0, -2.0, 4.0]),
        "grad": np.array([2.0, 4.0, -6.0]),
        "velocity": np.array([4.0, 0.0, 2.0]),
        "lr": 0.5,
        "momentum": 0.5,
    }
    samples: list[Any] = [by_hand]
    for shape, lr, momentum in [
        ((5,), 0.1, 0.9),
        ((3, 3), 0.3, 0.8),
        ((2, 5), 0.05, 0.7),
        ((3, 2, 5), 0.2, 0.95),
    ]:
        param, grad, velocity = rng.standard_normal((3, *shape))
        samples.append(
            {"param": param, "grad": grad, "velocity": velocity, "lr": lr, "momentum": momentum}
        )
    return samples


def adam_samples(rng):
    by_hand = {
        "param": np.array([1.0, -2.0]),
        "grad": np.array([4.0, -2.0]),
        "m": np.array([0.0, 0.0]),
        "v": np.array([0.0, 0.0]),
        "t": 1,
        "lr": 0.5,
        "beta1": 0.5,
        "beta2": 0.75,
        "eps": 0.5,
    }
    samples: list[Any] = [by_hand]
    for shape, t in [((3,), 2), ((3, 3), 3), ((3, 5), 7), ((2, 3, 2), 5)]:
        param, grad, m = rng.standard_normal((3, *shape))
        samples.append(
            {
                "param": param,
                "grad": grad,
                "m": m,
                "v": rng.uniform(0.5, 2, shape),
                "t": t,
                "lr": 0.1,
                "beta1": 0.9,
                "beta2": 0.98,
                "eps": 0.05,
            }
        )
    still = samples[3]
    still["v"][0], still["grad"][0] = 0, 0  # nothing but eps to divide by
    still["v"][1], still["grad"][1] = 1e-4, 0  # and less than eps
    return samples


def book_sgd(param, grad, velocity, lr, momentum):
    optimizer = SGD({"w": param.copy()}, lr, momentum=momentum)
    optimizer.velocity["w"] = velocity.copy()
    optimizer.step({"w": grad})
    return optimizer.params["w"], optimizer.velocity["w"]


def book_adam(param, grad, m, v, t, lr, beta1, beta2, eps):
    optimizer = Adam({"w": param.copy()}, lr, betas=(beta1, beta2), eps=eps)
    optimizer.m["w"], optimizer.v["w"], optimizer.t = m.copy(), v.copy(), t - 1
    optimizer.step({"w": grad})
    return optimizer.params["w"], optimizer.m["w"], optimizer.v["w"]


PAGE = "networks/optimizers"
HAND, BUYS = f"{PAGE}#two-steps-by-hand", f"{PAGE}#what-momentum-buys"
SIGN, CORRECTION = f"{PAGE}#1-a-sign-in-the-velocity", f"{PAGE}#2-adam-without-its-correction"
OWN_SIZE = f"{PAGE}#adam-measures-each-gradient-by-its-own-size"
LOST = f"{PAGE}#3-state-that-is-lost"

EXERCISES = (
    Exercise(
        name="sgd_momentum",
        title="SGD with momentum",
        page=PAGE,
        task="Write one step of gradient descent with momentum, and return the new state.",
        hints=(
            "Which of the two lines comes first, and which velocity does the other one use?",
            "The velocity forgets a part of itself and takes in the gradient, with no learning "
            "rate in it. The parameter then goes against it.",
            "`velocity = momentum * velocity + grad`, a new array; then `param - lr * velocity`.",
        ),
        functions=(
            Function(
                solution=sgd_momentum,
                reference=book_sgd,
                returns=("param", "velocity"),
                samples=sgd_samples,
                misconceptions=(
                    Misconception(
                        "the step goes uphill",
                        uphill,
                        "Your parameter moves along the gradient, and so up. Descent subtracts.",
                        HAND,
                    ),
                    Misconception(
                        "the velocity has the wrong sign",
                        velocity_sign,
                        "Your velocity subtracts the gradient, and your step subtracts the "
                        "velocity: two minus signs, and the fresh gradient pushes uphill.",
                        SIGN,
                    ),
                    Misconception(
                        "the learning rate is inside the velocity",
                        rate_in_the_velocity,
                        "Your velocity holds lr * grad. Here, as in PyTorch, the learning rate "
                        "stays outside: otherwise a change of it would act on old steps as well.",
                        BUYS,
                    ),
                    Misconception(
                        "the gradient is damped",
                        damped,
                        "Your velocity is a mean: the gradient comes in times 1 − momentum. That "
                        "makes each step shorter by this factor; here it comes in whole.",
                        BUYS,
                    ),
                    Misconception(
                        "Nesterov's step",
                        nesterov,
                        "Your step looks ahead: it adds momentum times the velocity to the "
                        "gradient. That is Nesterov's variant. The plain one is asked for.",
                        BUYS,
                    ),
                    Misconception(
                        "the step takes the old velocity",
                        old_velocity,
                        "Your step uses the velocity from before this gradient. Update it first, "
                        "then go along it.",
                        HAND,
                    ),
                    Misconception(
                        "the step takes the gradient alone",
                        no_momentum,
                        "Your step uses the gradient, and the velocity is kept up for nothing.",
                        BUYS,
                    ),
                    Misconception(
                        "the momentum is missing",
                        no_momentum_at_all,
                        "Your velocity is the gradient itself, and what came in as velocity is "
                        "not used. That is plain gradient descent: the term momentum * velocity "
                        "is missing, or the velocity is kept somewhere else than in the argument.",
                        BUYS,
                    ),
                    Misconception(
                        "the returned velocity holds the learning rate",
                        velocity_of_the_step,
                        "The velocity that you return is lr times what it should be: the learning "
                        "rate belongs to the step.",
                        BUYS,
                        alone="Your step is right.",
                    ),
                    Misconception(
                        "the gradient is multiplied by the momentum",
                        gradient_times_momentum,
                        "Your velocity is momentum * (velocity + grad). Only the old velocity is "
                        "multiplied: the new gradient comes in whole.",
                        BUYS,
                    ),
                    Misconception(
                        "the velocity is not renewed",
                        velocity_not_renewed,
                        "You return the velocity as it came in. Return the new one.",
                        LOST,
                        alone="Your step is right.",
                    ),
                    Misconception(
                        "the velocity never forgets",
                        momentum_forgotten,
                        "Your velocity adds the gradient to the whole of the old one: momentum "
                        "does not appear. With nothing forgotten it grows without end.",
                        BUYS,
                    ),
                    Misconception(
                        "the learning rate is missing",
                        rate_forgotten,
                        "Your step is the velocity itself. It should be multiplied by lr.",
                        HAND,
                    ),
                    Misconception(
                        "the learning rate comes in twice",
                        rate_twice,
                        "Your velocity holds lr * grad, and the step multiplies it by lr again.",
                        BUYS,
                    ),
                    Misconception(
                        "the weights of old and new are swapped",
                        weights_swapped,
                        "Your velocity takes 1 - momentum of the old one and momentum times the "
                        "gradient. Here it is momentum of the old one, and the whole gradient.",
                        BUYS,
                    ),
                    Misconception(
                        "the velocity points downhill",
                        velocity_uphill,
                        "Your velocity is momentum * velocity - lr * grad, and is added: other "
                        "books write it so, and param would be right if velocity began at 0. Here "
                        "velocity adds the gradient, without lr, and the step subtracts.",
                        SIGN,
                    ),
                    Misconception(
                        "the arrays that came in are changed",
                        sgd_in_place,
                        "Your numbers are right, but you have changed param and velocity in place. "
                        "The exercise asks for new arrays: `v = momentum * v + grad`, not `v *=`.",
                        LOST,
                    ),
                ),
            ),
        ),
    ),
    Exercise(
        name="adam",
        title="Adam",
        page=PAGE,
        task="Write one step of Adam, with its correction, and return the new state.",
        hints=(
            "After the first step m is (1 − beta1) times the gradient. What must it be divided by "
            "to be the gradient itself?",
            "The correction is for the step only: what is returned, to be used in the next step, "
            "is the uncorrected m and v.",
            "`m / (1 - beta1**t)` and `v / (1 - beta2**t)`; eps is added to the root, not inside.",
        ),
        functions=(
            Function(
                solution=adam,
                reference=book_adam,
                returns=("param", "m", "v"),
                samples=adam_samples,
                misconceptions=(
                    Misconception(
                        "no correction",
                        uncorrected,
                        "Your step uses m and v as they are. They begin at 0, and are too small at "
                        "first: divide them by 1 − beta**t.",
                        CORRECTION,
                    ),
                    Misconception(
                        "only m is corrected",
                        first_moment_corrected_alone,
                        "Your v is not corrected, only m. Both begin at 0, each with its own beta.",
                        CORRECTION,
                    ),
                    Misconception(
                        "the corrected state is kept",
                        corrected_state_is_kept,
                        "You return the corrected m and v. The next step would correct them again; "
                        "keep what was there before the correction.",
                        CORRECTION,
                        alone="Your step is right.",
                    ),
                    Misconception(
                        "only v is corrected",
                        second_moment_corrected_alone,
                        "Your m is not corrected, only v. Both begin at 0, each with its own beta.",
                        CORRECTION,
                    ),
                    Misconception(
                        "the correction is multiplied",
                        correction_multiplied,
                        "You multiply m and v by 1 - beta**t where you should divide. They are "
                        "too small at first, so they have to grow.",
                        CORRECTION,
                    ),
                    Misconception(
                        "the correction does not know t",
                        first_step_correction,
                        "Your correction divides by 1 - beta on every step. That is right for t = "
                        "1 alone: it is beta**t.",
                        CORRECTION,
                    ),
                    Misconception(
                        "beta * t instead of beta**t",
                        times_t,
                        "Your correction uses beta * t. It is the power, beta**t.",
                        CORRECTION,
                    ),
                    Misconception(
                        "the corrected v is kept",
                        v_alone_corrected_and_kept,
                        "You return the corrected v. The next step would correct it again.",
                        CORRECTION,
                        alone="Your step and your m are right.",
                    ),
                    Misconception(
                        "the corrected m is kept",
                        m_alone_corrected_and_kept,
                        "You return the corrected m. The next step would correct it again.",
                        CORRECTION,
                        alone="Your step and your v are right.",
                    ),
                    Misconception(
                        "the step takes the gradient",
                        gradient_in_the_step,
                        "Your step divides the gradient itself, and m is kept up for nothing.",
                        OWN_SIZE,
                    ),
                    Misconception(
                        "the step is not divided",
                        no_second_moment,
                        "Your step is lr times the corrected m: v is kept up for nothing.",
                        OWN_SIZE,
                    ),
                    Misconception(
                        "the step takes the old m and v",
                        old_moments,
                        "Your step uses m and v from before this gradient. Update them first.",
                        OWN_SIZE,
                    ),
                    Misconception(
                        "the new gradient comes in whole",
                        new_ones_whole,
                        "Your m and v add the gradient and its square whole. They come in times 1 "
                        "- beta, so that m and v are means.",
                        OWN_SIZE,
                    ),
                    Misconception(
                        "one beta for both",
                        one_beta_for_both,
                        "Your v forgets with beta1, as m does. It has its own, beta2.",
                        OWN_SIZE,
                    ),
                    Misconception(
                        "v takes in the square of m",
                        square_of_the_mean,
                        "Your v takes in the square of m. It is the square of the gradient.",
                        OWN_SIZE,
                    ),
                    Misconception(
                        "the weights decay",
                        weights_decay,
                        "Your step also subtracts a part of param itself: that is the weight decay "
                        "of AdamW. It was not asked for.",
                        OWN_SIZE,
                        also=(
                            partial(weights_decay, decay=0.1),
                            partial(weights_decay, decay=0.001),
                            partial(weights_decay, decay=0.0001),
                        ),
                    ),
                    Misconception(
                        "the arrays that came in are changed",
                        adam_in_place,
                        "Your numbers are right, but you have changed param, m and v in place. "
                        "The exercise asks for new arrays.",
                        LOST,
                    ),
                    Misconception(
                        "t is one too large",
                        counted_one_too_far,
                        "Your correction uses t + 1. The first step has t = 1 already.",
                        CORRECTION,
                    ),
                    Misconception(
                        "eps is forgotten",
                        eps_forgotten,
                        "Your step divides by the root of v alone. eps is added to it, so that "
                        "nothing is divided by 0.",
                        OWN_SIZE,
                    ),
                    Misconception(
                        "eps is the least that is divided by",
                        eps_is_the_least,
                        "Your step divides by the root of v, and by eps where that is larger. eps "
                        "is added to the root, everywhere.",
                        OWN_SIZE,
                    ),
                    Misconception(
                        "eps stands in for 0 alone",
                        eps_for_zero_alone,
                        "Your step uses eps where v is 0, and nowhere else. It is added to the "
                        "root everywhere.",
                        OWN_SIZE,
                        also=(eps_for_a_root_of_zero,),
                    ),
                    Misconception(
                        "eps is inside the root",
                        eps_in_the_root,
                        "Your eps is added before the root is taken, where it counts for much "
                        "more: the root of a small number is larger than the number.",
                        OWN_SIZE,
                    ),
                    Misconception(
                        "no root",
                        no_root,
                        "Your step divides by v, not by its root. v is a mean of squares; its "
                        "root has the unit of a gradient.",
                        OWN_SIZE,
                    ),
                    Misconception(
                        "the two betas are swapped",
                        betas_swapped,
                        "Your m forgets with beta2, and v with beta1.",
                        OWN_SIZE,
                    ),
                    Misconception(
                        "the gradient is not squared",
                        not_squared,
                        "Your v takes in the gradient's size, not its square.",
                        OWN_SIZE,
                    ),
                    Misconception(
                        "the step goes uphill",
                        adam_uphill,
                        "Your parameter moves along the gradient, and so up. Descent subtracts.",
                        HAND,
                    ),
                    Misconception(
                        "the weights of old and new are swapped",
                        weights_of_old_and_new_swapped,
                        "Your m and v keep 1 − beta of the old and take beta of the new. It is the "
                        "other way round: with beta near 1 they change slowly.",
                        OWN_SIZE,
                    ),
                ),
            ),
        ),
    ),
)
