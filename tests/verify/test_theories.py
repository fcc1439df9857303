"""Everything about a layer agrees, and no longer when anything in it is changed."""

import re
from dataclasses import replace
from typing import Any

import numpy as np
import pytest

import nn_tutorial as nt
from nn_tutorial.pytorch.equivalents import equivalent, oracle
from nn_tutorial.tables import UnknownNameError
from nn_tutorial.verify import agreement, certificates, mutants
from nn_tutorial.verify.agreement import AgreementError, agree, relative_difference
from nn_tutorial.verify.equations import Derivation, Equation
from nn_tutorial.verify.theories import THEORIES


@pytest.mark.parametrize("name", THEORIES)
def test_all_agree(name: str) -> None:
    done = agree(THEORIES[name])
    assert {check.relation for check in done} >= {"layer"}
    assert sum(check.compared for check in done) > 100


def test_there_are_enough() -> None:
    equations = sum(len(t.forward) + len(t.backward) for t in THEORIES.values())
    derivations = sum(len(t.derivations) for t in THEORIES.values())
    assert equations >= 25
    assert derivations >= 10
    assert all(len(steps) >= 1 for t in THEORIES.values() for steps in (t.forward, t.backward))


@pytest.mark.parametrize("name", THEORIES)
def test_every_gradient_is_compared_with_the_derivative_and_the_layer(name: str) -> None:
    theory = THEORIES[name]
    compared: dict[str, set[str]] = {}
    for check in agreement.checks(theory, samples=1):
        compared.setdefault(check.relation, set()).add(check.name)
    gradients = {e.name for e in theory.backward if e.name[0] == "d"}
    assert gradients == compared.get("complex step", compared.get("central differences"))
    assert {f"d{name}" for name in theory.inputs} <= compared["layer"]


def test_gradient_that_the_layer_does_not_compute_is_held_against_the_derivative() -> None:
    """Many write dX of batch norm by way of the gradient of X̂, which the code never has."""
    theory = THEORIES["batch_norm"]
    through_xhat = Derivation(
        "dXhat[n,d]",
        ("sum[m](dY[m,d] * gamma[d] * (m == n))", "the chain rule"),
        ("dY[n,d] * gamma[d]", "the delta keeps m = n"),
    )
    for line, fits in (("dY[n,d] * gamma[d]", True), ("dY[n,d] * Xhat[n,d]", False)):
        auxiliary = Equation(f"dXhat[n,d] = {line}")
        more = replace(theory, backward=(auxiliary, *theory.backward), derivations=(through_xhat,))
        assert more.auxiliary == ("Xhat",)
        found = [c for c in agreement.checks(more) if c.name == "dXhat"]
        assert {c.relation for c in found} == {"derivation", "complex step"}
        assert all(c.passed for c in found) is fits
        assert all(c.passed for c in found if c.relation == "complex step") is fits
        if not fits:
            with pytest.raises(AgreementError, match="batch_norm: dXhat against"):
                agree(more)


def test_gradient_of_nothing_is_refused() -> None:
    theory = THEORIES["relu"]
    with pytest.raises(ValueError, match=r"relu, backward: .*defines, got dQ"):
        replace(theory, backward=(*theory.backward, Equation("dQ[n,d] = dY[n,d]")))
    with pytest.raises(ValueError, match=r"relu, backward: .*each input, got none for dX"):
        replace(theory, backward=())


def test_unknown_theory_says_where_to_add_it() -> None:
    with pytest.raises(
        UnknownNameError, match=r"'group_norm'\. A new one: nn_tutorial/verify/theo"
    ):
        THEORIES["group_norm"]
    assert "group_norm" not in THEORIES
    with pytest.raises(UnknownNameError, match="a row in EQUIVALENTS, in nn_tutorial/pytorch/equ"):
        equivalent("group_norm")


def test_a_theory_is_called_as_its_file() -> None:
    assert [theory.name for theory in THEORIES.values()] == list(THEORIES)


@pytest.mark.parametrize("name", ["relu", "batch_norm", "conv2d", "two_layer_net"])
def test_slopes_kept_are_those_measured_anew(name: str) -> None:
    theory, kept = THEORIES[name], {}
    values = theory.sample(np.random.default_rng(5), 0)
    dy = np.random.default_rng(6).standard_normal(theory.output(values))
    right = theory.package(values, dy)
    doubled = {key: 2 * value for key, value in right.items()}
    for found in (right, doubled, right):
        anew = agreement.numeric_gradients(theory, values, dy, found, analytic=False)
        assert anew == agreement.numeric_gradients(
            theory, values, dy, found, analytic=False, measured=kept
        )
    assert len(kept) == len(theory.inputs)


def test_kinks_are_counted() -> None:
    assert sum(check.kinks for check in agree(THEORIES["relu"])) > 0


def test_wrong_equation_is_named() -> None:
    wrong = replace(
        THEORIES["linear"],
        backward=(*THEORIES["linear"].backward[:2], Equation("db[k] = mean[n](dY[n,k])")),
    )
    with pytest.raises(AgreementError, match="linear: db against layer"):
        agree(wrong)


def test_wrong_layer_is_named() -> None:
    def doubled(dy: Any, cache: Any) -> Any:
        return 2 * nt.relu_backward(dy, cache)

    wrong = replace(THEORIES["relu"], pair=(nt.relu, doubled))
    with pytest.raises(AgreementError, match="relu: dX against"):
        agree(wrong)
    with pytest.raises(certificates.CertificateError, match=r"relu, .*allowed"):
        certificates.certify(wrong, oracle)


def test_wrong_class_is_named() -> None:
    """Its functions are right, and so is all else."""

    class Doubled(nt.BatchNorm):
        def backward(self, dy: Any, cache: Any, *, need_dx: bool = True) -> Any:
            dx, gradients = super().backward(dy, cache, need_dx=need_dx)
            return dx, gradients | {"bias": 2 * gradients["bias"]}

    with pytest.raises(AgreementError, match="batch_norm: dbeta against class"):
        agree(replace(THEORIES["batch_norm"], layer=Doubled))

    class Renamed(nt.BatchNorm):
        def __init__(self, **settings: Any) -> None:
            super().__init__(**settings)
            self.params["scale"] = self.params.pop("weight")

    with pytest.raises(ValueError, match=r"batch_norm, layer: .* x, weight, bias, eps, got scale"):
        agree(replace(THEORIES["batch_norm"], layer=Renamed))


def test_every_class_is_compared() -> None:
    for name, theory in THEORIES.items():
        found = {c.name for c in agreement.checks(theory, samples=1) if c.relation == "class"}
        outputs = {theory.forward[-1].name, *(f"d{symbol}" for symbol in theory.inputs)}
        assert found == (outputs if theory.layer else set()), name


def test_wrong_step_is_named() -> None:
    step = Derivation("db[k]", ("sum[n](dY[n,k])", "so"), ("mean[n](dY[n,k])", "not so"))
    with pytest.raises(AgreementError, match="linear: db against derivation"):
        agree(replace(THEORIES["linear"], derivations=(step,)))


@pytest.mark.parametrize("name", THEORIES)
def test_certificate(name: str) -> None:
    rows = certificates.certify(THEORIES[name], oracle)
    assert {row.dtype for row in rows} == {"float64", "float32"}
    assert all(row.largest <= 1e-5 and row.compared > 0 for row in rows)
    assert rows[0].as_dict()["layer"] == name


def test_certificate_needs_something_compared(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(certificates, "numeric_gradients", lambda *a, **k: (0.0, 0, 9))
    with pytest.raises(certificates.CertificateError, match="everything was at a kink"):
        certificates.certify(THEORIES["relu"], oracle)


def test_all_together(monkeypatch: pytest.MonkeyPatch) -> None:
    few = {"relu": THEORIES["relu"]}
    for module in (agreement, certificates, mutants):
        monkeypatch.setattr(module, "THEORIES", few)
    assert agreement.agree_all().keys() == certificates.certify_all(oracle).keys() == few.keys()


@pytest.mark.parametrize("name", THEORIES)
def test_pytorch_agrees(name: str) -> None:
    theory = THEORIES[name]
    values = theory.sample(np.random.default_rng(5), 1)
    dy = np.random.default_rng(6).standard_normal(theory.output(values))
    ours, theirs = theory.package(values, dy), oracle(theory, values, dy)
    assert len(theirs) == 1 + len(theory.inputs)
    for key, value in theirs.items():
        np.testing.assert_allclose(ours[key], value, rtol=1e-10, atol=1e-12)


def test_relative_difference() -> None:
    assert relative_difference(np.ones(2), np.ones(3)) == float("inf")
    assert relative_difference(np.array([np.nan]), np.ones(1)) == float("inf")
    assert relative_difference(np.zeros(2), np.zeros(2)) == 0
    assert relative_difference(np.array([2.0, 1.0]), np.array([2.0, 0.0])) == 0.5


def test_mutations_change_one_thing() -> None:
    changes = mutants.mutations("y[n] = -X[n,i] * (X[n,i] > 0)")
    found = {text: what for what, text in changes}
    assert found["y[n] = X[n, i] * (X[n, i] > 0)"] == "minus dropped"
    assert found["y[n] = -X[n, i] * (X[n, i] >= 0)"] == "comparison changed"
    assert found["y[n] = -X[i, n] * (X[n, i] > 0)"] == "indices swapped"
    assert found["y[n] = -X[n, i]"] == "right factor dropped"
    assert "y[n] = -X[n, i] * (X[n, i] > 0)" not in found


def test_every_mutant_is_killed(capsys: pytest.CaptureFixture[str]) -> None:
    assert mutants.main() == 0
    printed = capsys.readouterr().out
    total, killed, equivalent = map(int, re.findall(r"\d+", printed))
    assert total >= 300
    assert killed + equivalent == total
    assert equivalent == sum(len(theory.same) for theory in THEORIES.values())


def test_survivors_are_reported(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    relu = mutants.Mutant("relu", "equation", "sign flipped", "Y = X", None)
    listed = mutants.Mutant("relu", "equation", "", next(iter(mutants.EQUIVALENT)), "layer")
    monkeypatch.setattr(mutants, "all_mutants", lambda: iter([relu, listed]))
    assert mutants.main() == 1
    printed = capsys.readouterr().out
    assert "SURVIVED  relu, equation: sign flipped  Y = X" in printed
    assert "NOT EQUIVALENT  relu" in printed


@pytest.mark.parametrize("name", THEORIES)
def test_shapes_beside_the_symbols_are_those_of_the_arrays(name: str) -> None:
    """A letter means one size in all symbols of a layer, and the code's arrays have it."""
    theory = THEORIES[name]
    for i in range(6):
        values = theory.sample(np.random.default_rng(i), i)
        arrays = values | theory.package(values, np.ones(theory.output(values)))
        assert theory.shapes.keys() <= arrays.keys()
        theory.sizes(arrays)  # raises where one letter has two sizes


@pytest.mark.parametrize("shape", [(5, 7), (3,), (3, 7, 7)])
def test_array_of_another_shape_than_the_symbol_is_refused(shape: tuple[int, ...]) -> None:
    linear = THEORIES["linear"]
    assert linear.sizes({"X": np.ones((2, 3)), "W": np.ones((3, 7))}) == {"N": 2, "D": 3, "K": 7}
    with pytest.raises(ValueError, match=r"linear, W: expected D×K with N = 2, D = 3, got \(\d,"):
        linear.sizes({"X": np.ones((2, 3)), "W": np.ones(shape)})
