"""JSON of a wrong shape: fields that are missing, doubled, of other types, of other versions."""

from __future__ import annotations

import copy
from pathlib import Path
from random import Random
from typing import Any

from .kinds import KERNEL, WRONG, code, dumped, kind, markdown, notebook, of_texts
from .texts import program

_EXTRA: list[Any] = [*WRONG, 10**30, [{"a": [[]]}], {"cells": []}]


def _sample(rng: Random) -> dict[str, Any]:
    cells = [markdown("# A title\n\nSome text."), *(code(text) for text in program(rng))]
    return notebook(cells)


@kind
def any_json(rng: Random, path: Path) -> bytes:
    def value(depth: int) -> Any:
        if depth == 0 or rng.random() < 0.3:
            return rng.choice(_EXTRA)
        if rng.random() < 0.4:
            return [value(depth - 1) for _ in range(rng.randint(0, 3))]
        keys = ["nbformat", "nbformat_minor", "cells", "metadata", "source", "cell_type", "x"]
        return {rng.choice(keys): value(depth - 1) for _ in range(rng.randint(0, 4))}

    return dumped(value(4))


def _places(value: Any, here: tuple[Any, ...] = ()) -> list[tuple[Any, ...]]:
    inner = (
        value.items()
        if isinstance(value, dict)
        else enumerate(value)
        if isinstance(value, list)
        else ()
    )
    return [here, *(place for key, part in inner for place in _places(part, (*here, key)))]


@kind
def wrong_value_somewhere(rng: Random, path: Path) -> bytes:
    made = _sample(rng)
    for _ in range(rng.randint(1, 2)):
        place = rng.choice([p for p in _places(made) if p])
        owner: Any = made
        for key in place[:-1]:
            owner = owner[key]
        if rng.random() < 0.3:
            del owner[place[-1]]
        else:
            owner[place[-1]] = copy.deepcopy(rng.choice(_EXTRA))
    return dumped(made)


@kind
def wrong_cells(rng: Random, path: Path) -> bytes:
    made = _sample(rng)
    if rng.random() < 0.3:
        return dumped({**made, "cells": rng.choice(_EXTRA)})
    made["cells"].insert(
        rng.randint(0, len(made["cells"])), rng.choice([*_EXTRA, [], {"cell_type": "code"}])
    )
    return dumped(made)


@kind
def wrong_cell_types(rng: Random, path: Path) -> bytes:
    made = _sample(rng)
    cell = rng.choice(made["cells"])
    cell["cell_type"] = rng.choice(["Code", "heading", "html", "raw", "sql", "", *_EXTRA])
    return dumped(made)


@kind
def wrong_sources(rng: Random, path: Path) -> bytes:
    odd = [
        *WRONG,
        [1, 2],
        ["a = 1\n", None],
        [["a"]],
        ["a = 1", "b = 2"],
        {"0": "a"},
        ["\n", "", "a\n"],
    ]
    return dumped(notebook([code("x = 1"), code(rng.choice(odd)), markdown(rng.choice(odd))]))


@kind
def wrong_metadata(rng: Random, path: Path) -> bytes:
    made = _sample(rng)
    place = rng.randrange(3)
    if place == 0:
        made["metadata"] = rng.choice(_EXTRA)
    elif place == 1:
        made["cells"][-1]["metadata"] = rng.choice(_EXTRA)
    else:
        del made[rng.choice(["metadata", "nbformat_minor", "nbformat"])]
    return dumped(made)


@kind
def wrong_kernels(rng: Random, path: Path) -> bytes:
    right: dict[str, Any] = dict(KERNEL["kernelspec"])
    odd = [
        "",
        " ",
        "../../x",
        "a/b",
        "no-such",
        "%s",
        "x" * 5000,
        "\x1b[31m",
        "a\nb",
        "python3 ",
        "PYTHON3",
        "é",
    ]
    spec = rng.choice([
        rng.choice(_EXTRA), {**right, "name": rng.choice([*odd, *_EXTRA])},
        {**right, "display_name": rng.choice([*odd, *_EXTRA])}, {"display_name": "x"},
        {"name": "python3"},
    ])  # fmt: skip
    return dumped(notebook([code("x = 1")], metadata={"kernelspec": spec}))


@kind
def other_languages(rng: Random, path: Path) -> bytes:
    odd = [
        "R",
        "julia",
        "Python",
        "PYTHON",
        "python ",
        "ipython",
        "python2",
        "sql",
        "x" * 3000,
        "a\nb",
        *_EXTRA,
    ]
    metadata: dict[str, Any] = {"kernelspec": {**KERNEL["kernelspec"], "language": rng.choice(odd)}}
    if rng.random() < 0.7:
        metadata["language_info"] = rng.choice([{"name": rng.choice(odd)}, *_EXTRA])
    return dumped(notebook([code("x <- 1")], metadata=metadata))


@kind
def versions(rng: Random, path: Path) -> bytes:
    made = _sample(rng)
    made["nbformat"] = rng.choice(
        [1, 2, 3, 4, 4, 4, 4, 5, 4.0, 4.5, "4", -4, 10**20, 0, True, *_EXTRA]
    )
    made["nbformat_minor"] = rng.choice([0, 1, 2, 3, 4, 5, 6, 99, -1, "5", 2.5, 10**20, *_EXTRA])
    if rng.random() < 0.5:
        for cell in made["cells"]:
            cell.pop("id")
    return dumped(made)


@kind
def old_formats(rng: Random, path: Path) -> bytes:
    cell = {
        "cell_type": "code",
        "input": "x = 1",
        "language": "python",
        "outputs": [],
        "collapsed": False,
    }
    odd = [{"cell_type": "heading", "level": 1, "source": "T"}, rng.choice(WRONG)]
    sheet = {"cells": [cell, *(odd if rng.random() < 0.5 else [])], "metadata": {}}
    format_ = rng.choice([1, 2, 3, 4])
    return dumped(
        {"nbformat": format_, "nbformat_minor": 0, "metadata": {"name": ""}, "worksheets": [sheet]}
    )


@kind
def wrong_ids(rng: Random, path: Path) -> bytes:
    odd = ["", "a b", "é", "x" * 65, "x" * 64, "cell-0", *WRONG]
    made = _sample(rng)
    for cell in made["cells"]:
        if rng.random() < 0.7:
            cell["id"] = rng.choice(odd)
    return dumped(made)


@kind
def wrong_counts(rng: Random, path: Path) -> bytes:
    odd = [*WRONG, 10**12, 10**30, -5, 0, 1, 1, 2, 3, 1_000_000_000]
    return dumped(notebook([code(text, execution_count=rng.choice(odd)) for text in program(rng)]))


@kind
def only_counts(rng: Random, path: Path) -> bytes:
    odd = [None, 0, 1, 1, 2, 7, -1, 2**31, 2**62, 50_000_000]
    return dumped(notebook([code(text, execution_count=rng.choice(odd)) for text in program(rng)]))


@kind
def wrong_outputs(rng: Random, path: Path) -> bytes:
    odd: list[Any] = [
        {"output_type": "stream", "name": "stdout", "text": ["a\n", "b"]},
        {"output_type": "stream", "name": rng.choice(WRONG), "text": rng.choice(WRONG)},
        {"output_type": "display_data", "data": {"image/png": "no base64 \x00"}, "metadata": {}},
        {"output_type": "display_data", "data": rng.choice(WRONG), "metadata": rng.choice(WRONG)},
        {"output_type": "error", "ename": "E", "evalue": "", "traceback": ["\x1b[31mx"]},
        {"output_type": "error"}, {"output_type": rng.choice(WRONG)}, rng.choice(WRONG),
    ]  # fmt: skip
    outputs = rng.choice(WRONG) if rng.random() < 0.2 else rng.sample(odd, rng.randint(1, 3))
    return dumped(notebook([code("x = 1", outputs=outputs, execution_count=1), code("print(x)")]))


@kind
def attachments(rng: Random, path: Path) -> bytes:
    given = rng.choice([{"a.png": {"image/png": "aGk="}}, {}, *WRONG])
    cells = [{**markdown("# A\n![x](attachment:a.png)"), "attachments": given}, code("x = 1")]
    if rng.random() < 0.3:
        cells[1]["attachments"] = given
    return dumped(notebook(cells))


@kind
def wrong_tags(rng: Random, path: Path) -> bytes:
    odd = [*WRONG, "parameters", ["parameters", 3], [["parameters"]], {"parameters": True},
    ["parameters"] * 3,
           ["a b"], ["a,b"], ["step:"], ["step: "], ["step:a", "step:b"], ["predict"], ["predict",
           "parameters"]]  # fmt: skip
    cells = [code("x = 1"), code("y = x"), code("def predict(x):\n    return x + y")]
    for cell in cells:
        cell["metadata"] = {"tags": rng.choice(odd)}
    return dumped(notebook(cells))


@kind
def no_code(rng: Random, path: Path) -> bytes:
    texts = rng.choice(
        [
            [],
            [""],
            ["", " \n\t"],
            ["# only a comment"],
            ["\n"],
            ["pass"],
            ["%%html\n<b>"],
            ["'text'"],
        ]
    )
    cells: list[Any] = [markdown("# Only text") for _ in range(rng.randint(0, 2))]
    return dumped(notebook([*cells, *(code(text) for text in texts)]))


@kind
def odd_markdown(rng: Random, path: Path) -> bytes:
    odd = ["# ", "#", "# \n## \n### ", "# A\n# A\n# A", "# a/b\\c", "# <script>x</script>",
    "# [/bold] [x](y)", "# `x` *y*",
           "# " + "long " * 200, "# 東京", "# 😀", "# {x} {0} %s %d", '# """ quotes \\', "# '''",
           "<h1></h1>", "A\n===",
           "```\n# no\n", "# ../..", "# CON", "# a\x00b", "# \x1b[31m", "-" * 10_000,
           "# \\N{x} \\u12 \\x"]  # fmt: skip
    cells: list[Any] = []
    for text in ["import math\nx = 1", "y = x + 1", "def f():\n    return y", "print(f())"]:
        cells += [markdown(rng.choice(odd)), code(text)]
    return dumped(notebook(cells))


@kind
def valid(rng: Random, path: Path) -> bytes:
    return of_texts(program(rng))
