"""Cells that are no Python, or of another Python: broken, newer, older, magics, marks."""

from __future__ import annotations

from pathlib import Path
from random import Random

from .kinds import code, dumped, kind, markdown, notebook, of_texts, tagged
from .texts import program, spoiled

NEWER = [
    "names = ['a']\nprint(f\"{', '.join(names)}\")\nprint(f'{'x' + f'{1 + 1}'}')",  # 3.12
    "x = 1\nprint(f'{x!r:>{10}}', f'''{\n    x  # a comment\n}''')",
    "type Vector = list[float]\nv: Vector = [1.0]",
    "type Pair[T, *Ts, **P] = tuple[T, *Ts]",
    "def first[T: (int, str) = int](items: list[T]) -> T:\n    return items[0]\nfirst([1])",
    "class Box[T]:\n    item: T\nBox()",
    "name = 'x'\ngreeting = t'hello {name!s:>10}'",  # 3.14
    "try:\n    x = int('a')\nexcept ValueError, TypeError:\n    x = 0",
    "try:\n    pass\nexcept* ValueError:\n    pass",
    "def f():\n    try:\n        return 1\n    finally:\n        return 2\nf()",
    "match [1, 2]:\n    case [int() as a, *rest] if a: x = rest\n"
    "    case {'k': v, **more} | {'j': v, **more}: x = v\n"
    "    case str() | None: x = 2\n    case _: x = 3",
    "with (open('a') as a, open('b') as b):\n    pass",
    "print(x := 3, [y for z in [1] if (y := z)])",
    "def f(a, /, b, *, c): return a\nf(1, 2, c=3)",
    "a = *[1], 2\nd = {**{}, 'x': 1}\nx = a[*a]",
    "lazy import json\nx = json",
    "async def g():\n    return [i async for i in h() if await i]\nawait g()",
    "x = 1 if True else\ny = 0b12 + 0o9 + 1__0",
]
OLDER = [
    "print 'hello'\nx = 1L", "exec 'x = 1'\nprint x,",
    "try:\n    x = 1\nexcept Exception, e:\n    raise ValueError, 'x'",
    "x = `1`\ny = 1 <> 2", "def f((a, b)): return a", "x = ur'text'\ny = 0777", "print >>f, 'x'",
    "raw_input('x')",
]  # fmt: skip
#: What Python takes, and warns of.
WARNED = [
    'a = "\\d"  # "\\p" of old', "x = 1(2)", 'y = 1[0]', 'z = "$\\psi_{t}$"', "x = 1 is 2",
    'assert (1, "\\q")', 'def f(a="\\d"):\n    return 0or a\nf()', "x = [1\n(2)]",
    '%time w = "\\d"', '%%time\nv = "\\d"', '!ls "\\d" {"\\w"}', '%%capture\nu = 1["a"]',
    '%%mlops_step z\nk = "\\d"\nk', 'exec("t = 1(2)")',
    'from __future__ import annotations\nx = "\\d"',
    'display("\\d")', 'x = "\\d"; y = "\\d"', 'a: "Literal[\'\\d\']" = "x"',
]  # fmt: skip
MAGICS = [
    "%%", "%", "!", "!!", "?", "??", "x?", "x??", "?x", "%%\n", "%% bash\nls", "%%bash",
    "%%bash\n", "x = 1\n%%bash\nls",
    "\n\n%%time\nx = 1", "%%time x = 1", "%%time\n%%time\nx = 1", "%%timeit -n1\nx = (",
    "%%capture\n", "%%capture 1a\nx = 1",
    "%%writefile", "%%writefile \nx", "%%writefile a/../b.py\nx = 1", "%%script",
    "%%script --out\nls", "%%file x",
    "%%mlops_step", "%%mlops_step \nx = 1", "%%mlops_step a\n%%time\nx = 1",
    "%%mlops_step a b c\nx = (", "%mlops_step x",
    "%load_ext", "%load_ext jupyter_mlops", "%run", "%run x.py", "%run -i", "%cd", "%cd ..",
    "%env", "%env A", "%env A=1 B",
    "%matplotlib", "%matplotlib nowhere", "%time", "%timeit", "%timeit x = 1", "%%prun\nx=1",
    "x = %time 1", "x = !", "x = %",
    "x = !ls {y} $z", "!ls {", "!echo $", "%alias a b", "%macro m 1-3", "%store x", "%store -r",
    "%reset -f", "%xdel x", "%who",
    "%%html\n<b>", "%%javascript\nx", "%%sql\nselect 1", "%%R\nx <- 1", "%%cython\ncdef int x",
    "%%latex", "%%perl\n1",
    "for i in [1]:\n    !ls\n    %cd", "if True:\n    %%bash\n    ls",
    "def f():\n    %time x = 1\n    return x\nf()",
    "%pip install x", "!pip install 'x", "%conda", "%autoreload 2",
    "get_ipython().run_line_magic('x')", "get_ipython().system()",
    "get_ipython().run_cell_magic('bash', '', 'ls')", ";ls", ",f a b", "/f 1 2", "\\x",
    "%config InlineBackend.x = {", "%%!\nls",
    "%%capture out --no-stdout\nprint(1)", "# step:", "# step: ", "#step:x",
    "# step: a\n# step: b\nx = 1", "%%mlops_step\n\n",
    ">>> x = 1\n>>> x", "In [1]: x = 1", "...: x", "$ ls", "x = 1 # %%", "'''\n%%bash\n'''",
    "x = '''\n!ls\n%cd\n'''",
]  # fmt: skip
NAMES = [
    "", " ", "a/b", "../../etc/passwd", "/etc/passwd", "a\\b", ".", "..", "...", "-", "--help",
    "-rf", "CON", "nul", "aux.txt",
    "😀", "é" * 50, "东京", "x" * 300, "a" * 39 + " b", "a\tb", "a b  c", "a:b", "a*b?", "a|b>c<d",
    "'", '"', "`", "$(x)", "${x}",
    "%s", "{0}", "{", "\\", "\\n", "#", "# step: x", "step", "main", "parser", "class", "None",
    "handover", "files", "work",
    "run.sh", "1", "01", "1.2 Load", "step 1: load", "A" * 41, "load", "load", "Load", "LOAD",
    "load-2", "load-2-2", "ﬁ", "ß",
    "\u202e", "\u200b", "\x00", "\x1b[31m", "a\u2028b", "İ", "ǅ", "½", "__init__", "import", "i",
    "x.py", "json", "<b>", "[/b]",
]  # fmt: skip


@kind
def spoiled_cells(rng: Random, path: Path) -> bytes:
    texts = program(rng)
    for _ in range(rng.randint(1, 2)):
        place = rng.randrange(len(texts))
        texts[place] = spoiled(rng, texts[place])
    return of_texts(texts)


@kind
def cut_cells(rng: Random, path: Path) -> bytes:
    return of_texts([text[: rng.randint(0, len(text))] for text in program(rng)])


@kind
def shuffled_cells(rng: Random, path: Path) -> bytes:
    texts = [*program(rng), *program(rng)]
    rng.shuffle(texts)
    return of_texts(texts)


@kind
def joined_programs(rng: Random, path: Path) -> bytes:
    texts = [line for text in program(rng) for line in text.split("\n")]
    return of_texts(texts if rng.random() < 0.5 else ["\n".join(texts), *program(rng)])


@kind
def newer_python(rng: Random, path: Path) -> bytes:
    return of_texts([*program(rng), *rng.sample(NEWER, rng.randint(1, 4)), "print(1)"])


@kind
def spoiled_newer_python(rng: Random, path: Path) -> bytes:
    return of_texts(["a = x = 1", *(spoiled(rng, text) for text in rng.sample(NEWER, 3))])


@kind
def older_python(rng: Random, path: Path) -> bytes:
    return of_texts([*rng.sample(OLDER, rng.randint(1, 3)), *program(rng)])


@kind
def warned_of(rng: Random, path: Path) -> bytes:
    first = tagged(["parameters"], rng.choice(['p = "\\d"', 'p = 1  # one of "\\d", "b"', "p = 1"]))
    cells = [code(text) for text in [*program(rng), *rng.sample(WARNED, rng.randint(1, 4))]]
    return dumped(notebook([first, *cells]))


@kind
def unfinished_magics(rng: Random, path: Path) -> bytes:
    return of_texts([*program(rng), *rng.sample(MAGICS, rng.randint(1, 3)), "print(1)"])


@kind
def only_magics(rng: Random, path: Path) -> bytes:
    return of_texts([rng.choice(MAGICS) for _ in range(rng.randint(1, 5))])


@kind
def spoiled_magics(rng: Random, path: Path) -> bytes:
    return of_texts(["x = 1", *(spoiled(rng, rng.choice(MAGICS)) for _ in range(4))])


@kind
def glued_magics(rng: Random, path: Path) -> bytes:
    texts = program(rng)
    place = rng.randrange(len(texts))
    texts[place] = rng.choice(MAGICS) + rng.choice(["\n", "", " "]) + texts[place]
    return of_texts(texts)


@kind
def step_names(rng: Random, path: Path) -> bytes:
    cells = []
    for text in program(rng):
        name, how = rng.choice(NAMES), rng.randrange(4)
        if how == 0:
            cells.append(code(f"# step: {name}\n{text}"))
        elif how == 1:
            cells.append(tagged([f"step:{name}"], text))
        elif how == 2:
            cells.append(code(f"%%mlops_step {name}\n{text}"))
        else:
            cells += [markdown(f"## {name}"), code(text)]
    return dumped(notebook(cells))


@kind
def ipython_state(rng: Random, path: Path) -> bytes:
    odd = ["_", "__", "_1 + _i2", "Out[1]", "In[-1]", "_oh", "exit", "quit()", "input()",
    "x = __import__('os')", "%pylab",
           "from os import *", "import builtins\nbuiltins.print = 1", "globals()['x'] = 1",
           "exec('x=1')", "del _", "del x",
           "get_ipython = 1", "display = None", "print = 1", "import sys; sys.exit()",
           "from . import x", "from .. import *",
           "from __future__ import annotations", "from __future__ import nothing", "__name__ = 1",
           "import jupyter_mlops",
           "open = exec", "class print: pass", "def exec(): pass", "return 1", "yield 1",
           "await x", "break", "continue",
           "nonlocal x", "global x\nx = 1", "lambda: (yield)", "__file__", "*a, b = 1,", "a: int",
           "(a): int = 1"]  # fmt: skip
    return of_texts([*rng.sample(odd, rng.randint(1, 4)), *program(rng), rng.choice(odd)])
