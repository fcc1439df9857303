import numpy as np


def forward(x, weight1, bias1, weight2, bias2):
    r = np.maximum(np.einsum("nd,dm->nm", x, weight1) + bias1, 0)
    z = np.einsum("nm,mc->nc", r, weight2) + bias2
    return r, z - np.logaddexp.reduce(z, axis=1)[:, None]


def one_hot(labels, like):
    return np.eye(like.shape[1], dtype=like.dtype)[labels]


def two_layer_loss(x, labels, weight1, bias1, weight2, bias2):
    _, said = forward(x, weight1, bias1, weight2, bias2)
    return np.einsum("nc,nc->", one_hot(labels, said), -said) / len(x)


def two_layer_gradients(x, labels, weight1, bias1, weight2, bias2):
    r, said = forward(x, weight1, bias1, weight2, bias2)
    dz = (np.exp(said) - one_hot(labels, said)) / len(x)
    # The output of the ReLU is above 0 exactly where its input is.
    da = np.einsum("nc,mc,nm->nm", dz, weight2, (r > 0).astype(x.dtype))
    return (
        np.einsum("nd,nm->dm", x, da),
        np.einsum("nm->m", da),
        np.einsum("nm,nc->mc", r, dz),
        np.einsum("nc->c", dz),
    )
