"""Reading ``name=expression`` lines."""

from __future__ import annotations

import pytest

from jupyter_mlops.kernel.arguments import expressions

NAMES = {"x": 3, "d": {"a": 1, "b": [4, 5]}, "f": lambda *a, **k: (a, k)}


def evaluated(line: str) -> list[tuple[str, object]]:
    return [(name, eval(code, dict(NAMES))) for name, code in expressions(line)]


@pytest.mark.parametrize(
    ("line", "values"),
    [
        ("loss=1.5", [("loss", 1.5)]),
        ("loss = 1.5", [("loss", 1.5)]),
        ("a=1 b=2 step=x", [("a", 1), ("b", 2), ("step", 3)]),
        ("a=1, b=2,c=x", [("a", 1), ("b", 2), ("c", 3)]),
        ("a=x + 1 b=x*2 - 1", [("a", 4), ("b", 5)]),
        ("a=x == 3 b=x >= 4", [("a", True), ("b", False)]),
        ("a=d['b'][1] b=f(1, k=2)", [("a", 5), ("b", ((1,), {"k": 2}))]),
        ("s='a b=c' t=\"x=1 y=2\"", [("s", "a b=c"), ("t", "x=1 y=2")]),
        ("val/loss=1 train.acc=2 top-5=3", [("val/loss", 1), ("train.acc", 2), ("top-5", 3)]),
        ("a=1 if x else 2 b={'q': 1}['q']", [("a", 1), ("b", 1)]),
        ("**d step=x", [("**", NAMES["d"]), ("step", 3)]),
        ("a=x ** 2 b=2", [("a", 9), ("b", 2)]),
        ("a=x**2", [("a", 9)]),
        ("größe=1", [("größe", 1)]),
    ],
)
def test_a_line_is_read_as_a_person_reads_it(line: str, values: list[tuple[str, object]]) -> None:
    assert evaluated(line) == values


@pytest.mark.parametrize(
    "line",
    ["", "   ", "loss", "1.5", "loss 1.5", "oops loss=1", "loss=", "a=1 b=", "a=(1", "a='x",
     "1a=2", "a=b c", "a==1", "a=import os", "a=1;b=2", "=3"],
)  # fmt: skip
def test_a_line_that_makes_no_sense_gets_one_sentence(line: str) -> None:
    with pytest.raises(ValueError, match=r"\w") as caught:
        expressions(line)
    assert "\n" not in str(caught.value)
    assert not isinstance(caught.value, SyntaxError)
