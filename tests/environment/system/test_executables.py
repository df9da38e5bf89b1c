"""Which programs cells call, cell by cell."""

from __future__ import annotations

import ast

import pytest

from jupyter_mlops.environment.system.executables import Called, calls, find
from jupyter_mlops.environment.system.known import Need
from jupyter_mlops.environment.system.shell import programs
from jupyter_mlops.environment.system.tables import is_library, is_program, lines


def cells(*sources: str) -> list[tuple[int, str, ast.Module]]:
    return [(number, source, ast.parse("")) for number, source in enumerate(sources, 1)]


SURE = [
    ("!dot -Tpng a.dot -o a.png", ["dot"]),
    ("!!git log", ["git"]),
    ("files = !ls -la | grep x", ["ls", "grep"]),
    ("if True:\n    !unzip -q data.zip", ["unzip"]),
    ("%%time\n!unzip a.zip", ["unzip"]),
    ("%sx jq . a.json", ["jq"]),
    ("%%bash\ngit clone https://x/y && cd y && make -j4", ["bash", "git", "make"]),
    ("%%sh\nfor f in *.txt; do gzip $f; done", ["sh", "gzip"]),
    ("%%script perl\nprint 1", ["perl"]),
    ("%%script bash --bg\nwget x", ["bash", "wget"]),
    ("%%perl\nprint 1", ["perl"]),
    ("%%R\nplot(1)", ["R"]),
    ("%%cython\ndef f(): pass", ["gcc", "Python.h"]),
    ("import subprocess\nsubprocess.run(['ffmpeg', '-i', 'a'])", ["ffmpeg"]),
    ("import subprocess as sp\nsp.check_output('tesseract a b', shell=True)", ["tesseract"]),
    ("from subprocess import Popen as P\nP(('sox', 'a'))", ["sox"]),
    ("import subprocess\nsubprocess.run(args=['sox', 'a'])", ["sox"]),
    ("import subprocess\nsubprocess.getoutput('gs -v | head')", ["gs", "head"]),
    ("import subprocess, shlex\nsubprocess.run(shlex.split('gdalinfo x.tif'))", ["gdalinfo"]),
    ("import subprocess\nsubprocess.run('gdalinfo x.tif'.split())", ["gdalinfo"]),
    ("import subprocess\ncmd = ['samtools', 'view']\nsubprocess.Popen(cmd + ['a'])", ["samtools"]),
    ("import subprocess\nTOOL = 'bwa'\nsubprocess.run([TOOL, 'mem'])", ["bwa"]),
    ("import subprocess\nsubprocess.run(['/usr/bin/dot', 'x'])", ["dot"]),
    ("from os import system\nsystem('convert a.png b.jpg')", ["convert"]),
    ("import os\nos.popen(f'wget {url} -O {name}')", ["wget"]),
    ("import os\nos.system('curl ' + url)", ["curl"]),
    ("import os\nos.system('curl %s' % url)", ["curl"]),
    ("import os\nos.system('curl {}'.format(url))", ["curl"]),
    ("import os\nos.execvp('node', ['node', 'a.js'])", ["node"]),
    ("import os\nos.spawnlp(os.P_WAIT, 'make', 'make')", ["make"]),
    ("import asyncio\nawait asyncio.create_subprocess_exec('jq', '.')", ["jq"]),
    ("get_ipython().system('tree .')", ["tree"]),
    ("from graphviz import Digraph\ng = Digraph()", ["dot"]),
    ("import graphviz\ng = graphviz.Source('digraph{}')", ["dot"]),
    ("import dask\ngraph.visualize()", ["dot"]),
    ("import matplotlib.pyplot as plt\nplt.rcParams['text.usetex'] = True", ["latex", "dvipng"]),
    ("import matplotlib.pyplot as plt\nplt.rc('text', usetex=True)", ["latex", "dvipng"]),
    ("import matplotlib as m\nm.rcParams.update({'text.usetex': True})", ["latex", "dvipng"]),
    ("import matplotlib.animation as animation\nanim.save('x.mp4')", ["ffmpeg"]),
    ("from matplotlib.animation import FFMpegWriter\nw = FFMpegWriter(fps=1)", ["ffmpeg"]),
    ("from matplotlib import animation\nanim.save('a.gif', writer='imagemagick')", ["convert"]),
    ("import git\nr = git.Repo('.')", ["git"]),
    ("from pydub import AudioSegment\nAudioSegment.from_mp3('x')", ["ffmpeg"]),
    ("import pytesseract as t\nt.image_to_string(i)", ["tesseract"]),
    ("from pdf2image import convert_from_path\nconvert_from_path('x')", ["pdftoppm"]),
    ("from nbconvert import PDFExporter\nPDFExporter()", ["xelatex"]),
    ("import torch\nmodel = torch.compile(model)", ["g++"]),
    ("from cffi import FFI\nffi = FFI()\nffi.verify('x')", ["gcc", "Python.h"]),
    ("import pyomo.environ as pyo\npyo.SolverFactory('glpk')", ["glpsol"]),
    ("from pyomo.environ import *\nSolverFactory('cbc')", ["cbc"]),
    ("import magic", ["libmagic.so.1"]),
    ("import pyspark.sql", ["java"]),
    ("from selenium import webdriver\nwebdriver.Chrome()", ["chromium", "chromedriver"]),
]
NONE = [
    "import re, torch\nre.compile('x')",
    "import numpy as np, librosa\nnp.load('x')",
    "import graphviz, subprocess\nsubprocess.run(command)",
    "import matplotlib.animation as animation\nanim.save('x.gif', writer='pillow')",
    "import matplotlib.pyplot as plt\nplt.rcParams['text.usetex'] = False",
    "import subprocess, sys\nsubprocess.run([sys.executable, 'x.py'])",
    "import subprocess\nsubprocess.run(f'{tool} x', shell=True)",
    "!{command} x\n!$tool y",
    "!./run.sh; /opt/tool/bin/x",
    "!python x.py; pip install y; nvidia-smi",
    "!cd data; export A=1; echo done",
    "%%html\n<b>dot</b>",
    "%%writefile run.sh\ndot -Tpng x",
    "print('!dot'); x = 'ffmpeg -i'",
    "run(['dot'])",
    "x =",
    "",
]


@pytest.mark.parametrize(("source", "expected"), SURE)
def test_programs_that_a_cell_calls(source: str, expected: list[str]) -> None:
    found = calls(cells(source))
    assert [called.names[0] for called in found] == expected
    assert all(called.sure for called in found)


@pytest.mark.parametrize("source", NONE)
def test_cells_that_call_none(source: str) -> None:
    assert calls(cells(source)) == []


@pytest.mark.parametrize(
    "source",
    [
        "import shutil\nshutil.which('sox')",
        "import shutil, subprocess\nif shutil.which('sox'):\n    subprocess.run(['sox'])",
        "import subprocess\ntry:\n    subprocess.run(['sox'])\nexcept FileNotFoundError:\n    pass",
        "import os\ntry:\n    os.system('sox')\nexcept (KeyError, OSError):\n    pass",
    ],
)
def test_what_code_does_without_is_not_sure(source: str) -> None:
    assert calls(cells(source)) == [Called(1, ("sox",), "", False)]


def test_the_surest_call_of_a_cell_counts() -> None:
    source = "import shutil, subprocess\nshutil.which('sox')\nsubprocess.run(['sox'])"
    assert calls(cells(source)) == [Called(1, ("sox",))]


def test_names_reach_from_cell_to_cell_and_find_names_the_first() -> None:
    given = cells("import subprocess as sp", "cmd = ['dot', 'x']", "sp.run(cmd)", "!dot y\n!git x")
    assert find(given) == [("dot", 3), ("git", 4)]
    assert [(called.cell, called.names) for called in calls(given)] == [
        (3, ("dot",)),
        (4, ("dot",)),
        (4, ("git",)),
    ]
    assert find(cells("import magic")) == []


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("A=1 B=2 ffmpeg -i in.mp4 out.avi", ["ffmpeg"]),
        ("sudo -E env X=1 nice -n 5 git pull", ["sudo", "env", "nice", "git"]),
        ("find . -name '*.pyc' | xargs -n 1 rm", ["find", "xargs", "rm"]),
        ("if [ -f x ]; then wget x; else curl x; fi", ["wget", "curl"]),
        ("case $x in a) sox;; b) lame;; esac", ["sox", "lame"]),
        ("while read l; do convert $l; done < list", ["convert"]),
        ("cat <<EOF > x.py\nimport rm\nsox x\nEOF\ntree", ["cat", "tree"]),
        ('echo "$(git rev-parse HEAD)" `date`', ["git", "date"]),
        ("awk '{print $1; `x`}' f > out 2>&1 && sed x", ["awk", "sed"]),
        ("foo() { bar; }\nfoo", ["bar"]),
        ("# make it\nmake -j4 # gcc", ["make"]),
        ("curl -s 'http://x/y?a=b&c=d' | jq .a", ["curl", "jq"]),
        ("head -c 10 \\\n  file | tail", ["head", "tail"]),
        ("echo 'unclosed | git", ["git"]),
        ("(cd x && tar xzf a) & wait", ["tar"]),
        ("timeout 10 sox a b", ["timeout", "sox"]),
        ("", []),
        ("((((", []),
    ],
)
def test_shell_text(text: str, expected: list[str]) -> None:
    assert programs(text) == expected


def test_every_row_of_what_libraries_need_is_understood() -> None:
    for line in lines("known.txt"):
        module, ways, what = line.split()
        assert module.removeprefix("%") and ways
        need = Need(tuple(what.removesuffix("?").split("|")), module)
        for name in need.names:
            known = is_library(name) or is_program(name)
            assert known or what.endswith("?"), line
