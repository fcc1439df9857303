"""What the pages show of an exercise."""

import pytest

from nn_tutorial.pages import exercise_boxes as page


def test_a_page_shows_box_task_solution_and_mistakes(monkeypatch: pytest.MonkeyPatch) -> None:
    shown: list[str] = []
    monkeypatch.setattr("IPython.display.display", lambda item: shown.append(item.data))
    page.show_exercises("linear", "he_normal")
    page.show_task("relu")
    page.show_solution("relu")
    page.show_mistakes("relu")
    box, task, solution, mistakes = shown
    assert "(../exercises/linear.py#linear)" in box
    assert "(../exercises/initializers.py#he_normal)" in box
    assert task.count("??? question") == 3
    assert "raise NotImplementedError" in task
    assert "np.maximum(x, 0)" in solution
    assert '"""' not in solution
    assert "[the absolute value](../layers/relu.py#six-numbers-by-hand)" in mistakes
