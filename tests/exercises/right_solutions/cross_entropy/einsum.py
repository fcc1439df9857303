import numpy as np


def one_hot(labels, like):
    return (labels[:, None] == np.arange(like.shape[1])).astype(like.dtype)


def cross_entropy(probabilities, labels):
    truth = one_hot(labels, probabilities)
    said = np.einsum("nc,nc->n", truth, probabilities)
    return np.einsum("n->", -np.log(said)) / len(said)


def cross_entropy_backward(dy, probabilities, labels):
    truth = one_hot(labels, probabilities)
    return np.einsum(",nc,nc->nc", -dy / len(labels), truth, 1 / probabilities).astype(
        probabilities.dtype
    )


def softmax_cross_entropy(logits, labels):
    truth = one_hot(labels, logits)
    total = np.logaddexp.reduce(logits, axis=1)
    loss = np.einsum("n->", total - np.einsum("nc,nc->n", truth, logits)) / len(labels)
    return loss, (np.exp(logits - total[:, None]) - truth) / len(labels)
