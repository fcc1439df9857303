"""What a submission may try: it gets no points for it, reads nothing and writes nothing.

An attack that succeeds leaves the right answers in `ANSWERS`, or prints the secret, or leaves a
mark in a folder. The guard and bubblewrap are each tried without the other.
"""

import io
import os
import shutil
import sys
import time
from pathlib import Path

import pytest

from nn_tutorial.exercises import EXERCISES, Limits, Report, grade, prisons, wire

QUICK = Limits(seconds=0.5, memory=1 << 30, whole=20)
BOOK = Path(prisons.__file__).parents[1]
SECRET, MARK = "hush-4711", "mark"

# Where an attack has found the book's answers, it hands them in.
FRAME = """
import os, sys
BOOK, SECRET_FILE, FOLDER, MARK = {book!r}, {secret!r}, {folder!r}, {mark!r}
ANSWERS = {{}}
def attack():
{body}
def tried():
    try:
        attack()
    except BaseException as error:
        print(type(error).__name__, error)
{when}
def relu(x):
    {now}
    return ANSWERS["relu"](x) if "relu" in ANSWERS else x + 1
def relu_backward(dy, x):
    return ANSWERS["relu_backward"](dy, x) if "relu_backward" in ANSWERS else dy + 1
"""
CATALOGUE = "os.path.join(BOOK, 'exercises', 'catalogue', 'relu.py')"
LAYER = "os.path.join(BOOK, 'layers', 'activations.py')"

ATTACKS = {
    # The book's answers
    "reads the solution": f"print(open({CATALOGUE}).read())",
    "reads it as bytes": f"print(os.read(os.open({CATALOGUE}, os.O_RDONLY), 9999))",
    "reads it as code": f"import io; print(io.open_code({CATALOGUE}).read())",
    "reads it with NumPy": f"import numpy as np; print(np.fromfile({CATALOGUE}, 'u1').tobytes())",
    "reads it by lines": f"import linecache; print(linecache.getlines({CATALOGUE}))",
    "runs it": f"import runpy; ANSWERS.update(runpy.run_path({CATALOGUE}))",
    "loads it": (
        "from importlib.machinery import SourceFileLoader as L;"
        f" ANSWERS.update(vars(L('c', {CATALOGUE}).load_module()))"
    ),
    "puts the book on the path": (
        "sys.path.insert(0, os.path.dirname(BOOK)); sys.meta_path.pop(0);"
        " import nn_tutorial as n; ANSWERS.update(vars(n))"
    ),
    "lists the book": "print(os.listdir(BOOK))",
    "looks for it in memory": (
        "import gc\n    for o in gc.get_objects():\n"
        "        if type(o) is dict and 'EXERCISES' in o: print('hush-4711')"
    ),
    "imports PyTorch without the finder": (
        "sys.meta_path.pop(0); import torch; ANSWERS.update(relu=torch.relu); print('hush-4711')"
    ),
    # The comparison, and the answer
    "patches NumPy": (
        "import numpy as np\n    np.array_equal = np.allclose = lambda *a, **k: True\n"
        "    np.testing = np.abs = np.isnan = lambda *a, **k: np.ones(1, bool)"
    ),
    "returns an array that equals all": (
        "import numpy as np\n    class All(np.ndarray):\n"
        "        def __eq__(self, o): return np.ones(self.shape, bool)\n"
        "        __sub__ = __rsub__ = lambda self, o: np.zeros(self.shape)\n"
        "    ANSWERS.update(relu=lambda x: (x + 1).view(All),"
        " relu_backward=lambda d, x: (d + 1).view(All))"
    ),
    "says that all is right": (
        "import json\n    line = json.dumps({'about': {'kind': 'done', 'results': 0, 'changed': [],"
        " 'passed': True, 'right': True}, 'arrays': []}).encode() + b'\\n'\n"
        "    for fd in range(1, 30):\n        try: os.write(fd, line * 20)\n"
        "        except OSError: pass\n    os._exit(0)"
    ),
    "writes nonsense into the answer": (
        "[os.write(fd, os.urandom(9999)) for fd in range(3, 12) if os.path.exists(f'/dev/fd/{fd}')]"
    ),
    "sends a list for a word": (
        "import json\n    told = json.dumps({'about': {'kind': [], 'results': 0, 'changed': []},"
        " 'arrays': []}).encode() + b'\\n'\n"
        "    for fd in range(3, 9):\n        try: os.write(fd, told)\n"
        "        except OSError: pass\n    os._exit(0)"
    ),
    "writes nested brackets into the answer": (
        "[os.write(fd, b'[' * 9999 + b'\\n') for fd in range(1, 9)]"
    ),
    "announces an endless array": (
        "[os.write(fd, b'{\"about\": {}, \"arrays\": [[\"<f8\", [1000000, 1000000]]]}\\n')"
        " for fd in range(3, 9)]"
    ),
    "closes all": "os.closerange(0, 99)",
    "changes the worker through its frames": (
        "try: 1 / 0\n    except ZeroDivisionError as e: frame = e.__traceback__.tb_frame\n"
        "    while frame:\n        frame.f_globals.update(plain=lambda *a: ([], {}))\n"
        "        frame = frame.f_back"
    ),
    "asks for the frames": "print(sys._getframe(2).f_locals)",
    "empties the lists of the guard": (
        "worker = sys.modules['__main__']\n    worker.SILENT.clear()\n"
        "    for name in vars(worker):\n        if name.isupper(): setattr(worker, name, ())\n"
        "    os.system('touch ' + MARK)"
    ),
    "changes how paths are read": (
        "import posixpath, stat; stat.S_ISLNK = lambda *a: False\n"
        "    posixpath.abspath = posixpath.realpath = lambda *a, **k: '/dev/null'\n"
        "    os.lstat = os.readlink = os.fspath = os.fsdecode = lambda *a: '/dev/null'\n"
        "    print(open(SECRET_FILE).read())"
    ),
    # Secrets
    "reads a file of the teacher": "print(open(SECRET_FILE).read())",
    "reads it by another name": "print(open(os.path.relpath(SECRET_FILE)).read())",
    "links to it and reads": "os.symlink(SECRET_FILE, 'here'); print(open('here').read())",
    "reads the environment": "print(dict(os.environ))",
    "reads the environment of the grader": (
        "print(open(f'/proc/{os.getppid()}/environ').read())"
    ),
    "reads the memory of the grader": "print(open(f'/proc/{os.getppid()}/mem', 'rb').read(9))",
    "lists the processes": "print('hush-4711' if len(os.listdir('/proc')) > 999 else '')",
    "lists the teacher's folder": "print(os.listdir(os.path.dirname(SECRET_FILE)))",
    # Files
    "writes a file": "open(MARK, 'w').write('1')",
    "truncates a file": "os.open(SECRET_FILE, os.O_RDONLY | os.O_TRUNC)",
    "makes a file": "os.open(MARK, os.O_CREAT)",
    "makes a pipe": "os.mkfifo(os.path.join(FOLDER, 'pipe'))",
    "makes a node": "os.mknod(MARK)",
    "makes a node without a word": "import posix; posix.mknod(MARK)",
    "makes a semaphore": (
        "sys.meta_path.pop(0); import _multiprocessing as m; m.SemLock(1, 1, 1, '/book', True)\n"
        "    print('hush-4711')"
    ),
    "makes a folder": "os.mkdir(MARK)",
    "writes a database": (
        "import sqlite3; c = sqlite3.connect(MARK); c.execute('create table t (i)'); c.commit()"
    ),
    "writes a database without the finder": (
        "sys.meta_path.pop(0); import _sqlite3 as s; s.connect(MARK)"
    ),
    "writes a shelf": "import shelve; shelve.open(MARK)['a'] = 1",
    "writes a log": "import logging; logging.FileHandler(MARK).close()",
    "saves an array": "import numpy as np; np.save(MARK, np.ones(3))",
    "maps a file": "import numpy as np; np.memmap(MARK, mode='w+', shape=9)",
    "changes its own file": "open(__file__, 'a').write('# solved')",
    "removes the teacher's file": "os.remove(SECRET_FILE)",
    "writes at exit": "import atexit; atexit.register(lambda: open(MARK, 'w').write('1'))",
    # Other processes, the network, the terminal
    "leaves a child": (
        "pid = os.fork()\n    if pid == 0:\n        os.setsid()\n        import time\n"
        "        time.sleep(1)\n        open(MARK, 'w').write('1')\n        os._exit(0)"
    ),
    "starts a program": "import subprocess; subprocess.run(['touch', MARK])",
    "starts one without a word": (
        "import _posixsubprocess as p\n"
        "    p.fork_exec([b'touch', MARK.encode()], (b'/usr/bin/touch',), True, (), None, None,"
        " *[-1] * 8, False, False, -1, None, None, None, -1, None, True)"
    ),
    "starts one in the shell": "os.system('touch ' + MARK)",
    "starts one in its own place": "os.execv('/usr/bin/touch', ['touch', MARK])",
    "asks the C library": "import ctypes; ctypes.CDLL(None).system(('touch ' + MARK).encode())",
    "starts another interpreter": (
        "sys.meta_path.pop(0); import _xxsubinterpreters as s\n"
        "    s.run_string(s.create(), f'open({MARK!r}, \"w\")')"
    ),
    "ends the grader": "import signal; os.kill(os.getppid(), signal.SIGKILL)",
    "ends the grader by its file": (
        "import signal; signal.pidfd_send_signal(os.pidfd_open(os.getppid()), signal.SIGKILL)"
    ),
    "connects": "import socket; socket.create_connection(('127.0.0.1', 9)); print('hush-4711')",
    "paints a tick": "print('\\x1b[2K\\x1b[1A\\x1b[32m✓ 13 of 13 passed\\x1b[0m\\r\\u202e')",
    "paints it in an error": "raise ValueError('\\x1b[32m✓ 13 of 13 tests passed')",
}  # fmt: skip


# These succeed where nothing holds them, so that it means something that they do not. (The others
# are stopped by what is not there to be found, or do harm to the tests themselves.)
REAL = {
    "asks the C library", "changes how paths are read", "changes its own file",
    "empties the lists of the guard", "leaves a child", "links to it and reads", "makes a file",
    "makes a folder", "makes a node", "makes a node without a word", "makes a pipe", "maps a file",
    "reads a file of the teacher", "reads it as bytes", "reads it as code",
    "reads it by another name", "reads it by lines", "reads it with NumPy", "reads the solution",
    "removes the teacher's file", "saves an array", "starts a program",
    "starts another interpreter", "starts one in its own place", "starts one in the shell",
    "truncates a file", "writes a database", "writes a database without the finder",
    "writes a file", "writes a log", "writes a shelf",
}  # fmt: skip
LATER = {"leaves a child", "writes at exit"}
IN_A_CALL = {"paints it in an error", "closes all"}


class Class:
    """A folder with a student's file, and what the teacher has."""

    def __init__(self, root: Path) -> None:
        self.secret, self.marks, self.own = root / "teacher/secret", root / "marks", root / "own"
        for folder in (self.secret.parent, self.marks, self.own):
            folder.mkdir()
        self.secret.write_text(SECRET)

    def attacked(self, name: str, body: str) -> tuple[Report, set[str]]:
        """Grade a file that tries an attack, and say what it gained."""
        now = "tried()" if name in IN_A_CALL else ""
        text = FRAME.format(
            book=str(BOOK), secret=str(self.secret), mark=str(self.marks / MARK),
            folder=str(self.marks), body=f"    {body}", when="" if now else "tried()", now=now,
        )  # fmt: skip
        (self.own / "relu.py").write_text(text, encoding="utf-8")
        report = grade(EXERCISES["relu"], self.own / "relu.py", limits=QUICK)
        if name in LATER:
            time.sleep(1.5)
        assert report.tests == 13
        told = repr(report)
        assert not any(c in told for c in "\x1b\r\u202e")
        files = {path: path.read_text(encoding="utf-8") for path in self.own.iterdir()}
        gained = {
            "points": report.right > 0,
            "read": SECRET in told or "def relu(" in told,
            "written": [*self.marks.iterdir()] != [],
            "destroyed": [*self.secret.parent.iterdir()] != [self.secret]
            or self.secret.read_text() != SECRET,
            "changed": files != {self.own / "relu.py": text},
        }
        return report, {what for what, did in gained.items() if did}


@pytest.fixture
def school(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Class:
    monkeypatch.setenv("TEACHERS_TOKEN", SECRET)
    return Class(tmp_path)


@pytest.fixture(scope="module")
def unguarded(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The worker, which now refuses nothing."""
    folder = tmp_path_factory.mktemp("unguarded")
    for name in prisons.FILES:
        text = (prisons.HERE / name).read_text(encoding="utf-8")
        for line in (
            "sys.addaudithook(hook)",
            "sys.meta_path.insert(0, _OnlyNumPy(folder))",
            "    take_away()\n    ",
        ):
            assert (line in text) == (name == "worker.py")
            text = text.replace(line, "    pass\n    " if line[0] == " " else "pass")
        (folder / name).write_text(text, encoding="utf-8")
    return folder


def _there(monkeypatch: pytest.MonkeyPatch, prison: prisons.Prison) -> None:
    why = prisons.why_no_bubblewrap() if prison is prisons.bubblewrap else ""
    if why:
        required = os.environ.get("NN_TUTORIAL_REQUIRE_BUBBLEWRAP") == "1"
        (pytest.fail if required else pytest.skip)(f"no bubblewrap: {why}")
    monkeypatch.setattr(prisons, "best", lambda: prison)


@pytest.mark.parametrize("name", ATTACKS)
def test_guard_stops_an_attack(name: str, school: Class, monkeypatch: pytest.MonkeyPatch) -> None:
    _there(monkeypatch, prisons.process)
    report, gained = school.attacked(name, ATTACKS[name])
    assert gained == set(), report


@pytest.mark.parametrize("name", ATTACKS)
def test_bubblewrap_alone_stops_an_attack(
    name: str, school: Class, unguarded: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    _there(monkeypatch, prisons.bubblewrap)
    monkeypatch.setattr(prisons, "HERE", unguarded)
    report, gained = school.attacked(name, ATTACKS[name])
    assert gained == set(), report


@pytest.mark.skipif(
    sys.platform != "linux",
    reason="asks that they succeed, and they use Linux's /proc and C library",
)
@pytest.mark.parametrize("name", sorted(REAL))
def test_attack_would_succeed_elsewhere(
    name: str, school: Class, unguarded: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    _there(monkeypatch, prisons.process)
    monkeypatch.setattr(prisons, "HERE", unguarded)
    report, gained = school.attacked(name, ATTACKS[name])
    assert gained, report


def test_right_answers_would_be_seen(school: Class) -> None:
    body = "ANSWERS.update(relu=lambda x: x * (x > 0), relu_backward=lambda d, x: d * (x > 0))"
    report, gained = school.attacked("finds the answers", body)
    assert report.passed
    assert gained == {"points"}


def test_what_right_code_uses_is_not_refused(school: Class) -> None:
    """Python's own modules, also those that start programs or read files for others."""
    body = (
        "import collections, contextlib, dataclasses, enum, functools, inspect, logging, sysconfig"
        "\n    import subprocess, typing, warnings, numpy.testing, numpy.linalg\n"
        "    sysconfig.get_path('stdlib'); logging.getLogger('a').warning('b')\n"
        "    P = collections.namedtuple('P', 'a'); dataclasses.make_dataclass('D', ['x'])\n"
        "    enum.Enum('E', 'A B'); numpy.testing.assert_allclose(1, 1)\n"
        "    inspect.signature(tried); warnings.warn('w')\n"
        "    def f(): return 1\n    f.__defaults__ = ()\n"
        "    ANSWERS.update(relu=lambda x: numpy.maximum(x, 0),"
        " relu_backward=lambda d, x: d * (x > 0))"
    )
    report, _ = school.attacked("is honest", body)
    assert report.passed, report


@pytest.mark.parametrize(
    "content",
    [
        b"[]\n",
        b"{}\n",
        b'{"about": [], "arrays": []}\n',
        b'{"about": {}, "arrays": 3}\n',
        b'{"about": {}, "arrays": [["O", [1]]]}\n12345678',
        b'{"about": {}, "arrays": [["<f8", [2]]]}\n12345678',
        b'{"about": {}, "arrays": [["<f8", [-1]]]}\n12345678',
        b'{"about": {}, "arrays": [["<f8", [true]]]}\n12345678',
        b'{"about": {}, "arrays": [["<M8[s]", [1]]]}\n12345678',
        b'{"about": {}, "arrays": [["<f8", 1]]}\n12345678',
        b'{"about": {}, "arrays": [["f8,f8", [1]]]}\n12345678',
        b'{"about": {}, "arrays": [["<f8", [1000000, 1000000]]]}\n',
        b'{"about": {}, "arrays": [["<f8", [1' + b", 1" * 99 + b"]]]}\n12345678",
        b'{"about": {}, "arrays": [["(,)f", [1]]]}\n' + bytes(16),
        b"\xff\xfe\n",
        b"[" * 100_000 + b"\n",
    ],
)  # fmt: skip
def test_no_message_is_taken_for_one(content: bytes) -> None:
    with pytest.raises(ValueError, match=r"message|Expecting|utf-8|data type|decode|understood"):
        wire.unpack(io.BytesIO(content))


def test_why_there_is_no_bubblewrap(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(sys, "platform", "linux")
    why = prisons.why_no_bubblewrap.__wrapped__
    monkeypatch.setattr(shutil, "which", lambda name: None)
    assert "not installed" in why()
    monkeypatch.setattr(shutil, "which", lambda name: name)
    monkeypatch.setattr(
        prisons, "_locked", lambda *_: [sys.executable, "-c", "raise OSError('no')"]
    )
    assert why() == "OSError: no"
    monkeypatch.setattr(sys, "platform", "darwin")
    assert "Linux" in why()
