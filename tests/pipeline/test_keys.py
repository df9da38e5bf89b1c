"""Keys of steps: they change with everything that a step's result depends on, and with no more."""

from __future__ import annotations

import socketserver
import threading
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path

import nbformat
import pytest

from jupyter_mlops import notebook as notebooks
from jupyter_mlops.events import ignore
from jupyter_mlops.pipeline import dataflow, parameters, steps
from jupyter_mlops.pipeline.execute import Execution, SplitRun
from jupyter_mlops.pipeline.keys.step import StepKey, with_verdict
from jupyter_mlops.pipeline.plan import make_plan
from jupyter_mlops.pipeline.server import StepServer
from jupyter_mlops.runtime.handover.models import Committed
from jupyter_mlops.runtime.parameters import effective
from tests.equivalence.case import KERNEL
from tests.equivalence.ours import _place

pytestmark = pytest.mark.slow

CELLS = [
    "alpha = 2\nbeta = 3",
    "def double(v):\n    return v * 2",
    "import random\n\nrandom.seed(1)",
    "base = [alpha, 1]",
    "text = open('data.txt').read()",
    "import keys_local\n\nlocal = keys_local.answer(3)",
    "drawn = random.random()",
    "result = double(base[0]) + 1",
    "print(result, beta)",
]
FILES = {"data.txt": "one", "keys_local.py": "def answer(v):\n    return v + 1\n"}
EVERY = set(range(1, len(CELLS) + 1))


@pytest.fixture(scope="module")
def server() -> Iterator[StepServer]:
    with StepServer(_place(), 2, ignore) as found:
        yield found


def run(
    folder: Path,
    server: StepServer,
    cells: Sequence[str] = CELLS,
    files: dict[str, str] = FILES,
    given: dict[str, int] | None = None,
    environment: str = "lock",
) -> SplitRun:
    work = folder / "work"
    folder = folder / "beside"
    folder.mkdir(parents=True, exist_ok=True)
    node = nbformat.v4.new_notebook(metadata=KERNEL)
    node.cells = [nbformat.v4.new_code_cell(text) for text in cells]
    node.cells[0].metadata["tags"] = ["parameters"]
    nbformat.write(node, folder / "notebook.ipynb")
    for name, text in files.items():
        (folder / name).write_text(text)
    source = notebooks.read(folder / "notebook.ipynb")
    found = parameters.find(source)
    flow = dataflow.analyze(source.cells, [p.name for p in found.parameters])
    execution = Execution(
        source,
        flow,
        steps.extract(source, found),
        how="cells",
        place=_place(),
        beside=folder,
        work=work,
        parameters=given or {},
        effective=effective(found.parameters, given or {}),
        environment=environment,
    )
    ran = execution.run_on(server)
    assert ran.state == "succeeded", ran.error
    return ran


def by_cell(ran: SplitRun) -> dict[int, StepKey]:
    pairs = zip(ran.plan.steps, ran.keys, strict=True)
    return {cell: key for step, key in pairs for cell in step.cells}


@pytest.fixture(scope="module")
def first(server: StepServer, tmp_path_factory: pytest.TempPathFactory) -> dict[int, StepKey]:
    return by_cell(run(tmp_path_factory.mktemp("first"), server))


Change = Callable[[dict[str, object]], None]


def cell(number: int, old: str, new: str) -> Change:
    def change(arguments: dict[str, object]) -> None:
        cells = list(CELLS)
        assert old in cells[number - 1]
        cells[number - 1] = cells[number - 1].replace(old, new)
        arguments["cells"] = cells

    return change


def file(name: str, text: str) -> Change:
    return lambda arguments: arguments.update(files={**FILES, name: text})


#: What is changed, and the cells whose keys must change; every other one must not.
HONESTY: dict[str, tuple[Change, set[int]]] = {
    "nothing, in another folder": (lambda arguments: None, set()),
    "a comment": (cell(8, "+ 1", "+ 1  # one more"), set()),
    "whitespace": (cell(4, "[alpha, 1]", "[ alpha,\n  1 ]"), set()),
    "a comment in a helper": (cell(2, "return", "# twice\n    return"), set()),
    "a constant": (cell(8, "+ 1", "+ 2"), {8, 9}),
    "code that gives the same value": (cell(8, "+ 1", "+ (2 - 1)"), {8}),
    "a helper's body": (cell(2, "* 2", "* 3"), {2, 8, 9}),
    "a value that nobody looks at": (cell(4, "1]", "5]"), {4, 8}),
    "a semicolon that hides a value": (cell(9, "beta)", "beta);"), {9}),
    "a name that is new": (cell(9, "print(", "shown = print("), {9}),
    "a byte of a file": (file("data.txt", "onf"), {5, 6}),
    "a local module": (file("keys_local.py", "def answer(v):\n    return v + 2\n"), {6}),
    "a file beside a local module": (file("more.txt", "more"), {6}),
    "the seed": (cell(3, "seed(1)", "seed(2)"), {3, 7}),
    "the environment": (lambda arguments: arguments.update(environment="another"), EVERY),
    "a parameter": (lambda arguments: arguments.update(given={"alpha": 7}), {1, 4, 8, 9}),
    "another parameter": (lambda arguments: arguments.update(given={"beta": 7}), {1, 9}),
    "a parameter given as its default": (lambda a: a.update(given={"beta": 3}), set()),
}


@pytest.mark.parametrize("what", HONESTY)
def test_cache_honesty(
    what: str, tmp_path: Path, server: StepServer, first: dict[int, StepKey]
) -> None:
    change, wanted = HONESTY[what]
    arguments: dict[str, object] = {}
    change(arguments)
    now = by_cell(run(tmp_path / "elsewhere", server, **arguments))  # type: ignore[arg-type]
    changed = {number for number in EVERY if now[number].digest != first[number].digest}
    assert changed == wanted, {n: (first[n].parts, now[n].parts) for n in changed ^ wanted}
    assert all(key.cacheable for key in now.values()), now


def test_no_two_steps_have_one_key(first: dict[int, StepKey]) -> None:
    assert len({key.digest for key in first.values()}) == len(CELLS)


VALUES = """
import collections, datetime, decimal, re
from dataclasses import dataclass

import numpy as np
import pandas as pd
from sklearn.linear_model import LogisticRegression
from sklearn.ensemble import RandomForestClassifier

@dataclass
class Point:
    x: int
    y: list

array = np.arange(12.0).reshape(3, 4)
view = array[1:]
objects = np.array(["a", None, 3], dtype=object)
frame = pd.DataFrame({"a": [1, 2], "b": ["x", "y"], "when": pd.to_datetime(["2024-01-01"] * 2)})
mixed = pd.DataFrame({"a": [1, "x"], 2: [None, {3}]})
series = frame["a"].rename("s")
words = {"one", "two", "three", "four"}
frozen = frozenset(words)
shared = [words]
table = {"k": shared, ("t", 1): b"bytes", 2.5: 1 + 2j}
point = Point(1, [shared])
many = collections.Counter("abracadabra")
day = datetime.datetime(2024, 1, 2, tzinfo=datetime.timezone.utc)
price = decimal.Decimal("1.10")
pattern = re.compile("a+")
scale = lambda v, by=3: v * by
generator = np.random.default_rng(7)
model = LogisticRegression().fit([[0.0], [1.0], [2.0]], [0, 1, 1])
forest = RandomForestClassifier(5, random_state=0).fit([[0.0], [1.0], [2.0]], [0, 1, 1])
"""


def test_two_runs_in_two_places_have_the_same_keys(tmp_path: Path) -> None:
    names = [line.split(" = ")[0] for line in VALUES.splitlines() if re_assign(line)]
    cells = ["n = 1", VALUES, f"print([type(each) for each in ({', '.join(names)},)])"]
    found = []
    for place in ("one", "two"):
        with StepServer(_place(), 2, ignore) as fresh:
            found.append(by_cell(run(tmp_path / place, fresh, cells, {})))
    one, two = found
    assert len(names) == 19
    assert set(one[3].parts["inputs"]) >= set(names) - {"scale"}
    for number in one:
        for kind, part in one[number].parts.items():
            assert part == two[number].parts[kind]
        assert one[number] == two[number]


def re_assign(line: str) -> bool:
    return bool(line[:1].strip()) and " = " in line


class _Hello(socketserver.BaseRequestHandler):
    def handle(self) -> None:
        self.request.sendall(b"HTTP/1.0 200 OK\r\n\r\nhello")


def test_the_network_is_seen_when_it_is_used(tmp_path: Path, server: StepServer) -> None:
    with socketserver.TCPServer(("127.0.0.1", 0), _Hello) as hello:
        threading.Thread(target=hello.serve_forever, daemon=True).start()
        call = f"http.client.HTTPConnection('127.0.0.1', {hello.server_address[1]})"
        cells = ["n = 1", f"import http.client\n\ntold = {call}\ntold.connect()\ntold = 5"]
        found = by_cell(run(tmp_path, server, cells, {}))
        hello.shutdown()
    assert found[1].cacheable
    assert (found[2].cacheable, found[2].reason) == (False, "it uses the network")


def test_what_the_text_hides_is_not_cached(tmp_path: Path, server: StepServer) -> None:
    cells = ["n = 1", "name = 'hidden' + '.txt'", "text = open(name).read()", "print(text)"]
    found = by_cell(run(tmp_path, server, cells, {"hidden.txt": "a"}))
    assert found[3].cacheable  # every file is declared where the path cannot be told
    cells[2] = "import io\n\ntext = getattr(io, 'op' + 'en')(name).read()"
    found = by_cell(run(tmp_path, server, cells, {"hidden.txt": "a"}))
    again = by_cell(run(tmp_path, server, cells, {"hidden.txt": "b"}))
    assert again[3].digest != found[3].digest or not found[3].cacheable


def test_without_a_lock_nothing_is_cacheable(tmp_path: Path, server: StepServer) -> None:
    found = by_cell(run(tmp_path, server, ["n = 1"], {}, environment=""))
    assert found[1].reason == "no lock says which packages it runs with"


def test_a_file_that_changes_while_the_step_runs_is_told() -> None:
    key, again = StepKey(digest="a"), StepKey(digest="b")
    quiet = Committed(step="s", position=0)
    assert with_verdict(key, key, quiet).cacheable
    assert with_verdict(key, again, quiet).reason == "a file that it reads changed while it ran"


@pytest.mark.parametrize(
    ("undeclared", "cacheable"),
    [("x", True), ("<rcParams>", True), ("<rng:numpy>", False), ("<file:a.csv>", False),
     ("<files>", False), ("<cwd>", False), ("<module:m>", False)],
)  # fmt: skip
def test_what_the_text_does_not_show_counts_if_the_key_does_not_hold_it(
    undeclared: str, cacheable: bool
) -> None:
    key = StepKey(digest="a")
    committed = Committed(step="s", position=0, undeclared=[undeclared])
    found = with_verdict(key, key, committed)
    assert found.cacheable == cacheable
    assert cacheable or undeclared in found.reason


@pytest.mark.parametrize(
    ("cells", "why"),
    [
        (["import time\nx = time.time()"], "it reads the clock (time.time)"),
        (["import requests\nx = requests.get('http://a.b')"], "it uses the network"),
        (["import pandas as pd\nx = pd.read_csv('https://a.b/c.csv')"], "it uses the network"),
        (["import random\nx = random.random()"], "cell 1 draws random numbers without a seed"),
        (["import random\nrandom.seed()"], "it draws from the system's entropy (random.seed)"),
        (["import numpy as np\nr = np.random.default_rng(None)"], "it draws from the system's"),
        (["import os\nx = os.environ['A']"], "cell 1 reads environment variables"),
        (["import os\nx = os.getenv('A')"], "cell 1 reads environment variables"),
        (["import os\nx = os.getcwd()"], "cell 1 asks for its working directory"),
        (["import platform\nx = platform.node()"], "it looks at the machine"),
        (["!date"], "a shell command may give something else each time (date)"),
        (["!cat a.txt | wget -q -O - http://a.b"], "something else each time (wget)"),
        (["!ls -l"], "something else each time (ls)"),
        (["code = input()\nexec(code)"], "cell 1: "),
    ],
)
def test_reasons_against_caching(cells: list[str], why: str, tmp_path: Path) -> None:
    (step,) = planned(cells, tmp_path)
    assert not step.cacheable
    assert why in step.reason


@pytest.mark.parametrize(
    "cells",
    [
        ["import random\nrandom.seed(3)\nx = random.random()"],
        ["import numpy as np\nr = np.random.default_rng(7)\nx = r.normal()"],
        ["import os\nos.environ['A'] = '1'"],
        ["!ls\n!cat a.txt | head -3\n!mkdir -p out"],
        ["import pandas as pd\nx = pd.read_csv('a.csv')"],
        ["from math import *\nx = cos(1)"],
    ],
)
def test_nothing_is_said_against_what_gives_the_same(cells: list[str], tmp_path: Path) -> None:
    (step,) = planned(cells, tmp_path)
    assert step.cacheable, step.reason


def planned(cells: list[str], folder: Path) -> Sequence[object]:
    node = nbformat.v4.new_notebook(metadata=KERNEL)
    node.cells = [nbformat.v4.new_code_cell(text) for text in cells]
    nbformat.write(node, folder / "notebook.ipynb")
    source = notebooks.read(folder / "notebook.ipynb")
    return make_plan(source, dataflow.analyze(source.cells), "none").steps


@pytest.mark.parametrize(("one", "other"), [("x = (", "x = )"), ("%%bash\nls", "%%bash\ndate")])
def test_code_that_is_no_python_counts_as_it_is(one: str, other: str, tmp_path: Path) -> None:
    ((first_step,), (second,)) = (planned([text], tmp_path) for text in (one, other))
    assert first_step.key != second.key
