"""How many words a page has, and the time that they take."""

import pytest

from nn_tutorial.pages.reading_time import WORDS_A_MINUTE, minutes, symbols, words


@pytest.mark.parametrize(
    ("prose", "count"),
    [
        (["Two words.", "And the reader's three-fold."], 6),
        (["A value {{ x:.2f }}, `some code` and $a + b$."], 8),
        (["one ```\nnot this\n``` two <!-- equation not-this -->"], 2),
        (["An [address](../layers/relu.py#how-a-unit-dies){ .button } is [not](a.md) read."], 5),
        (["The rule\n\n$$a = b$$\n\nis short."], 7),
        ([], 0),
    ],
)
def test_words(prose: list[str], count: int) -> None:
    assert words(prose) == count


@pytest.mark.parametrize(
    ("tex", "count"),
    [
        (r"Y = XW + b", 6),
        (r"\frac{\partial L}{\partial x_{nd}} = 0", 9),
        (r"\boxed{\begin{aligned} y &= 12.5 \\[3pt] &+ \text{one more word} \end{aligned}}", 7),
        (r"\left(\hat x_n\right)\,\rho", 3),
    ],
)
def test_a_symbol_is_a_word(tex: str, count: int) -> None:
    assert symbols(tex) == count


def test_captions_are_read_and_code_is_not() -> None:
    code = 'show(fig, alt="not read", caption=(f"Of {n:,} rows " "the first."))\nx = "not read"'
    assert words(["Text."], [code]) == 6
    assert words(["Text."], ['show(fig, caption="It falls.")']) == 3


def test_minutes() -> None:
    assert minutes(0) == "1 minute"
    assert minutes(12 * WORDS_A_MINUTE) == "12 minutes"
