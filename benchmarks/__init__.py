"""``make bench``: how fast the library is, beside PyTorch and scikit-learn."""
