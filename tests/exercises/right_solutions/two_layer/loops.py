import math

import numpy as np


def forward(row, weight1, bias1, weight2, bias2):
    a = [sum(v * w for v, w in zip(row, weight1[:, m])) + bias1[m] for m in range(len(bias1))]
    r = [max(v, 0) for v in a]
    z = [sum(v * w for v, w in zip(r, weight2[:, k])) + bias2[k] for k in range(len(bias2))]
    return a, r, z


def two_layer_loss(x, labels, weight1, bias1, weight2, bias2):
    loss = 0
    for row, label in zip(x, labels):
        _, _, z = forward(row, weight1, bias1, weight2, bias2)
        loss += math.log(sum(math.exp(score - max(z)) for score in z)) + max(z) - z[label]
    return loss / len(x)


def two_layer_gradients(x, labels, weight1, bias1, weight2, bias2):
    dweight1, dbias1 = np.zeros_like(weight1), np.zeros_like(bias1)
    dweight2, dbias2 = np.zeros_like(weight2), np.zeros_like(bias2)
    for row, label in zip(x, labels):
        a, r, z = forward(row, weight1, bias1, weight2, bias2)
        total = sum(math.exp(score - max(z)) for score in z)
        for k, score in enumerate(z):
            dz = (math.exp(score - max(z)) / total - (k == label)) / len(x)
            dbias2[k] += dz
            for m in range(len(a)):
                dweight2[m, k] += r[m] * dz
                if a[m] > 0:
                    da = weight2[m, k] * dz
                    dbias1[m] += da
                    for d, value in enumerate(row):
                        dweight1[d, m] += value * da
    return dweight1, dbias1, dweight2, dbias2
