"""How many words a page has, and the time that they take."""

import pytest

from nn_tutorial.pages.reading_time import WORDS_A_MINUTE, minutes, words


@pytest.mark.parametrize(
    ("prose", "count"),
    [
        (["Two words.", "And the reader's three-fold."], 6),
        (["A value {{ x:.2f }}, `some code` and $a + b$."], 6),
        (["$$a = b$$ one ```\nnot this\n``` two"], 2),
        ([], 0),
    ],
)
def test_words(prose: list[str], count: int) -> None:
    assert words(prose) == count


def test_minutes() -> None:
    assert minutes(0) == "1 minute"
    assert minutes(12 * WORDS_A_MINUTE) == "12 minutes"
