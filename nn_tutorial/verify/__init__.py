"""The checks: equations that run, held against layers, derivatives, derivations and PyTorch."""
