# ---
# title: "Solutions: optimisers"
# description: One step of SGD with momentum and one of Adam, solved and explained, with the signs and corrections that are easily lost.
# tags:
#   - exercises
# ---

# %% [markdown]
# # Solutions: optimisers
#
# Two exercises belong to the chapter on [optimisers](../networks/optimizers.py). Both ask for one step as a pure function: the old state comes in, the new one goes out, and nothing is changed on the way.

# %% tags=["hide-input"]
import numpy as np

from nn_tutorial.exercises import check
from nn_tutorial.pages.exercise_boxes import show_mistakes, show_solution, show_task

SEED = 0

# %% [markdown]
# ## SGD with momentum { #sgd_momentum }

# %% tags=["remove-input"]
show_task("sgd_momentum")

# %% [markdown]
# ### The solution

# %% tags=["remove-input"]
show_solution("sgd_momentum")

# %% [markdown]
# The order of the two lines matters: the step goes along the velocity that already contains this gradient. `momentum * velocity + grad` makes a new array. `velocity *= momentum` would change the array that came in, which a test or a checkpoint may still need:


# %%
def my_sgd_momentum(param, grad, velocity, lr, momentum):
    velocity *= momentum
    velocity += grad
    param -= lr * velocity
    return param, velocity


report = check(my_sgd_momentum)
assert report.misconceptions == ["the arrays that came in are changed"]
report

# %% [markdown]
# A library's optimiser does change its parameters in place, to save memory. That is a decision, stated in its documentation. Here the exercise says otherwise.
#
# The learning rate stands outside the velocity, as in PyTorch. With a constant learning rate you could put it inside and get the same path. Change it during the training, and the two differ: inside, the steps that the velocity remembers keep their old rate.

# %% tags=["remove-input"]
show_mistakes("sgd_momentum")

# %% [markdown]
# ## Adam { #adam }

# %% tags=["remove-input"]
show_task("adam")

# %% [markdown]
# ### The solution

# %% tags=["remove-input"]
show_solution("adam")

# %% [markdown]
# Why the correction? $m$ begins at 0. After one step it is $(1 - \beta_1) g$, a tenth of the gradient with the usual $\beta_1 = 0.9$. Divided by $1 - \beta_1^1$ it is $g$. For $v$ the same holds with $\beta_2 = 0.999$, where the factor is a thousand. As $t$ grows, $\beta^t$ vanishes, and the correction with it.
#
# Leave it out, and the first steps are too *large*, not too small: $m$ is ten times too small, but the root of $v$ more than thirty times, and one is divided by the other.


# %%
def my_adam(param, grad, m, v, t, lr, beta1, beta2, eps):
    m = beta1 * m + (1 - beta1) * grad
    v = beta2 * v + (1 - beta2) * grad**2
    return param - lr * m / (np.sqrt(v) + eps), m, v


report = check(my_adam)
assert report.misconceptions == ["no correction"]
report

# %% [markdown]
# And the corrected values are for this step only. Return them as the new state, and they are corrected again in the next step:


# %%
def my_adam(param, grad, m, v, t, lr, beta1, beta2, eps):
    m = (beta1 * m + (1 - beta1) * grad) / (1 - beta1**t)
    v = (beta2 * v + (1 - beta2) * grad**2) / (1 - beta2**t)
    return param - lr * m / (np.sqrt(v) + eps), m, v


report = check(my_adam)
assert report.misconceptions == ["the corrected state is kept"]
report

# %% [markdown]
# The parameter of this one step is right, which is why a test of a single step from the beginning does not find it unless it looks at the state as well.

# %% tags=["remove-input"]
show_mistakes("adam")
