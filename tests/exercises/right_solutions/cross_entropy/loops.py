import math

import numpy as np


def cross_entropy(probabilities, labels):
    loss = 0.0
    for n, label in enumerate(labels):
        loss -= math.log(probabilities[n, label])
    return loss / len(labels)


def cross_entropy_backward(dy, probabilities, labels):
    dprobabilities = np.zeros_like(probabilities)
    for n, label in enumerate(labels):
        dprobabilities[n, label] = -dy / probabilities[n, label] / len(labels)
    return dprobabilities


def softmax_cross_entropy(logits, labels):
    loss, dlogits = 0.0, np.empty_like(logits)
    for n, (row, label) in enumerate(zip(logits, labels)):
        largest = max(row)
        total = sum(math.exp(score - largest) for score in row)
        loss += (math.log(total) - (row[label] - largest)) / len(labels)
        for k, score in enumerate(row):
            dlogits[n, k] = (math.exp(score - largest) / total - (k == label)) / len(labels)
    return loss, dlogits
