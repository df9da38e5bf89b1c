"""Notebooks that are too deep, too long, too wide."""

from __future__ import annotations

import base64
import json
from pathlib import Path
from random import Random

from .kinds import code, dumped, heavy, kind, markdown, notebook, of_texts, tagged

DEEP = [1, 50, 90, 150, 199, 300, 900, 2000, 5000, 10_000]


@kind
def deep_json(rng: Random, path: Path) -> bytes:
    depth = rng.choice([100, 200, 400, 900, 1500, 10_000, 100_000])
    opened, closed = rng.choice([("[", "]"), ('{"a": ', "}")])
    deep = opened * depth + "1" + closed * depth
    text = json.dumps(
        notebook([code("x = 1")], metadata={"deep": "HERE", **notebook([])["metadata"]})
    )
    return rng.choice(
        [deep, text.replace('"HERE"', deep), text.replace('"metadata": {}', f'"metadata": {deep}')]
    ).encode()


def _deep(rng: Random, n: int) -> str:
    """Return a text that nests n times in one of many ways."""
    lines = [f"{' ' * i}if x:" for i in range(min(n, 99))]
    return rng.choice([
        "y = " + "(" * n + "1" + ")" * n,
        "y = " + "[" * n + "]" * n,
        "y = " + "{1: " * n + "2" + "}" * n,
        "y = x" + ".a" * n,
        "y = x" + "[0]" * n,
        "y = x" + "()" * n,
        "y = x" + ".a(1)" * n,
        "y = 1" + " + 1" * n,
        "y = 'a'" + " + x" * n,
        "y = " + "-" * n + "1",
        "y = " + "not " * n + "1",
        "y = 1" + " < 1" * n,
        "y = 1" + " and x" * n,
        "y = x" + " if x else x" * n,
        "y = " + "lambda: " * n + "1",
        "y = " + "f(" * n + "1" + ")" * n,
        "y = x" + "".join(f".m{i}(k=x)" for i in range(n)),
        "(" * n,
        "y = " + "f'{" * n + "1" + "}'" * n,
        "@d" + ".a" * n + "\ndef f(): pass",
        "class K(" + "f(" * n + "1" + ")" * n + "): pass",
        "def f(a=" + "[" * n + "]" * n + "): return a\nf()",
        "y: " + "list[" * n + "int" + "]" * n + " = []",
        "x" + ".a" * n + " = 1",
        "y = x = " + " = ".join(f"v{i}" for i in range(n)) + " = 1",
        "if x:\n    y = 1\n" + "\n".join(f"elif x == {i}:\n    y = {i}" for i in range(n)),
        "\n".join(lines) + f"\n{' ' * len(lines)}y = 1",
        "\n".join(f"{' ' * i}def f{i}():" for i in range(min(n, 99))) + "\n" + " " * min(n,
        99) + "pass\nf0()",
        "\n".join(f"{' ' * i}class K{i}:" for i in range(min(n, 99))) + "\n" + " " * min(n,
        99) + "z = 1",
        "match x:\n    case " + "[" * n + "]" * n + ": y = 1",
        "y = " + " if x else ".join(["[i for i in " * min(n, 20) + "x" + "]" * min(n, 20)] * 2),
        "from a" + ".a" * n + " import b as y",
        "del " + "(" * n + "x" + ")" * n,
        "".join(f"{'%' * n}time x = 1\n"),
        "y = x" + "\\\n" * n + " + 1",
    ])  # fmt: skip


@kind
def deep_code(rng: Random, path: Path) -> bytes:
    text = _deep(rng, rng.choice(DEEP))
    first = rng.choice(["x = 1", "x = [1]", "def f(a): return a\nx = f(1)"])
    cells = [
        code(first),
        tagged(["parameters"] if rng.random() < 0.2 else [], text),
        code("print(y)\nz = y"),
    ]
    return dumped(notebook(cells))


@kind
def function_chains(rng: Random, path: Path) -> bytes:
    n = rng.choice([10, 30, 100, 400])
    apart = rng.choice([
        "def f{i}(a):\n    return f{j}(a)", "def f{i}(a):\n    return [f{j}(x) for x in [a]]",
        "f{i} = lambda a: f{j}(a)",
        "class K{i}(K{j}):\n    def m(self):\n        return super().m()\n"
        "def f{i}(a): return K{i}().m()",
        "def f{i}(a):\n    def g():\n        return f{j}(a)\n    return g()",
        "def f{i}(a, g=f{j}):\n    return g(a)",
        "@f{j}\ndef f{i}(g):\n    return g", "f{i} = [f{j}]",
        "f{i} = lambda a, g=f{j}: (f{j}(a), f{j}(a))", "f{i} = {{'k': f{j}}}",
    ])  # fmt: skip
    texts = [apart.format(i=i, j=i - 1) for i in range(1, n + 1)]
    if rng.random() < 0.5:
        texts.reverse()
    joined = ["\n".join(texts)] if rng.random() < 0.5 else texts
    base = "class K0:\n    def m(self): return 1\ndef f0(a): return a"
    return of_texts([base, *joined, f"x = f{n}(1)\nprint(x)"])


@kind
def many_names(rng: Random, path: Path) -> bytes:
    n = rng.choice([100, 1000])
    texts = [
        "\n".join(f"v{i} = [{i}]" for i in range(n)),
        "\n".join(f"v{i}.append(v{i // 2})" for i in range(n)),
        "exec('v1 = 2')", "y = [" + ", ".join(f"v{i}" for i in range(n)) + "]",
        "for i in y:\n    i.append(y)",
        "import os, sys, json\n" * n, "from numpy import *\n" * 50,
        f"def f({', '.join(f'a{i}' for i in range(n))}): pass",
        "x = 1;" * n, "\n" * n, "#\n" * n + "x = 1", "def f():\n" + "    x = 1\n" * n + "f()",
    ]  # fmt: skip
    return of_texts(rng.sample(texts, rng.randint(2, 5)))


@kind
def long_lines(rng: Random, path: Path) -> bytes:
    n = rng.choice([1_000, 100_000, 1_000_000])
    return of_texts(rng.choice([
        ["x = '" + "a" * n + "'", "print(x)"], ["x = 1  # " + "é" * n],
        ["# step: " + "a" * n + "\nx = 1"], ["x" * n + " = 1"],
        ["%time " + "x" * n], ["!" + "echo " * (n // 5)], ["%%bash\n" + "ls " * (n // 3)],
        ["x = '" + "\\" * n + "'"], [" " * n + "x = 1"],
        ["x = 1" + " " * n], ["x = 1\n" + "\t" * n], ["x = \"\"\"" + "\n" * n + "\"\"\""],
        ["%" * n], ["x" + "?" * n],
        ["x = 1\n" * (n // 100)], ["import " + "a." * (n // 100) + "b"], ["x = 1" + "0" * n],
        ["x = '{" * (n // 100)],
    ]))  # fmt: skip


@heavy
def huge_strings(rng: Random, path: Path) -> bytes:
    text = "x = '" + "a" * 10_000_000 + "'"
    return dumped(
        notebook([markdown("# A\n\n" + "word " * 10_000), code(text), code("print(len(x))")])
    )


@heavy
def huge_outputs(rng: Random, path: Path) -> bytes:
    image = base64.b64encode(rng.randbytes(37_500_000)).decode()
    output = {"output_type": "display_data", "data": {"image/png": image}, "metadata": {}}
    return dumped(notebook([code("x = 1", outputs=[output]), code("y = x")]))


@heavy
def many_outputs(rng: Random, path: Path) -> bytes:
    outputs = [
        {"output_type": "stream", "name": "stdout", "text": [f"{i}\n"]} for i in range(5_000)
    ]
    return dumped(notebook([code("x = 1", outputs=outputs), code("y = x")]))


@heavy
def ten_thousand_cells(rng: Random, path: Path) -> bytes:
    text = rng.choice(
        [
            "x{i} = [x{j}]",
            "x.append({i})",
            "def f{i}(a): return f{j}(a)",
            "print({i})",
            "",
            "x = x + 1",
            "import m{i}",
        ]
    )
    return of_texts(
        [
            "x = []\nx0 = 1\ndef f0(a): return a",
            *(text.format(i=i, j=i - 1) for i in range(1, 10_000)),
        ]
    )


@heavy
def ten_thousand_texts(rng: Random, path: Path) -> bytes:
    cells = [
        markdown(f"## Part {i}") if rng.random() < 0.5 else code(f"# step: s{i}\nx = {i}")
        for i in range(10_000)
    ]
    return dumped(notebook(cells))
