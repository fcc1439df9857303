"""What pages show of equations, derivations and certificates."""

from typing import Any

import IPython.display
import matplotlib.pyplot as plt
import pytest

from nn_tutorial.pages.show import (
    certificate_figure,
    power,
    publish,
    show_certificate,
    show_derivation,
    show_equations,
)
from nn_tutorial.tables import UnknownNameError
from nn_tutorial.verify.theories import THEORIES


@pytest.fixture
def shown(monkeypatch: pytest.MonkeyPatch) -> list[Any]:
    found: list[Any] = []
    monkeypatch.setattr(IPython.display, "display", lambda data, **_: found.append(data))
    return found


def test_equations_come_with_their_check(shown: list[Any]) -> None:
    show_equations("linear", "Y", "dX")
    text = shown[0].data
    assert r"\frac{\partial L}{\partial X_{ni}} &= \sum_{k}" in text
    assert "checked at this build: 6 shapes, largest relative error $" in text
    assert "$W$: D×K" in text
    for relation in ("layer", "complex step", "einsum"):
        assert f"| {relation} | 6 |" in text
    assert "derivation" in text


def test_unknown_equation(shown: list[Any]) -> None:
    with pytest.raises(ValueError, match=r"expected one of \['Y', 'dX'\], got 'dW'"):
        show_equations("relu", "dW")
    assert shown == []


@pytest.mark.parametrize("function", [show_equations, show_derivation, show_certificate])
def test_unknown_layer_says_where_to_add_it(shown: list[Any], function: Any) -> None:
    with pytest.raises(UnknownNameError, match=r"nn_tutorial/verify/theories/group_norm\.py"):
        function("group_norm")
    assert shown == []


def test_unknown_derivation(shown: list[Any]) -> None:
    with pytest.raises(ValueError, match=r"of the 1 derivations in .*relu\.py.* got 1"):
        show_derivation("relu", 1)
    assert shown == []


@pytest.mark.parametrize("name", [n for n, theory in THEORIES.items() if theory.derivations])
def test_derivations_come_with_their_reasons(shown: list[Any], name: str) -> None:
    for number, derivation in enumerate(THEORIES[name].derivations):
        show_derivation(name, number)
        text = shown[-1].data
        for i, step in enumerate(derivation.steps, 1):
            assert rf"\text{{({i})}}" in text
            assert f"{i}. {step.reason}" in text
        assert "checked at this build" in text


def test_certificate_is_a_table(shown: list[Any]) -> None:
    rows = show_certificate("relu")
    lines = shown[0].data.splitlines()
    assert len(lines) == len(rows) + 2 == 14
    assert all(line.count("|") == 7 for line in lines)
    assert "| – |" in lines[2]  # no complex step through a comparison


def test_a_folded_certificate_is_the_same_table(shown: list[Any]) -> None:
    show_certificate("relu")
    show_certificate("relu", folded=True)
    first, _, *rest = shown[1].data.splitlines()
    assert first == '??? abstract "The certificate in numbers"'
    assert "\n".join(line.removeprefix("    ") for line in rest) == shown[0].data


def test_certificate_figure(shown: list[Any]) -> None:
    fig = certificate_figure(show_certificate("relu"))
    labels = [label.get_text() for label in fig.axes[0].get_yticklabels()]
    assert labels == ["PyTorch", "central differences"]
    assert sum(len(line.get_xdata()) for line in fig.axes[0].lines) == 24
    plt.close(fig)


@pytest.mark.parametrize(
    ("value", "text"), [(0.0, "0"), (3.2e-16, r"3 \cdot 10^{-16}"), (1.0, r"1 \cdot 10^{0}")]
)
def test_power(value: float, text: str) -> None:
    assert power(value) == text


def test_publish(shown: list[Any]) -> None:
    publish("some.json", {"a": 1})
    assert shown == [{"application/json": {"a": 1}, "text/plain": "some.json"}]
