"""Other strings for the same sums, and dots for axes that are kept."""

import numpy as np


def sums(x):
    return np.einsum("...j->...", x), np.einsum("ij->j", x), np.einsum("ij,ij", x, x)


def matrix_product(a, b):
    return np.einsum("pq,qr", a, b)


def batch_product(a, b):
    return np.einsum("...ij,...jk->...ik", a, b)


def product_gradients(dy, a, b):
    return np.einsum("jk,ik->ij", b, dy), np.einsum("ik,ij->jk", dy, a)


def filter_windows(windows, weight):
    return np.einsum("fcuv,ncijuv->nfij", weight, windows, optimize=True)
