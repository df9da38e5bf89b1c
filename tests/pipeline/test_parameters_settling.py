"""The parameters cell of the step does what editing it by hand would do."""

from __future__ import annotations

import json
import sys
from pathlib import Path
from typing import Any

import nbformat
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from jupyter_mlops import notebook
from jupyter_mlops.pipeline import parameters, steps
from jupyter_mlops.pipeline.parameters import Found
from jupyter_mlops.pipeline.run import Place, execute
from tests.notebooks import make

REPOSITORY = Path(__file__).parents[2]
HEAD = """from datetime import date, datetime
from enum import Enum
from pathlib import Path
class Mode(str, Enum):
    FAST = "fast"
    SLOW = "slow"
"""


def extracted(tmp_path: Path, source: str) -> tuple[Found, Any]:
    read = notebook.read(make(tmp_path / "n.ipynb", [("parameters", source)]))
    found = parameters.find(read)
    assert not found.problems
    return found, steps.extract(read, found)


def sources(node: Any) -> list[str]:
    return [cell.source for cell in node.cells]


def run(node: Any, injected: dict[str, Any]) -> dict[str, Any]:
    """Run a step's cells as papermill does, with the injected cell behind the first."""
    from papermill.translators import PythonTranslator

    first, *others = sources(node)
    names: dict[str, Any] = {}
    for source in (first, PythonTranslator.codify(injected), *others):
        exec(source, names)
    return names


CASES = [
    ("x = date(2024, 1, 1)", "2024-02-03", "date(2024, 2, 3)"),
    ("x: date | None = None", "2024-02-03", "date(2024, 2, 3)"),
    ("x: date | None = date(2024, 1, 1)", None, "None"),
    ("x: 'date' = '2024-01-01'", "2024-02-03", "'2024-02-03'"),
    ("x = datetime(2024, 1, 1)", "2024-02-03T04:05:00", "datetime(2024, 2, 3, 4, 5)"),
    ("x = Path('a') / 'b'", "c/d=e", "Path('c/d=e')"),
    ("x = Mode.FAST", "SLOW", "Mode.SLOW"),
    ("x: Mode | None = None", "SLOW", "Mode.SLOW"),
    ("x: Optional[Mode] = Mode.FAST", None, "None"),
    ("x = (1, 2)", [3], "(3,)"),
    ("x = {1, 2}", [3, 4], "{3, 4}"),
    ("x = {1, 2}", [], "set()"),
    ("x = frozenset([1])", [3], "frozenset([3])"),
    ("x = [(1, 2), (3,)]", [[4]], "[(4,)]"),
    ("x = ((1, 2), (3, 4))", [[5, 6]], "((5, 6),)"),
    ("x = {0: 1.0}", {"1": 2.0}, "{1: 2.0}"),
    ("x = {'a': date(2024, 1, 1)}", {"b": "2024-02-03"}, "{'b': date(2024, 2, 3)}"),
    ("x: list[date] = []", ["2024-02-03"], "[date(2024, 2, 3)]"),
    ("x = {'a': {'b': [1, None, True]}}", {"c": {"d": [0.5, "e\n\"'\\"]}}, None),
    ("x = 'a=b'", "c=d # e\n'\"\\ü", None),
]


@pytest.mark.parametrize(("line", "value", "by_hand"), CASES)
def test_an_injected_value_is_what_a_person_would_write(
    tmp_path: Path, line: str, value: Any, by_hand: str | None
) -> None:
    head = HEAD + "from typing import Optional\n"
    found, node = extracted(tmp_path, head + line)
    expected: dict[str, Any] = {}
    exec(f"{head}x = {by_hand or repr(value)}", expected)
    got = run(node, {"x": value})["x"]
    # Each run has an Enum class of its own.
    assert repr(got) == repr(expected["x"])
    if "Mode" not in line:
        assert got == expected["x"]
    default: dict[str, Any] = {}
    exec(head + line, default)
    assert repr(run(node, {})["x"]) == repr(default["x"])
    steps.set_defaults(node, {"x": value}, found)
    assert repr(run(node, {})["x"]) == repr(expected["x"])


def test_numbers_and_arrays_of_numpy(tmp_path: Path) -> None:
    line = "import numpy as np\nx = np.float32(0.5)\ny = np.array([1, 2], dtype=np.int8)"
    _, node = extracted(tmp_path, line)
    names = run(node, {"x": 0.1, "y": [3]})
    assert names["x"].dtype == "float32" and names["y"].dtype == "int8"


def test_the_generated_lines_can_be_read(tmp_path: Path) -> None:
    _, node = extracted(tmp_path, f"{HEAD}day = date(2024, 1, 1)\nmode = Mode.FAST\nend = day.year")
    assert sources(node)[1] == (
        "# Values are given as plain text, numbers and lists; here they become what is worked "
        "with.\n"
        "if isinstance(day, str):\n"
        "    day = date.fromisoformat(day)\n"
        "if not isinstance(mode, Mode):\n"
        "    mode = Mode[mode]\n"
        "end = day.year"
    )


@pytest.mark.parametrize(
    ("source", "head", "behind"),
    [
        ("a = 1\nb = 2", "a = 1\nb = 2", ""),
        ("a = 1; b = a * 2; c = 3", "a = 1; c = 3", "b = a * 2"),
        (
            "a = 1\n# twice\n@cache\ndef f():\n    return a\nb = f()\nc = 3",
            "a = 1\n# twice\n@cache\ndef f():\n    return a\nc = 3",
            "b = f()",
        ),
        ("a = 1\n# the double\nb = a * 2", "a = 1", "# the double\nb = a * 2"),
        ("%matplotlib inline\na = 1\nb = a * 2", "%matplotlib inline\na = 1", "b = a * 2"),
        ("%%time\na = 1\nb = a * 2", "%%time\na = 1", "%%time\nb = a * 2"),
        ("a = 1\n!ls {a}\nc = 2", "a = 1\nc = 2", "!ls {a}"),
        (
            "a = 1\nimport os\nos.chdir('x')\nimport here",
            "a = 1\nimport os",
            "os.chdir('x')\nimport here",
        ),
        (
            "a = 1\nprint(a)\nfrom datetime import date\nd = date(2024, 1, 1)",
            "a = 1\nfrom datetime import date\nd = date(2024, 1, 1)",
            None,
        ),
        ("a = 1\nclass C:\n    b = a", "a = 1", "class C:\n    b = a"),
        ("'''about'''\na = 1\nif a:\n    b = 2\n", "'''about'''\na = 1", "if a:\n    b = 2"),
    ],
)
def test_what_is_computed_moves(tmp_path: Path, source: str, head: str, behind: str | None) -> None:
    _, node = extracted(tmp_path, source)
    found = [*sources(node), ""]
    assert found[0] == head
    if behind is not None:
        assert found[1] == behind
        tags = [cell.metadata.tags for cell in node.cells[1:]]
        assert tags == [["derived"]] * bool(behind)


@pytest.mark.parametrize(
    ("source", "values", "expected"),
    [
        ("h = i = 3  # two", {"h": 5}, "h = i = 3; h = 5  # two"),
        ("a, b = 1, 2; c = 3", {"a": "é", "b": [1]}, "a, b = 'é', [1]; c = 3"),
        ("a: int  # how many\nb = 1", {"a": 2}, "a: int = 2  # how many\nb = 1"),
        ("x = !ls\na = 1", {"a": 2}, "x = !ls\na = 2"),
        ("%%time\na = 1", {"a": 2}, "%%time\na = 2"),
        ("a = (\n  1,  # one\n  2,\n)\nb = 3", {"a": [4]}, "a = (4,)\nb = 3"),
        (
            "from pathlib import Path\na = Path('x')",
            {"a": "y"},
            "from pathlib import Path\na = Path('y')",
        ),
    ],
)
def test_values_become_defaults(
    tmp_path: Path, source: str, values: dict[str, Any], expected: str
) -> None:
    found, node = extracted(tmp_path, source)
    steps.set_defaults(node, values, found)
    assert sources(node)[0] == expected


values = st.recursive(
    st.none()
    | st.booleans()
    | st.integers(-(2**63), 2**63 - 1)
    | st.floats(allow_nan=False, allow_infinity=False)
    | st.text(),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(), inner, max_size=3),
    max_leaves=8,
)


@settings(max_examples=200, deadline=None)
@given(values, values)
def test_any_json_is_injected_as_it_is(default: Any, value: Any) -> None:
    import tempfile

    with tempfile.TemporaryDirectory() as folder:
        found, node = extracted(Path(folder), f"x = {default!r}\ny = [x, 1]")
    if found.parameters:
        json.dumps(found.parameters[0].default, allow_nan=False)
        assert found.parameters[0].default == default
        assert run(node, {"x": value})["y"] == [value, 1]
        steps.set_defaults(node, {"x": value}, found)
        assert run(node, {})["y"] == [value, 1]


@pytest.mark.slow
def test_a_real_run_equals_the_notebook_edited_by_hand(tmp_path: Path) -> None:
    lines = {
        "day": ("date(2024, 1, 1)", "date(2024, 2, 29)"),
        "file": ("Path('a.csv')", "Path('data/b c.csv')"),
        "size": ("(28, 28)", "(64, 32, 16)"),
        "mode": ("Mode.FAST", "Mode.SLOW"),
        "text": ("'a=b'", "'c=d # \"e\"\\nf'"),
        "nested": ("{'a': {'b': [1]}}", "{'c': {'d': [0.5, None, True, 'é']}}"),
        "weights": ("{0: 1.0}", "{0: 0.25, 7: 2.0}"),
    }
    names = ", ".join(lines)
    tail = "text_length = len(text)\nlast = day.replace(day=1)"
    shown = f"print([{names}, text_length, last], [type(v).__name__ for v in [{names}]])"

    def source(which: int) -> str:
        every = [f"{name} = {pair[which]}" for name, pair in lines.items()]
        return HEAD + "\n".join([*every, tail])

    file = tmp_path / "values.yaml"
    file.write_text(
        "day: 2024-02-29\nfile: wrong.csv\nsize: [64, 32, 16]\nmode: SLOW\n"
        "nested: {c: {d: [0.5, null, true, é]}}\nweights: {0: 0.25, 7: 2.0}\n",
        encoding="utf-8",
    )
    read = notebook.read(make(tmp_path / "n.ipynb", [("parameters", source(0)), shown]))
    found = parameters.find(read)
    node = steps.extract(read, found)
    typed = parameters.given(['text=c=d # "e"\nf', "file=data/b c.csv"], file)
    checked = parameters.check(found.parameters, *typed, "n.ipynb")
    nbformat.write(node, tmp_path / "step.ipynb")
    by_hand = make(tmp_path / "hand.ipynb", [source(1), shown])
    injected = printed(tmp_path, tmp_path / "step.ipynb", checked)
    assert injected == printed(tmp_path, by_hand, {})
    assert "PosixPath('data/b c.csv')" in injected
    with_defaults = node
    steps.set_defaults(with_defaults, checked, found)
    nbformat.write(with_defaults, tmp_path / "published.ipynb")
    assert printed(tmp_path, tmp_path / "published.ipynb", {}) == injected


def printed(folder: Path, path: Path, values: dict[str, Any]) -> str:
    """Run a notebook by the runner and return what its last cell printed."""
    place = Place(root=folder, python=Path(sys.executable), paths=[REPOSITORY])
    output = folder / f"executed-{path.stem}.ipynb"
    ran = execute(
        place,
        notebook=path,
        output=output,
        parameters=values,
        journal=folder / "journal.jsonl",
        cwd=folder,
    )
    assert ran.state == "succeeded", ran.error
    node = nbformat.read(output, as_version=4)
    return str(node.cells[-1].outputs[0].text)


statements = st.sampled_from(
    [
        "a = 1",
        "b: int = 2  # how many",
        "c = a * 10",
        "c = b + 1; k = 7",
        "def f():\n    return a",
        "f = lambda: [a, b]",
        "d = f()",
        "d = f",
        "e, g = 3, a",
        "h = i = 4",
        "if a > 1:\n    b = 5",
        "x = []",
        "x.append(a)",
        "y = x",
        "for j in range(a):\n    c = j",
        "class K:\n    v = a",
        "m = K.v",
        "n = (1, 2)",
        "o = n + (a,)",
        "# about\np = {0: [n]}",
        "q = {0: 'a'}; r = q",
        "import math; s = math.floor(a + 0.5)",
        "exec('t = a')",
        "a += 1",
        "del c",
    ]
)


def plain_names(source: str) -> dict[str, Any] | str:
    names: dict[str, Any] = {}
    try:
        exec(source, names)
    except Exception as error:
        return type(error).__name__
    return {
        name: value
        for name, value in names.items()
        if name not in ("__builtins__", "f", "d", "K", "math") and not callable(value)
    }


@settings(max_examples=1000, deadline=None)
@given(st.lists(statements, min_size=1, max_size=7, unique=True), st.sampled_from([0, 5]))
def test_random_cells_do_what_editing_them_does(lines: list[str], value: int) -> None:
    import tempfile

    from papermill.translators import PythonTranslator

    source = "\n".join(lines)
    with tempfile.TemporaryDirectory() as folder:
        read = notebook.read(make(Path(folder) / "n.ipynb", [("parameters", source)]))
    found = parameters.find(read)
    if found.problems or not found.parameters:
        return
    values: dict[str, Any] = {}
    for parameter in found.parameters:
        if parameter.type == "int":
            values[parameter.name] = value
    node = steps.extract(read, found)
    first, *others = sources(node)
    expected = plain_names(source)
    assert plain_names("\n".join([first, *others])) == expected or isinstance(expected, str)
    edited = plain_names(parameters.with_values(source, values, found))
    injected = plain_names("\n".join([first, PythonTranslator.codify(values), *others]))
    assert injected == edited or isinstance(edited, str)
