"""Lines that install are taken out of the copy that runs, and nothing else is."""

from __future__ import annotations

import ast

import pytest

from jupyter_mlops import installs, parsed

DONE = "# installed from the lock: "


@pytest.mark.parametrize(
    ("source", "copy"),
    [
        ("%pip install a", f"pass  {DONE}%pip install a"),
        ("x = 1\n!pip install a\ny = 2", f"x = 1\npass  {DONE}!pip install a\ny = 2"),
        ("if x:\n    !pip install a", f"if x:\n    pass  {DONE}!pip install a"),
        ("!pip install \\\n  a", f"pass  {DONE}!pip install \\\n# a"),
        ("out = !pip install a", f"out = []  {DONE}out = !pip install a"),
        ("!echo it's\n!pip install a", f"!echo it's\npass  {DONE}!pip install a"),
        (
            "!git clone a && pip install b",
            f"!git clone a && :  {DONE}!git clone a && pip install b",
        ),
        ("%%bash\ncd a\npip install b", f"%%bash\ncd a\n:  {DONE}pip install b"),
        ("%%capture\n%conda install a", f"%%capture\npass  {DONE}%conda install a"),
        (
            "import os\nos.system('pip install a')",
            f"import os\npass  {DONE}os.system('pip install a')",
        ),
        (
            "get_ipython().system('pip install a')",
            f"pass  {DONE}get_ipython().system('pip install a')",
        ),
        (
            "r = subprocess.run(['pip', 'install',\n 'a'])",
            f"r = None  {DONE}r = subprocess.run(['pip', 'install',\n# 'a'])",
        ),
        ("!a; pip install b || c", f"!a; : || c  {DONE}!a; pip install b || c"),
        (
            "import os; os.system('pip install a'); x = 1",
            f"import os; pass; x = 1  {DONE}import os; os.system('pip install a'); x = 1",
        ),
        ("if ü: os.system('pip install a')", f"if ü: pass  {DONE}if ü: os.system('pip install a')"),
        (
            "os.system('pip install a'); r = os.system('pip install b')",
            f"pass; r = None  {DONE}os.system('pip install a'); r = os.system('pip install b')",
        ),
        ("!pip list", "pass  # left out, the environment is locked: !pip list"),
        (
            "!yes | pip uninstall a",
            "pass  # left out, the environment is locked: !yes | pip uninstall a",
        ),
    ],
)
def test_what_stands_there_instead(source: str, copy: str) -> None:
    assert installs.without(source) == copy
    assert len(copy.splitlines()) == len(source.splitlines())
    assert installs.of(copy) == []
    ast.parse(parsed.of(copy)[0])


@pytest.mark.parametrize(
    "source",
    [
        "text = '''\n!pip install a\n'''",
        "# !pip install a",
        "print('pip install a')",
        "pip = 1\npip",
        "def pip(x):\n    return x\npip('install')",
        "%%writefile a.sh\npip install a",
        "%%html\n!pip install a",
        "!uv run a.py\n!uv tool run b\n!conda run c",
        "!ls pip\n!echo pip install a",
        "model.install('pip install')",
        "subprocess.run(['ls', 'pip'])",
        "!python train.py --pip install",
        "x = (\n  1 % pip\n)",
        "!pip download a",
        "x = 1; subprocess.run(['pip',\n 'install', 'a'])",
        "%%bash\ncat > f <<'EOF'\npip install a\nEOF",
    ],
)
def test_what_installs_nothing_stays(source: str) -> None:
    assert installs.without(source) == source
    assert installs.of(source) == []


def test_broken_cells_keep_what_can_be_read() -> None:
    assert [each.words for each in installs.of("!pip install a\nx = (")] == [("a",)]
    assert installs.of("!pip install 'a")[0].words == ("'a",)


def test_the_words_of_an_installation() -> None:
    source = "!pip install -q 'a[b]>=1,<2' c >=3 > log.txt 2>&1 | tail -1  # d"
    (found,) = installs.of(source)
    assert found.words == ("-q", "a[b]>=1,<2", "c>=3") and found.tool == "pip"
    (found,) = installs.of("!/opt/conda/bin/conda install -y a=1")
    assert found.words == ("-y", "a=1") and found.tool == "conda"
    quoted = installs.of("!pip install \"a; python_version < '3'\"; echo b")
    assert [each.words for each in quoted] == [("a; python_version < '3'",)]


def test_the_line_is_told() -> None:
    found = installs.of("x = 1\n!pip install a\n\nimport os\nos.system('pip install b')")
    assert [(each.line, each.words) for each in found] == [(1, ("a",)), (4, ("b",))]
