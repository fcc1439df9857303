"""Gradient certificates: each layer, type and geometry against three independent witnesses."""

from collections.abc import Callable
from dataclasses import asdict, dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from .agreement import (
    CENTRAL_TOLERANCE,
    TOLERANCE,
    Slopes,
    numeric_gradients,
    relative_difference,
)
from .theories import SHAPES, THEORIES, Theory, Values

# Another program's output and gradients for a theory: ``oracle(theory, values, dy)``.
Oracle = Callable[[Theory, Values, Any], dict[str, NDArray[Any]]]
SINGLE_TOLERANCE = 1e-5  # seven digits, of which batch norm over few values cancels some


class CertificateError(AssertionError):
    """A gradient that crosses its threshold: no certificate, no build."""


@dataclass(frozen=True)
class Row:
    """One layer in one geometry and type.

    Attributes
    ----------
    layer, geometry, dtype : str
    central : float
        Largest relative error of the package's gradients against central differences of the
        forward equations, kinks left out.
    complex_step : float or None
        The same against the complex step; None where the forward equations are not analytic.
    pytorch : float
        The same against PyTorch in float64.
    compared, kinks : int
        Directions compared with central differences, and those left out at a kink.
    """

    layer: str
    geometry: str
    dtype: str
    central: float
    complex_step: float | None
    pytorch: float
    compared: int
    kinks: int

    @property
    def largest(self) -> float:
        """The largest of the three errors."""
        return max(self.central, self.complex_step or 0.0, self.pytorch)

    def as_dict(self) -> dict[str, Any]:
        """For ``verified.json``."""
        return asdict(self)


def certify(theory: Theory, oracle: Oracle) -> list[Row]:
    """Return the certificate of a layer: a row for each geometry in float64 and float32.

    Parameters
    ----------
    theory : Theory
    oracle : callable
        PyTorch's answer, ``nn_tutorial.pytorch.equivalents.oracle``. It is handed in, so that the
        NumPy part never loads PyTorch.

    Raises
    ------
    CertificateError
        If an error crosses its threshold, or nothing could be compared; the message says where.
    """
    rows = []
    for i in range(SHAPES):
        rng = np.random.default_rng([7, i])
        values = theory.sample(rng, i)
        shape = theory.output(values)
        dy = rng.standard_normal(shape) if shape else np.asarray(rng.uniform(0.5, 1.5))
        theirs = oracle(theory, values, dy)
        measured: dict[tuple[bool, str], Slopes] = {}  # the same for both types
        for dtype in ("float64", "float32"):
            ours = theory.package(*_cast(values, dy, dtype))
            names = [f"d{name}" for name in theory.inputs]
            found = {name: ours[name] for name in names}
            central, compared, kinks = numeric_gradients(
                theory, values, dy, found, analytic=False, measured=measured
            )
            step = None
            if all(equation.analytic for equation in theory.forward):
                step = numeric_gradients(
                    theory, values, dy, found, analytic=True, measured=measured
                )[0]
            pytorch = max(relative_difference(found[name], theirs[name]) for name in names)
            row = Row(
                theory.name,
                _geometry(values, theory),
                dtype,
                central,
                step,
                pytorch,
                compared,
                kinks,
            )
            _judge(row)
            rows.append(row)
    return rows


def certify_all(oracle: Oracle) -> dict[str, list[Row]]:
    """Certify every layer; see ``certify``."""
    return {name: certify(theory, oracle) for name, theory in THEORIES.items()}


def _judge(row: Row) -> None:
    single = row.dtype == "float32"
    limits = {
        "central differences": (row.central, CENTRAL_TOLERANCE),
        "complex step": (row.complex_step or 0.0, TOLERANCE),
        "PyTorch": (row.pytorch, TOLERANCE),
    }
    for witness, (error, limit) in limits.items():
        limit = SINGLE_TOLERANCE if single else limit
        if not error <= limit:
            raise CertificateError(
                f"{row.layer}, {row.geometry}, {row.dtype}: relative error {error:.1e} against "
                f"{witness}, allowed {limit:.0e}"
            )
    if row.compared == 0:
        raise CertificateError(f"{row.layer}, {row.geometry}: everything was at a kink")


def _cast(values: Values, dy: Any, dtype: str) -> tuple[Values, Any]:
    cast = {
        name: value.astype(dtype) if getattr(value, "dtype", None) == np.float64 else value
        for name, value in values.items()
    }
    return cast, np.asarray(dy, dtype)


def _geometry(values: Values, theory: Theory) -> str:
    text = "×".join(str(size) for size in values[theory.inputs[0]].shape)
    if "U" in values:
        text += f", kernel {values['U']}×{values['V']}"
        for name, pair, usual in (("stride", "sr", 1), ("padding", "pq", 0), ("dilation", "kl", 1)):
            down, across = (values.get(letter, usual) for letter in pair)
            text += f", {name} {down}×{across}" if (down, across) != (usual, usual) else ""
    return text
