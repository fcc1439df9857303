"""The layers, one file each: a pair of functions forward and backward, a thin class over it."""
