"""What a cell is for: to load, prepare, train, evaluate, plot, save, or to set up."""

from __future__ import annotations

import ast
import re
from functools import lru_cache
from typing import Literal

from jupyter_mlops import parsed
from jupyter_mlops.notebook import Cell
from jupyter_mlops.pipeline.effects.flow import CellFlow

Kind = Literal["empty", "setup", "work"]
Phase = Literal["load", "prepare", "train", "evaluate", "plot", "save", ""]

_LOAD = re.compile(
    r"(read|load|fetch|download|import)(_\w+)?|genfromtxt|urlopen|urlretrieve|from_(csv|json)\w*"
)
_TRAIN = re.compile(
    r"(partial_)?fit(_predict|_model)?|(train|optimi[sz]e)(?!_test_split)(_\w+)?|backward|minimize"
)
_EVALUATE = re.compile(
    r"(cross_val_|evaluate|validate|assess|test_model|benchmark)\w*|score|\w+_(score|error|matrix|report|curve)"
    r"|\w*accuracy\w*|auc|predict(_proba)?|ttest\w*"
)
_PLOT = re.compile(
    r"(plot|draw|visuali[sz]e|display)_\w+|plot\w*|scatter\w*|hist\w*|bar[h]?|imshow|figure|subplots?|show|\w+plot"
    r"|heatmap|contourf?|quiver|xlabel|ylabel|legend|savefig|pie|errorbar"
)
_SAVE = re.compile(
    r"to_(csv|parquet|json|excel|pickle|feather|hdf|sql)|(save|write|export|dump)(_\w+)?|savez\w*|savetxt"
)
_PREPARE = re.compile(
    r"(prepare|clean|preprocess|transform|build|make|create|extract|split|filter|merge|normali[sz]e|encode)_\w+"
    r"|train_test_split|fit_transform|transform|dropna|fillna|drop|merge|join|groupby|get_dummies"
    r"|apply|astype|concat|pivot\w*|melt|resample|reshape|rename|replace|sort_values|assign"
)
_ORDER: tuple[tuple[Phase, re.Pattern[str]], ...] = (
    ("save", _SAVE), ("train", _TRAIN), ("evaluate", _EVALUATE), ("load", _LOAD), ("plot", _PLOT),
    ("prepare", _PREPARE),
)  # fmt: skip
#: How much one call of each kind says about a cell that does several things.
_WEIGHT: dict[Phase, float] = {
    "save": 2,
    "train": 6,
    "evaluate": 3,
    "load": 4,
    "plot": 1.5,
    "prepare": 1,
}
_SETUP_MAGICS = frozenset(
    "matplotlib config load_ext reload_ext autoreload pip conda precision".split()
)
_SETUP_CALLS = frozenset(
    """
    seed manual_seed set_option set_printoptions filterwarnings simplefilter set_theme set_style
    use basicConfig register_matplotlib_converters setLevel
    """.split()
)
_PLOTTERS = frozenset({"plt", "sns", "ax", "axes", "axs", "fig", "px", "go", "alt"})


_DEFINITIONS = (ast.FunctionDef, ast.AsyncFunctionDef, ast.ClassDef)
_NO_WORK = (ast.Import, ast.ImportFrom, ast.Pass, *_DEFINITIONS)
_LEFTWARDS = (ast.Attribute, ast.Call, ast.Subscript)


def kind(cell: Cell) -> Kind:
    """Tell whether a cell holds nothing, only what others build on, or work.

    Imports, functions, classes, plain constants and lines that set the session up are no work.
    """
    if cell.source.lstrip().startswith("%%") and not cell.python.strip():
        step = cell.source.lstrip().startswith("%%mlops_step")
        return "empty" if step and not cell.full_tree.body else "work"
    if cell.syntax_error:
        return "work"
    tree = cell.full_tree
    if not tree.body:
        return "empty"
    return "setup" if "parameters" in cell.tags or _sets_up_only(tree) else "work"


@parsed.remembered
def _sets_up_only(tree: ast.Module) -> bool:
    return all(_is_setup(statement) for statement in tree.body)


@lru_cache(maxsize=4096)
def _phase_of(name: str) -> Phase:
    """Return what calling something of this name is for."""
    return next((each for each, pattern in _ORDER if pattern.fullmatch(name)), "")


def phase(cell: Cell, flow: CellFlow) -> Phase:
    """Return what a cell is for, by what it calls; empty where that says nothing."""
    points = dict(_points(cell.full_tree))
    if flow.files_in and not points["load"]:
        points["load"] += 2
    if flow.files_out and not points["save"] and not points["plot"]:
        points["save"] += 1
    most = max(points, key=points.__getitem__)
    return most if points[most] else ""


@parsed.remembered
def _points(tree: ast.Module) -> dict[Phase, float]:
    """Return how much a cell's calls say for each phase."""
    points: dict[Phase, float] = dict.fromkeys((each for each, _ in _ORDER), 0.0)
    for name, root in _called(tree):
        if root in _PLOTTERS and name not in ("savefig", "close", "rcParams"):
            points["plot"] += 2
            continue
        meant = _phase_of(name)
        if meant:
            points[meant] += _WEIGHT[meant]
    return points


def _called(tree: ast.Module) -> list[tuple[str, str]]:
    """Return (name, leftmost name) of what a cell's own statements call, definitions left out."""
    found: list[tuple[str, str]] = []
    for call in _own_calls(tree):
        function = call.func
        name = function.attr if isinstance(function, ast.Attribute) else ""
        name = function.id if isinstance(function, ast.Name) else name
        root: ast.expr = function
        while isinstance(root, _LEFTWARDS):
            root = root.func if isinstance(root, ast.Call) else root.value
        found.append((name, root.id if isinstance(root, ast.Name) and root is not function else ""))
    return found


def _own_calls(tree: ast.Module) -> list[ast.Call]:
    every = parsed.nodes(tree)
    if not any(isinstance(node, _DEFINITIONS) for node in every):
        return [node for node in every if isinstance(node, ast.Call)]
    found: list[ast.Call] = []
    waiting: list[ast.AST] = list(tree.body)
    while waiting:
        node = waiting.pop()
        if not isinstance(node, _DEFINITIONS):
            found += [node] if isinstance(node, ast.Call) else []
            waiting += parsed.children(node)
    return found


def _is_setup(statement: ast.stmt) -> bool:
    if isinstance(statement, _NO_WORK):
        return True
    if isinstance(statement, (ast.Assign, ast.AnnAssign)):
        return statement.value is None or is_literal(statement.value)
    if isinstance(statement, ast.Try):
        parts = [*statement.body, *(s for h in statement.handlers for s in h.body)]
        return all(_is_setup(each) for each in (*parts, *statement.orelse, *statement.finalbody))
    if not isinstance(statement, ast.Expr):
        return False
    value = statement.value
    return isinstance(value, ast.Constant) or (isinstance(value, ast.Call) and _sets_up(value))


def _sets_up(call: ast.Call) -> bool:
    """Tell whether a call only prepares the session: a magic, a seed, an option, a style."""
    text = parsed.dotted(call.func)
    if text.startswith("get_ipython()"):
        first = call.args[0] if call.args else None
        name = first.value if isinstance(first, ast.Constant) else ""
        return text.endswith("run_line_magic") and name in _SETUP_MAGICS
    return text.rpartition(".")[2] in _SETUP_CALLS


def is_literal(node: ast.expr) -> bool:
    """Tell whether an expression is a constant, or a container of constants."""
    if isinstance(node, ast.Constant):
        return True
    if isinstance(node, ast.List | ast.Tuple | ast.Set):
        return all(is_literal(each) for each in node.elts)
    if isinstance(node, ast.Dict):
        return all(each is not None and is_literal(each) for each in (*node.keys, *node.values))
    if isinstance(node, ast.UnaryOp):
        return is_literal(node.operand)
    return isinstance(node, ast.BinOp) and is_literal(node.left) and is_literal(node.right)
