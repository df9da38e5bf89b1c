from __future__ import annotations

import re

import pytest

from jupyter_mlops import parsed
from jupyter_mlops.environment import engines

LINES = [
    line.strip()
    for line in engines.TABLE.read_text().splitlines()
    if line.strip() and not line.startswith("#")
]


def test_every_line_of_the_table_is_understood() -> None:
    table = engines.table()
    rules = {rule.line for found in table.exact.values() for rule in found}
    rules |= {rule.line for _, rule in table.wild}
    uses = [line for line in LINES if " -> " in line and not line.startswith("import ")]
    assert len(rules) == len(uses)
    for line in uses:
        left = line.partition(" -> ")[0].partition(": ")[2]
        assert not re.sub(r"[\s,]", "", engines.USE.sub("", left)), line
    others = [line for line in LINES if " -> " not in line]
    assert all(re.fullmatch(r"\w+ = [\w ]+", line) for line in others)
    needs = [line.partition(" -> ")[2] for line in LINES if " -> " in line]
    for need in re.split(r" \+ | or ", " + ".join(needs)):
        assert re.fullmatch(r"[\w.]+\??|@text", need), need


def needed(source: str, *imported: str, **constants: str) -> list[str]:
    tree = parsed.of(source)[1]
    aliases = engines.sightings.of(tree).aliases
    values = {name: {text} for name, text in constants.items()}
    found = engines.needed(engines.of_tree(tree), aliases, frozenset(imported), values)
    return [" or ".join(need.modules) + "?" * need.weak for _, _, need in found]


@pytest.mark.parametrize(
    ("source", "modules"),
    [
        ("x.read_parquet()", ["pyarrow or fastparquet"]),
        ("x.read_parquet(engine='fastparquet')", ["fastparquet"]),
        ("x.read_parquet('s3://a')", ["pyarrow or fastparquet", "s3fs"]),
        ("x.read_excel(A)", ["xlrd"]),
        ("x.read_excel(B)", ["openpyxl"]),
        ("x.y.style.format()", ["jinja2?"]),
        ("x.style", ["jinja2?"]),
        ("x.style = 1", []),
        ("pd.options.plotting.backend = 'plotly'", ["plotly"]),
        ("x.rolling(3, win_type='hamming')", ["scipy"]),
        ("x.rolling(3)", []),
        ("import polars as pl\npl.read_excel('a.xls')", ["fastexcel"]),
        ("from pandas import read_feather\nread_feather()", ["pyarrow"]),
        ("read_feather()", []),
    ],
)
def test_uses_of_pandas(source: str, modules: list[str]) -> None:
    assert needed(source, "pandas", A="a.XLS", B="b.xlsx") == modules


def test_only_where_the_library_or_what_carries_it_is_imported() -> None:
    assert needed("x.to_markdown()") == []
    assert needed("x.to_markdown()", "seaborn") == ["tabulate"]


def test_imports_that_need_more() -> None:
    assert engines.of_import("dask.distributed.Client")[0] == "dask.distributed"
    name, needs = engines.of_import("optuna.visualization.matplotlib.plot")
    assert (name, needs[0].modules) == ("optuna.visualization.matplotlib", ("matplotlib",))
    assert engines.of_import("dask") == ("", ())
