"""What a submission may do to the grader: nothing. Each gets a message, and the grader goes on."""

from pathlib import Path

import numpy as np
import psutil
import pytest

from nn_tutorial.exercises import EXERCISES, Limits, Report, grade, prisons
from nn_tutorial.exercises.__main__ import main
from nn_tutorial.exercises.sandbox import StartError

QUICK = Limits(seconds=0.5, memory=1 << 30, whole=20)
GOOD = "def relu_backward(dy, x):\n    return dy * (x > 0)\n"


def graded(tmp_path: Path, text: str, limits: Limits = QUICK) -> Report:
    source = tmp_path / "relu.py"
    source.write_text("import numpy as np\n" + text, encoding="utf-8")
    before = source.read_bytes()
    report = grade(EXERCISES["relu"], source, limits=limits)
    assert source.read_bytes() == before
    assert report.tests == 13
    assert len(report.functions) == 2
    return report


BAD = {
    "raises": ("raise KeyError('k')", "KeyError"),
    "raises what it should not": ("raise BaseException('odd')", "BaseException: odd"),
    "raises an error that cannot be printed": (
        "class E(Exception):\n        def __str__(self): raise E()\n    raise E()",
        "raised E",
    ),
    "loops for ever": ("\n    while True: pass", "stopped after 0.5 s"),
    "loops for ever and catches all": (
        "\n    while True:\n        try:\n            while True: pass\n"
        "        except Exception: pass",
        "stopped after 0.5 s",
    ),
    "sleeps for ever": ("__import__('time').sleep(1000)", "stopped after 0.5 s"),
    "exits": ("raise SystemExit(0)", "ends the program"),
    "exits at once": ("__import__('os')._exit(0)", "ended in the middle"),
    "crashes": ("__import__('faulthandler')._sigsegv()", "ended in the middle"),
    "takes all memory": ("return np.ones(1 << 33)", "more memory"),
    "recurses for ever": ("return relu(x)", "RecursionError"),
    "returns nothing": ("pass", "returned None"),
    "returns a text": ("return 'y'", "returned str"),
    "returns two things": ("return x, x", "returned 2 things"),
    "returns objects": ("return x.astype(object)", "array of object"),
    "returns too much": ("return np.zeros((2000, 1000))", "2000000 elements"),
    "imports the reference": ("import nn_tutorial", "imports `nn_tutorial`"),
    "imports PyTorch": ("from torch import relu", "imports `torch`"),
    "imports SciPy": ("import scipy.special", "imports `scipy`"),
    "reads a file of others": (
        "open('/etc/hosts')",
        "reading a file of others (line 3: `open('/etc/hosts')`). It may compute, print, and read "
        "files of its own folder, but not read or write others",
    ),
    "looks around": ("__import__('os').listdir('/')", "looking into a folder of others"),
    "reads from an empty slice": (
        "return x[..., 5:2] + x",
        "The shapes in this line: x (2, 3). One of the shapes has a 0 in it: a slice in this line "
        "is empty.",
    ),
    "writes a file": ("open('/tmp/never-written', 'w')", "writing a file"),
    "removes a file": ("__import__('os').remove('/tmp/never-written')", "os.remove"),
    "starts a program": ("__import__('subprocess').run(['true'])", "subprocess"),
    "starts a shell": ("__import__('os').system('true')", "os.system"),
    "uses the network": (
        "__import__('socket').create_connection(('127.0.0.1', 9))",
        "socket",
    ),
    "loads a library": ("__import__('ctypes').CDLL(None)", "ctypes"),
    "asks the keyboard": ("input()", "EOFError"),
}


@pytest.mark.parametrize("name", BAD)
def test_a_submission_that_misbehaves_gets_a_message(tmp_path: Path, name: str) -> None:
    """The other function of the file is graded all the same."""
    body, message = BAD[name]
    report = graded(tmp_path, f"def relu(x):\n    {body}\n{GOOD}")
    first, second = report.functions
    assert not any(first.passed)
    assert message in " ".join(first.messages), first.messages
    assert not first.diagnoses
    assert all(second.passed), second
    assert message in repr(report).replace("\n", " ")
    assert not Path("/tmp/never-written").exists()


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("def relu(x:\n", "SyntaxError"),
        ("while True: pass\n", "Your file was stopped after 0.5 s (line 2: `while True: pass`)"),
        ("import time\ntime.sleep(1000)\n", "while it was read in: no function was called yet"),
        ("raise SystemExit\n", "ends the program"),
        ("import os; os._exit(3)\n", "ended in the middle"),
        ("from nn_tutorial import relu\n", "imports `nn_tutorial`"),
        ("relu = 3\n", "no function called `relu`"),
        ("", "no function called `relu`"),
    ],
)
def test_a_file_that_cannot_be_loaded(tmp_path: Path, text: str, message: str) -> None:
    report = graded(tmp_path, text)
    assert report.right == 0
    assert message in report.functions[0].messages[0]


def test_what_is_wrong_with_the_file_is_said_once(tmp_path: Path) -> None:
    report = graded(tmp_path, f"def relu(x)\n    return x\n{GOOD}")
    text = " ".join(repr(report).split())
    assert text == (
        "✗ ReLU, forward and backward: 0 of 13 tests passed Your code raised SyntaxError: "
        "expected ':' (line 2: `def relu(x)`)."
    )


@pytest.mark.parametrize(
    ("content", "message"),
    [
        (b"", "The file is empty."),
        (b" \n\t\n", "The file is empty."),
        (GOOD.encode("utf-16"), "saved as UTF-16"),
        (GOOD.encode("utf-16-le"), "there UTF-8."),
    ],
)
def test_a_file_that_is_no_python(tmp_path: Path, content: bytes, message: str) -> None:
    source = tmp_path / "relu.py"
    source.write_bytes(content)
    report = grade(EXERCISES["relu"], source, limits=QUICK)
    assert (report.right, report.tests) == (0, 13)
    assert message in report.functions[1].messages[0]
    assert " ".join(repr(report).split()).count(message) == 1


SAVE = "Python reads UTF-8: in your editor choose"


@pytest.mark.parametrize(
    ("head", "messages"),
    [
        (b"# \xfcber", ["0xfc in position 2: invalid start byte (line 1: `# \ufffdber`)", SAVE]),
        (
            b"\n\n# \xfcber",
            ["0xfc in position 4: invalid start byte (line 3: `# \ufffdber`)", SAVE],
        ),
        (b"\n\nname = '\xfcber'", ["0xfc in position 10: invalid start byte (line 3: `name", SAVE]),
        (
            b"# coding: ascii\n# \xfc",
            ["'ascii' codec can't decode byte 0xfc", "(line 2: `# \ufffd`)"],
        ),
        (b"# coding: nonsense\n", ["SyntaxError: unknown encoding: nonsense"]),
    ],
)
def test_a_file_is_read_as_python_reads_it(
    tmp_path: Path, head: bytes, messages: list[str]
) -> None:
    """`compile` takes bytes in a comment that are no UTF-8; with them no file runs."""
    source = tmp_path / "relu.py"
    body = f"def relu(x):\n    return np.maximum(x, 0)\n{GOOD}".encode()
    source.write_bytes(head + b"\nimport numpy as np\n" + body)
    report = grade(EXERCISES["relu"], source, limits=QUICK)
    assert (report.right, report.tests) == (0, 13)
    for message in messages:
        assert message in report.functions[0].messages[0]


def test_warnings_stand_apart_from_what_is_printed(tmp_path: Path) -> None:
    body = "print('mine')\n    return np.maximum(x, 0) + 0 * np.log(x - x)"
    report = graded(tmp_path, f"def relu(x):\n    {body}\n{GOOD}")
    own, _, warned = repr(report).partition("Python warned:\n")
    assert "Your code printed:\n  mine\n" in own
    assert "Warning" not in own
    assert "  relu.py:4: RuntimeWarning: divide by zero" in warned
    assert "mine" not in warned


def test_megabytes_of_print_are_cut(tmp_path: Path) -> None:
    text = "print('start')\nprint('x' * 3_000_000)\n"
    report = graded(
        tmp_path,
        f"{text}def relu(x):\n    return np.maximum(x, 0)\n{GOOD}",
    )
    assert report.passed
    assert report.printed.startswith("start")
    assert "3,000,007 characters in all" in report.printed
    assert len(report.printed) < 3000


def test_a_wrong_shape_and_a_wrong_type_are_told(tmp_path: Path) -> None:
    shape = graded(tmp_path, f"def relu(x):\n    return np.maximum(x, 0)[None]\n{GOOD}")
    assert "has the shape (1, 2, 3), expected (2, 3)" in shape.functions[0].diagnoses[0].says
    dtype = graded(tmp_path, f"def relu(x):\n    return np.maximum(x, 0).astype(float)\n{GOOD}")
    assert "float64 where the input is float32" in dtype.functions[0].diagnoses[0].says
    assert 0 < dtype.right < dtype.tests


def test_changed_inputs_are_told(tmp_path: Path) -> None:
    """Also where no known mistake has this array."""
    text = f"def relu(x):\n    y = np.maximum(x, 0)\n    x[...] = 7\n    return y\n{GOOD}"
    report = graded(tmp_path, text)
    assert not any(report.functions[0].passed)
    assert "changed its argument x" in report.functions[0].diagnoses[0].says


def test_own_modules_beside_the_file_can_be_imported(tmp_path: Path) -> None:
    (tmp_path / "mine.py").write_text("def positive(x):\n    return x > 0\n")
    report = graded(
        tmp_path, f"from mine import positive\ndef relu(x):\n    return x * positive(x)\n{GOOD}"
    )
    assert report.passed, report
    assert sorted(p.name for p in tmp_path.iterdir()) == ["mine.py", "relu.py"]


def test_no_secret_of_the_environment_comes_along(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("SECRET_TOKEN", "hush")
    report = graded(
        tmp_path,
        f"import os\nprint(dict(os.environ))\ndef relu(x):\n    return np.maximum(x, 0)\n{GOOD}",
    )
    assert "hush" not in report.printed
    assert "OMP_NUM_THREADS" in report.printed


def test_nothing_is_left_running(tmp_path: Path) -> None:
    """A thread that never ends goes with its process, which has the folder among its arguments."""
    text = (
        "import threading\ntry:\n"
        "    threading.Thread(target=lambda: [None for _ in iter(int, 1)], daemon=False).start()\n"
        "except RuntimeError: pass  # the user may have no more processes\n"
    )
    report = graded(tmp_path, f"{text}def relu(x):\n    return np.maximum(x, 0)\n{GOOD}")
    assert report.passed
    running = [" ".join(p.info["cmdline"] or ()) for p in psutil.process_iter(["cmdline"])]
    assert any("pytest" in command for command in running)
    assert not any(str(tmp_path) in command for command in running)


def test_a_machine_that_cannot_start_python_is_told(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    (tmp_path / "relu.py").write_text(GOOD)
    monkeypatch.setattr(prisons, "NUMPY", tmp_path)
    monkeypatch.setattr(prisons, "best", lambda: prisons.process)
    with pytest.raises(OSError, match=r"could not start Python.*: No module named 'numpy'"):
        grade(EXERCISES["relu"], tmp_path / "relu.py")
    assert main(["check", "relu", "--dir", str(tmp_path)]) == 2
    assert "could not start Python" in capsys.readouterr().err


@pytest.mark.parametrize("python", ["", None, "nowhere/python", "."])
def test_a_python_that_is_not_there_is_told(
    python: str | None,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    (tmp_path / "relu.py").write_text(GOOD, encoding="utf-8")
    monkeypatch.setattr("sys.executable", python)
    prisons.use(prisons.process)
    try:
        with pytest.raises(StartError, match=r"^this machine could not start Python: "):
            grade(EXERCISES["relu"], tmp_path / "relu.py")
        assert main(["check", "relu", "--dir", str(tmp_path)]) == 2
    finally:
        prisons.use(None)
    assert "could not start Python" in capsys.readouterr().err


def test_a_missing_file_is_an_error(tmp_path: Path) -> None:
    with pytest.raises(FileNotFoundError, match="source"):
        grade(EXERCISES["relu"], tmp_path / "nothing.py")


def test_one_slow_call_does_not_run_again(tmp_path: Path) -> None:
    """A function that never ends costs its time once, not once a test."""
    calls = "print('called', flush=True)"
    report = graded(tmp_path, f"def relu(x):\n    {calls}\n    while True: pass\n{GOOD}")
    assert report.printed.count("called") == 1
    assert len(report.functions[0].passed) == 6
    assert np.sum(report.functions[0].passed) == 0
