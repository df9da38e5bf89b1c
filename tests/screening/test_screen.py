"""Planted secrets are found wherever they stand; what only looks like one is left alone."""

from __future__ import annotations

import ast
import json
from pathlib import Path

import nbformat
import pytest

from jupyter_mlops import notebook as notebooks
from jupyter_mlops import parsed
from jupyter_mlops.screening import places
from jupyter_mlops.screening.screen import problem, screen, stopped
from tests.conftest import EXAMPLES
from tests.equivalence.corpus import CASES
from tests.notebooks import make
from tests.screening.planted import CODE, HARMLESS, OTHERS, TOKENS

each_token = pytest.mark.parametrize("kind", TOKENS)


def of_code(source: str) -> list[str]:
    found = screen(places.cells({3: (source, ast.parse(source))}))
    return [f"{finding.where}: {finding.line}" for finding in found]


def test_there_are_enough_kinds() -> None:
    assert len(TOKENS) + len(CODE) >= 30


@each_token
def test_in_the_source_of_a_cell(kind: str) -> None:
    assert of_code(f"x = 1\nvalue = {TOKENS[kind]!r}") == ["cell 3: 2"]
    assert of_code(f"# {TOKENS[kind]}") == ["cell 3: 1"]


@each_token
def test_allowing_one_allows_no_other(kind: str) -> None:
    """Also: a fingerprint is that of the whole secret, not of the prefix that all of them have."""
    one, other = (
        screen(places.cells({1: (f"x = {token!r}", ast.parse(f"x = {token!r}"))}))
        for token in (TOKENS[kind], OTHERS[kind])
    )
    assert stopped(other, {finding.fingerprint for finding in one}) == other


def test_a_private_key_is_all_of_its_lines() -> None:
    def key(body: str) -> str:
        return f'K = """-----BEGIN RSA PRIVATE KEY-----\n{body}\n-----END RSA PRIVATE KEY-----"""'

    one, other, again = (
        screen(places.cells({1: (text, ast.parse(text))}))
        for text in (key("MIIEa"), key("MIIEb"), "x = 1\n" + key("MIIEa"))
    )
    assert [finding.line for finding in (*one, *other, *again)] == [1, 1, 2]
    assert one[0].fingerprint == again[0].fingerprint != other[0].fingerprint


@each_token
def test_in_what_a_cell_shows(kind: str, tmp_path: Path) -> None:
    node = nbformat.read(make(tmp_path / "a.ipynb", ["1", "2", "3", "4"]), as_version=4)
    secret = TOKENS[kind]
    data = {"text/html": f"<td>{secret}</td>", "image/png": "AAAA"}
    node.cells[0].outputs = [nbformat.v4.new_output("stream", text=f"a\nb {secret}\n")]
    node.cells[1].outputs = [nbformat.v4.new_output("execute_result", {"text/plain": repr(secret)})]
    node.cells[2].outputs = [nbformat.v4.new_output("display_data", data)]
    error = {"ename": "E", "evalue": f"not {secret}", "traceback": [f"not {secret}"]}
    node.cells[3].outputs = [nbformat.v4.new_output("error", **error)]
    where = {finding.where for finding in screen(places.outputs(node))}
    assert where == {f"the output of cell {number}" for number in (1, 2, 3, 4)}


@each_token
def test_in_a_file_that_is_shipped(kind: str, tmp_path: Path) -> None:
    (tmp_path / "conf").mkdir()
    (tmp_path / "conf" / "settings.yaml").write_text(f"a: 1\nb: {TOKENS[kind]}\n")
    (tmp_path / "tools.py").write_text(f"A = 1\nB = {TOKENS[kind]!r}\n")
    found = screen(places.files(tmp_path, ["conf/settings.yaml", "tools.py"]))
    assert [(f.where, f.line) for f in found] == [("conf/settings.yaml", 2), ("tools.py", 2)]


@each_token
def test_in_a_default(kind: str) -> None:
    defaults = {"a": 1, "b": TOKENS[kind], "c": [TOKENS[kind]]}
    where = [finding.where for finding in screen(places.values(defaults, "parameter"))]
    assert where == ["parameter 'b'", "parameter 'c'"]


@pytest.mark.parametrize("kind", CODE)
def test_what_code_calls_a_secret(kind: str, tmp_path: Path) -> None:
    assert len(of_code(f"import os\n{CODE[kind]}")) == 1
    (tmp_path / "tools.py").write_text(f"import os\n{CODE[kind]}\n")
    assert len(screen(places.files(tmp_path, ["tools.py"]))) == 1


def test_a_default_that_is_called_a_secret() -> None:
    (finding,) = screen(places.values({"password": "tr0ub4dor", "size": "big"}, "parameter"))
    assert finding.where == "parameter 'password'"


def test_in_prose_and_metadata(tmp_path: Path) -> None:
    token = TOKENS["GitHub"]
    path = make(tmp_path / "a.ipynb", [("markdown", f"Use {token}"), "1"])
    node = nbformat.read(path, as_version=4)
    node.metadata["widgets"] = {"state": [token]}
    where = [finding.where for finding in screen(places.prose(node))]
    assert where == ["Markdown cell (number 1 of all)", "the notebook's metadata"]


@pytest.mark.parametrize("source", HARMLESS)
def test_what_only_looks_like_a_secret(source: str) -> None:
    assert of_code(source) == []


@pytest.mark.parametrize("path", sorted(EXAMPLES.glob("*.ipynb")), ids=lambda path: path.stem)
def test_our_examples_raise_no_alarm(path: Path) -> None:
    found = notebooks.read(path)
    cells = {cell.number: (cell.source, cell.tree) for cell in found.cells}
    texts = [*places.cells(cells), *places.outputs(found.node), *places.prose(found.node)]
    assert texts and screen(texts) == []


def test_everyday_notebooks_raise_no_alarm() -> None:
    alarms = {}
    for case in CASES:
        cells = {n: (text, parsed.of(text)[1]) for n, text in enumerate(case.cells, 1)}
        found = screen(places.cells(cells))
        if found:
            alarms[case.name] = found
    assert alarms == {}


def test_the_secret_itself_is_never_told() -> None:
    for kind, secret in TOKENS.items():
        text = f"value = {secret!r}"
        (finding,) = screen(places.cells({1: (text, ast.parse(text))}))
        said = problem(finding).sentence() + json.dumps(finding.__repr__())
        assert secret not in said and secret[:8] not in said.replace(finding.kind, ""), kind
        assert "cell 1, line 1" in said and finding.fingerprint in said


def test_what_is_allowed_is_allowed_everywhere_and_nothing_else() -> None:
    text = f"a = {TOKENS['GitHub']!r}\nb = {TOKENS['Slack']!r}\nc = {TOKENS['GitHub']!r}"
    found = screen(places.cells({1: (text, ast.parse(text)), 2: (text, ast.parse(text))}))
    assert [finding.where for finding in found] == ["cell 1", "cell 1", "cell 2", "cell 2"]
    left = stopped(found, {found[0].fingerprint})
    assert {finding.kind for finding in left} == {"Slack Token"}


def test_a_long_line_is_looked_at_to_its_end() -> None:
    text = f"{'x' * 90_000} {TOKENS['GitHub']} {'y' * 90_000}"
    assert len(screen([places.Text("a", text)])) == 1
