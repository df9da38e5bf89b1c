"""Lines that install: read as requirements, each in its own manner."""

from __future__ import annotations

from tests.environment.inference.case import NUMPY, PANDAS, PYARROW, YAML, Case

SIX = {"six": "1.16.0"}
CASES = [
    Case(
        "%pip adds what nothing imports",
        ["%pip install pyarrow"],
        PYARROW,
        why=["%pip install in cell 1"],
    ),
    Case(
        "!pip with options", ["!pip install -q -U --no-cache-dir pyarrow six"], {**PYARROW, **SIX}
    ),
    Case("!{sys.executable} -m pip", ["import sys\n!{sys.executable} -m pip install six"], SIX),
    Case(
        "%conda", ["%conda install -y -c conda-forge six=1.16"], SIX, specifiers={"six": "==1.16.*"}
    ),
    Case(
        "!mamba with conda's own names",
        ["!mamba install python-snappy pytorch cudatoolkit"],
        {"python-snappy": "", "torch": ""},
    ),
    Case("!uv pip", ["!uv pip install 'six>=1.10'"], SIX, specifiers={"six": ">=1.10"}),
    Case("%uv pip", ["%uv pip install six"], SIX),
    Case("!uv add", ["!uv add six"], SIX),
    Case(
        "indented in an except",
        ["try:\n    import yaml\nexcept ImportError:\n    !pip install pyyaml\n    import yaml"],
        YAML,
    ),
    Case(
        "several lines with backslash",
        ["!pip install \\\n    six \\\n    'pyarrow>=10'  # fast"],
        {**SIX, **PYARROW},
        specifiers={"pyarrow": ">=10"},
    ),
    Case("trailing comment", ["%pip install six  # needed by old code, and pyarrow"], SIX),
    Case("under %%capture", ["%%capture\n!pip install six"], SIX),
    Case("in %%bash", ["%%bash\nset -e\npip install six"], SIX),
    Case(
        "in os.system and subprocess",
        [
            "import os, sys, subprocess\nos.system('pip install six')\n"
            "subprocess.run([sys.executable, '-m', 'pip', 'install', 'pyarrow'])"
        ],
        {**SIX, **PYARROW},
    ),
    Case("after other commands", ["!apt-get update && pip install six | tail -1"], SIX),
    Case("in a text, not a line", ['text = """\n!pip install six\n"""'], {}),
    Case(
        "extras",
        ["%pip install 'dask[distributed]'\nimport dask"],
        {"dask": "2024.9.0"},
        extras={"dask": ["distributed"]},
    ),
    Case(
        "version that the kernel does not have",
        ["%pip install pandas==1.5.3\nimport pandas"],
        PANDAS,
        warns=["pandas==1.5.3 is asked for, the kernel has pandas 2.2.3"],
        specifiers={"pandas": ""},
    ),
    Case(
        "version of what is not installed",
        ["%pip install 'polars<2,>=1'\nimport polars"],
        {"polars": ""},
        specifiers={"polars": "<2,>=1"},
        warns=["polars is taken"],
    ),
    Case(
        "from version control",
        ["%pip install git+https://me:pw@git.example.org/a/newthing.git@v1"],
        {"newthing": ""},
        urls={"newthing": "git+https://git.example.org/a/newthing.git@v1"},
    ),
    Case(
        "a named address",
        ["%pip install 'newthing @ https://example.org/newthing-1.0.zip'"],
        {"newthing": ""},
        urls={"newthing": "https://example.org/newthing-1.0.zip"},
    ),
    Case(
        "version control against the kernel",
        ["%pip install git+https://github.com/pandas-dev/pandas\nimport pandas"],
        PANDAS,
        warns=["pandas from git+https://github.com/pandas-dev/pandas is asked for"],
    ),
    Case(
        "a file with -r bounds what is imported",
        ["%pip install -r needs.txt\nimport yaml"],
        YAML,
        files={"needs.txt": "pyyaml>=5\nsix\n"},
        specifiers={"PyYAML": ">=5"},
    ),
    Case(
        "a file with -r that is not there",
        ["%pip install -r gone.txt"],
        {},
        warns=["What it asks for cannot be read"],
    ),
    Case(
        "a local project",
        ["%pip install -e ./mine"],
        {"mine": ""},
        files={"mine/pyproject.toml": '[project]\nname = "mine"\n'},
    ),
    Case(
        "a local folder without a name",
        ["%pip install ./mine"],
        {},
        files={"mine/setup.py": ""},
        warns=["nothing there tells the distribution's name"],
    ),
    Case(
        "a name known only when it runs",
        ["name = 'x'\n!pip install {name}"],
        {},
        warns=["known only when it runs"],
    ),
    Case(
        "another index",
        ["%pip install --index-url https://u:p@example.org/simple six"],
        SIX,
        warns=["It installs from https://example.org/simple"],
    ),
    Case("a marker that does not hold", ["%pip install \"six; python_version < '3'\""], {}),
    Case("tools of installing", ["%pip install --upgrade pip setuptools wheel"], {}),
    Case("no installation", ["!pip list\n%pip freeze\n!uv run x.py\n!conda info"], {}),
    Case("what is no requirement", ["%pip install ???"], {}, warns=["'???' is no package"]),
    Case(
        "PEP 723 in a cell",
        [
            "# /// script\n# requires-python = '>=3.8'\n"
            "# dependencies = ['six>=1', 'pyarrow']\n# ///",
            "import numpy",
        ],
        {**SIX, **PYARROW, **NUMPY},
        specifiers={"six": ">=1"},
        why=["script metadata in cell 1"],
    ),
    Case(
        "PEP 723 for another Python",
        ["# /// script\n# requires-python = '<3.8'\n# ///\nimport numpy"],
        NUMPY,
        warns=["ask for Python <3.8, its kernel has"],
    ),
    Case(
        "PEP 723 that cannot be read",
        ["# /// script\n# dependencies = [\n# ///\nimport numpy"],
        NUMPY,
        warns=["What it asks for cannot be read"],
    ),
    Case(
        "metadata.uv",
        ["import numpy"],
        {**NUMPY, **SIX},
        metadata={"uv": {"dependencies": ["six"]}},
        why=["the notebook's metadata"],
    ),
]
