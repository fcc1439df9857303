"""What a symbol is called in the code follows from the theories and the code itself."""

import re

import pytest
from sitegen.render import symbols

from nn_tutorial.verify.theories import THEORIES


def test_names_follow_from_the_theory() -> None:
    found = symbols.of(THEORIES["batch_norm"])
    assert found["sigma2"] == {"shown": "σ2", "label": "σ²", "code": ["var"]}
    assert found["Xhat"]["code"] == ["xhat"]
    assert found["dgamma"] == {"shown": "∂γ", "label": "∂L/∂γ", "code": ["dweight"]}
    assert symbols.of(THEORIES["softmax"])["P"]["code"] == ["p"]
    assert symbols.of(THEORIES["linear"])["dX"]["code"] == [
        "dx",
        "dy @ weight.T",
        "(weight @ dy.T).T",
    ]


@pytest.mark.parametrize(
    ("symbol", "shown"), [("X", "X"), ("Xhat", "X^"), ("sigma2", "σ2"), ("mu", "μ"), ("W1", "W(1)")]
)
def test_glyphs_are_those_of_a_drawn_formula(symbol: str, shown: str) -> None:
    assert re.sub(r"[{}]", "", symbols.glyphs(symbol)) == shown


@pytest.mark.parametrize("layer", symbols.LAYERS)
def test_each_input_and_gradient_has_a_name(layer: str) -> None:
    theory = THEORIES[layer]
    found = symbols.of(theory)
    for name in theory.inputs:
        assert {name, f"d{name}"} <= set(found)
