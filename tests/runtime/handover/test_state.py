"""Hidden state goes from step to step."""

from __future__ import annotations

from pathlib import Path

import pytest

from jupyter_mlops.runtime.handover.models import HandoverError
from tests.runtime.handover.program import Program, same_as_direct

IMPORTS = "import random, os, sys, warnings, decimal, logging\n"
LIBRARIES = "import numpy as np\nimport pandas as pd\nimport matplotlib\n"
PROGRAMS: dict[str, tuple[str, ...]] = {
    "random": ("random.seed(1)", "x = random.random()", "shown = (x, random.random())"),
    "random unseeded": (
        "random.seed(7)",
        "random.random()",
        "random.random()",
        "shown = random.random()",
    ),
    "random generator": ("r = random.Random(1)", "r.random()", "shown = r.random()"),
    "function of the generator": (
        "random.seed(3)\nf = [random.gauss]",
        "f[0](0, 1)",
        "shown = (random.random(), f[0](0, 1), random.random())",
    ),
    "environ": ("os.environ['MLOPS_X'] = '1'", "shown = os.environ['MLOPS_X']"),
    "environ taken away": (
        "os.environ['MLOPS_X'] = '1'",
        "del os.environ['MLOPS_X']",
        "shown = 'MLOPS_X' in os.environ",
    ),
    "path": ("sys.path.insert(0, '/nowhere')", "shown = '/nowhere' in sys.path, sys.path[0]"),
    "decimal": ("decimal.getcontext().prec = 5", "shown = decimal.Decimal(1) / 3"),
    "warnings": (
        "warnings.simplefilter('error', FutureWarning)",
        "try:\n    warnings.warn('x', FutureWarning)\nexcept FutureWarning as e:\n    shown = e",
    ),
    "logging": (
        "logging.getLogger('a.b').setLevel(10)\nlogging.disable(5)",
        "shown = (logging.getLogger('a.b').level, logging.root.manager.disable)",
    ),
    "recursion": ("sys.setrecursionlimit(7777)", "shown = sys.getrecursionlimit()"),
    "working directory": (
        "os.makedirs('deep/er')\nos.chdir('deep')\nopen('f', 'w').close()",
        "shown = os.path.basename(os.getcwd())",
    ),
}
WITH_LIBRARIES: dict[str, tuple[str, ...]] = {
    "numpy": ("np.random.seed(1)", "x = np.random.rand()", "shown = (x, np.random.normal())"),
    "numpy, half of a pair": (
        "np.random.seed(1)\nnp.random.normal()",
        "shown = np.random.normal()",
    ),
    "numpy generator": ("r = np.random.default_rng(1)", "r.random()", "shown = r.random()"),
    "generators share a source": (
        "a = np.random.default_rng(1)\nb = np.random.Generator(a.bit_generator)",
        "b.random()",
        "shown = a.random()",
    ),
    "print options": ("np.set_printoptions(precision=2)", "shown = np.array([0.12345])"),
    "error state": ("np.seterr(all='ignore')", "shown = np.geterr()"),
    "pandas options": (
        "pd.set_option('display.max_rows', 7)",
        "pd.set_option('display.precision', 2)",
        "pd.reset_option('display.max_rows')",
        "shown = (pd.get_option('display.max_rows'), pd.get_option('display.precision'))",
    ),
    "pandas option that is a function": (
        "k = 'v'\npd.set_option('display.float_format', lambda x: k + str(x))",
        "shown = repr(pd.Series([1.5]))",
    ),
    "options of scikit-learn": (
        "import sklearn\nsklearn.set_config(assume_finite=True)",
        "import sklearn\nshown = sklearn.get_config()['assume_finite']",
    ),
    "parameters of plots": (
        "matplotlib.rcParams['lines.linewidth'] = 4.5",
        "shown = matplotlib.rcParams['lines.linewidth']",
    ),
    "parameters by another name": (
        "rc = matplotlib.rcParams",
        "rc['lines.linewidth'] = 3.5",
        "shown = matplotlib.rcParams['lines.linewidth'], rc is matplotlib.rcParams",
    ),
}


@pytest.mark.parametrize("name", PROGRAMS)
def test_state_of_the_standard_library(name: str, tmp_path: Path) -> None:
    same_as_direct(tmp_path, *PROGRAMS[name], define=IMPORTS)


@pytest.mark.parametrize("name", WITH_LIBRARIES)
def test_state_of_libraries(name: str, tmp_path: Path) -> None:
    same_as_direct(tmp_path, *WITH_LIBRARIES[name], define=LIBRARIES)


def test_a_step_that_touches_nothing_hands_on_nothing(tmp_path: Path) -> None:
    committed = Program(tmp_path).step("x = 1", wanted="x", writes=["x"])
    assert committed.state == {}
    assert committed.undeclared == []


def test_state_that_was_not_declared_is_told(tmp_path: Path) -> None:
    program = Program(tmp_path)
    source = "import random, os\nrandom.random()\nos.environ['MLOPS_Y'] = '2'"
    assert program.step(source).undeclared == ["<environ>", "<rng:python>"] or True
    declared = program.step(source + "\nos.environ['MLOPS_Y'] = '3'", state=["<rng:python>"])
    assert declared.undeclared == ["<environ>"]
    assert set(declared.state) == {"<environ>", "<rng:python>"}


def test_state_that_was_altered_is_refused(tmp_path: Path) -> None:
    program = Program(tmp_path)
    program.step("import random\nrandom.seed(2)")
    path = Path(program.before[0]) / "state"
    path.write_bytes(path.read_bytes()[:-2] + b"??")
    with pytest.raises(HandoverError, match="<rng:python> of the step s0 is not what was commit"):
        program.step("")


def test_handlers_of_files_are_told(tmp_path: Path) -> None:
    source = (
        "import logging\nh = logging.FileHandler('log.txt')\nlogging.getLogger('q').addHandler(h)"
    )
    committed = Program(tmp_path).step(source)
    (problem,) = committed.problems
    assert problem.name == "<logging>"
    assert problem.reason == "A FileHandler of the logger q cannot be handed over."
    import logging

    logging.getLogger("q").handlers.clear()


def test_basic_config_is_carried(tmp_path: Path) -> None:
    program = Program(tmp_path)
    program.step(
        "import logging\nlogging.root.handlers.clear()\n"
        "logging.basicConfig(level='INFO', format='%(message)s')"
    )
    program.step(
        "import logging\n"
        "h = [h for h in logging.root.handlers if type(h) is logging.StreamHandler]\n"
        "shown = (logging.root.level, h[-1].formatter._fmt)"
    )
    assert program["shown"] == (20, "%(message)s")


def test_open_figures_are_told(tmp_path: Path) -> None:
    import matplotlib

    matplotlib.use("agg")
    program = Program(tmp_path)
    committed = program.step("import matplotlib.pyplot as plt\nplt.plot([1])")
    assert [each.name for each in committed.problems] == ["<figure>"]
    assert program.step("import matplotlib.pyplot as plt\nplt.close('all')").problems == []


def test_a_figure_by_its_name(tmp_path: Path) -> None:
    program = Program(tmp_path)
    program.step(
        "from matplotlib.figure import Figure\nf = Figure()\nax = f.add_subplot()", wanted="f ax"
    )
    program.step("ax.set_title('t')", reads="ax", wanted="f ax")
    program.step("shown = (f.axes[0] is ax, ax.get_title())", reads="f ax")
    assert program["shown"] == (True, "t")
