"""What is remembered of a cell's text: parsed once, the same for all who ask."""

from __future__ import annotations

import ast
import gc

import pytest

from jupyter_mlops import parsed
from jupyter_mlops.notebook import Cell
from tests.equivalence.corpus import CASES

CODE = "import numpy as np\ntotal = -np.sum([1, 2.0, 'a'])\nif total:\n    total += 1\n"


def cell(source: str) -> Cell:
    return Cell(0, 1, source, frozenset())


def test_a_text_is_parsed_once() -> None:
    assert cell(CODE).tree is cell(CODE).full_tree is cell(CODE).tree
    assert cell("%%time\nx = 1").tree is cell("%%time\nx = 1").tree
    assert cell("%%time\nx = 1").full_tree is not cell("%%time\nx = 1").tree


def test_nodes_are_what_walk_gives_without_operators_and_contexts() -> None:
    tree = ast.parse(CODE)
    wanted = [node for node in ast.walk(tree) if node._fields]
    found = [node for node in parsed.nodes(tree) if node._fields]
    assert found == wanted


@pytest.mark.parametrize("same", [CODE + "# more", CODE.replace("2.0", "( 2.0 )"), "\n" + CODE])
def test_comments_and_layout_have_no_shape(same: str) -> None:
    assert parsed.shape(ast.parse(same)) == parsed.shape(ast.parse(CODE))


@pytest.mark.parametrize(
    ("old", "new"),
    [
        ("2.0", "2"), ("2.0", "-2.0"), ("1", "True"), ("'a'", "a"), ("'a'", "b'a'"), ("-np", "+np"),
        ("[1, 2.0, 'a']", "[[1, 2.0, 'a']]"), ("[1, 2.0, 'a']", "(1, 2.0, 'a')"), ("+=", "-="),
        ("[1, 2.0, 'a']", "1, 2.0, 'a'"), ("numpy as np", "numpy, np"), ("total +=", "total2 +="),
        ("    total += 1", "    total\ntotal += 1"),
    ],
)  # fmt: skip
def test_other_code_has_another_shape(old: str, new: str) -> None:
    assert old in CODE
    assert parsed.shape(ast.parse(CODE.replace(old, new, 1))) != parsed.shape(ast.parse(CODE))


def test_the_collector_goes_on_afterwards() -> None:
    with pytest.raises(ValueError, match="wrong"), parsed.collector_paused():
        assert not gc.isenabled()
        with parsed.collector_paused():
            pass
        assert not gc.isenabled()
        raise ValueError("wrong")
    assert gc.isenabled()


def test_shapes_are_equal_where_dumps_are() -> None:
    cells = sorted({source for case in CASES for source in case.code})
    trees = [parsed.of(source)[1] for source in cells]
    statements = [ast.Module([one], []) for tree in trees for one in tree.body]
    pairs = {(ast.dump(tree), parsed.shape(tree)) for tree in (*trees, *statements)}
    assert len({dump for dump, _ in pairs}) == len(pairs) == len({shape for _, shape in pairs})
    assert len(pairs) > 2000


def test_names_with_dots_are_said_as_python_writes_them() -> None:
    for text in ("a", "a.b.c", "f(x).b", "a[0].index.name", "'x'.join", "(a + b).c", "1 .real"):
        expression = ast.parse(text, mode="eval").body
        assert parsed.dotted(expression) == ast.unparse(expression)
