"""SGD with momentum, and Adam: one step each."""

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
    samples = [by_hand]
    for shape, lr, momentum in [
        ((5,), 0.1, 0.9),
        ((3, 2), 0.3, 0.8),
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
    samples = [by_hand]
    for shape, t in [((3,), 2), ((2, 3), 3), ((3, 5), 7), ((2, 3, 2), 5)]:
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
                        "gradient. That is Nesterov's variant. Asked for is the plain one.",
                        BUYS,
                    ),
                    Misconception(
                        "the step takes the old velocity",
                        old_velocity,
                        "Your step uses the velocity from before this gradient. Renew it first, "
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
                        "Your step is right, but you return the corrected m and v. The next step "
                        "would correct them again; keep what was there before the correction.",
                        CORRECTION,
                    ),
                    Misconception(
                        "t is one too large",
                        counted_one_too_far,
                        "Your correction uses t + 1. The first step has t = 1 already.",
                        CORRECTION,
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
