"""Parameters cells of all shapes."""

from __future__ import annotations

from pathlib import Path
from random import Random

from .kinds import code, dumped, kind, notebook, tagged
from .texts import program, spoiled

VALUES = [
    "1", "-0", "1e999", "-1e999", "float('nan')", "float('inf')", "10**10**10", "9**9**9**9",
    "2**100000", "1 << 10**9", "1 << -1",
    "'a' * 10**12", "[0] * 10**10", "(1,) * 10**10", "b'x' * 10**11", "1 / 0", "1 % 0", "0 ** -1",
    "-1 ** .5", "(-1) ** .5",
    "'%d' % 'x'", "'%*d' % (10**9, 1)", "'{:>1000000000}'.format(1)", "f'{1:>1000000000}'",
    "'x'.ljust(10**10)", "''.join(['x'] * 10**9)",
    "range(10**12)", "list(range(10**10))", "int('9' * 5000)", "1" * 5000, "0x" + "f" * 9000,
    "1" * 4300, "str(10**4400)", "'x' * -1",
    "{[]: 1}", "{{}}", "{1: 2, '1': 3}", "{None: 1}", "{1.5: 1}", "{True: 1, 1: 2}",
    "{'a': 1, 'a': 2}", "set()", "frozenset({1})",
    "b'x'", "1j", "...", "None", "True", "NotImplemented", "'\\ud800'", "'\\x00'", "'\\N{BELL}'",
    "r'\\'", "'a' 'b'", "'''\nlong\n'''",
    "lambda: 1", "print('x')", "open('/etc/passwd').read()", "__import__('os').system('true')",
    "x", "undefined", "[x for x in y]",
    "dict(a=1, **{'a': 2})", "dict(1)", "int('x')", "float([])", "str(b'x', 'utf-8')", "bool()",
    "len('x')", "max([])", "Path('x') / 1",
    "datetime.date(1, 1, 99)", "datetime.datetime(10**9, 1, 1)", "np.float32('x')",
    "np.array([[1], 2])", "np.datetime64('x')",
    "Enum.x", "Color.RED", "a[1:2]", "not 1", "~1.5", "-'x'", "1 < 2 < 3", "1 if 2 else 3",
    "(yield)", "await x", "*a", "'a' @ 1",
    "[" * 90 + "]" * 90, "[" * 150 + "]" * 150, "{'a': " * 60 + "1" + "}" * 60, "-" * 90 + "1",
    "not " * 90 + "1", "1" + " + 1" * 900,
    "'a'" + " 'b'" * 3000, "[" + "1, " * 20_000 + "]", "{" + "'k': 1, " * 5000 + "}",
    "'" + "x" * 200_000 + "'", "'é\u2028\x0c'",
]  # fmt: skip
ANNOTATIONS = [
    "", ": int", ": 'int'", ": x", ": x.y", ": list[x]", ": list['x']", ": Literal[1, 'a', None]",
    ": Literal[()]", ": Literal",
    ": Annotated[int, 'x']", ": Annotated[int]", ": Annotated[int, Ge(0), 'd']",
    ": Optional[int]", ": int | None", ": int | str | x",
    ": 'x | '", ": '('", ": 1", ": [int]", ": dict[str, list[int]]", ": dict[int]",
    ": dict[[], {}]", ": list[10**10**10]",
    ": 10**10**10", ": 'int' * 3", ": (yield)", ": lambda: 1", ": tuple[int, ...]",
    ": Union[int]", ": Final", ": ClassVar[int]",
    ": list[" * 90 + "int" + "]" * 90, ": 'list[\"list[x]\"]'", ": Path", ": datetime.date",
    ": np.float32", ": Enum", ": type",
    ": Field(ge=0)", ": Annotated[float, Field(ge='x', le=1)]", ": Annotated[str, Len(1, 'x')]",
    ": conint(gt=1)", ": None",
]  # fmt: skip
COMMENTS = [
    "", "# learning rate", "# 0..1", "# 1..0", "# [a, b]", "# one of a, b", "# int",
    "# type: int", "# type: ignore", "# float:", "# (",
    "# 1e999..2", "# nan..nan", "# " + "x" * 5000, "# {x} %s \\", "# \x1b[31m", "# é\u2028",
    "# in [1, 2", "# >= 10**10", "# -", "# choices: ",
    "# list[", "# 10**10**10", "#" * 400,
]  # fmt: skip


def _line(rng: Random, name: str) -> str:
    annotation = rng.choice(ANNOTATIONS) if rng.random() < 0.5 else ""
    return f"{name}{annotation} = {rng.choice(VALUES)}  {rng.choice(COMMENTS)}"


@kind
def odd_parameters(rng: Random, path: Path) -> bytes:
    names = ["a", "b", "c", "class_", "_", "__x", "é", "a", "print", "x" * 300]
    lines = [_line(rng, name) for name in rng.sample(names, rng.randint(1, 4))]
    return dumped(notebook([tagged(["parameters"], "\n".join(lines)), code("print(a, b)")]))


@kind
def odd_values(rng: Random, path: Path) -> bytes:
    cells = [
        tagged(["parameters"] if rng.random() < 0.5 else [], f"a = {rng.choice(VALUES)}"),
        code("print(a)"),
    ]
    return dumped(notebook(cells))


@kind
def no_assignments(rng: Random, path: Path) -> bytes:
    odd = [
        "", "# nothing", "pass", "print(1)", "a", "a.b = 1", "a[0] = 1", "a, b = 1",
        "a, b = 1, 2", "[a, *b] = 1, 2", "a = b = []", "a += 1",
        "a: int", "a: a = 1", "a: b = 1\nb: a = 2", "a = a", "a = b\nb = 1", "a = 1\na = 2",
        "del a", "if True:\n    a = 1", "import os\na = os.x",
        "for a in [1]: pass", "def a(): pass", "class a:\n    x = 1", "(a := 1)",
        "with x as a: pass", "a = 1; b = 2;", "a = \\\n1", "%%time\na = 1",
        "%time a = 1", "!ls", "a = !ls", "a = 1 # x\nb = 2 #", "global a\na = 1", "a = (",
        "a = 1\n  b = 2", "from x import *", "a = 'x\ny'",
        "exec('a = 1')", "a = yield", "match 1:\n    case a: pass", "type a = int",
        "try:\n    a = 1\nexcept: pass", "a = 1\nprint(a)\na = 3",
        "from enum import Enum\nclass C(Enum):\n    A = A\n    B = [1]\n    C = 10**10**10\n"
        "a = C.A", "class C(C): pass\na = C()", "lambda a: 1",
        "from enum import Enum\nclass C(Enum):\n    A = 1\na: C = C.B", "a = lambda: a",
        "a = [a]", "a: 'a' = 'a'", "a: list['a'] = []",
    ]  # fmt: skip
    sources = [rng.choice(odd) for _ in range(rng.randint(1, 3))]
    return dumped(
        notebook([*(tagged(["parameters"], s) for s in sources), code("print(a)\na = 4")])
    )


@kind
def spoiled_parameters(rng: Random, path: Path) -> bytes:
    text = (
        "import datetime\nn: int = 3  # 1..9\nrate = 0.5  # one of 0.5, 1\n"
        "day = datetime.date(2020, 1, 2)\nnames = ['a', 'b']"
    )
    cells = [tagged(["parameters"], spoiled(rng, text)), code("print(n, rate, day, names)")]
    return dumped(notebook([*cells, *(code(each) for each in program(rng))]))


@kind
def tagged_programs(rng: Random, path: Path) -> bytes:
    cells = [code(text) for text in program(rng)]
    for cell in rng.sample(cells, min(len(cells), rng.randint(1, 2))):
        cell["metadata"] = {
            "tags": rng.choice([["parameters"], ["predict"], ["step:x", "parameters"]])
        }
    return dumped(notebook(cells))
