"""Files beside the notebook: they bound what is imported, and add nothing."""

from __future__ import annotations

from tests.environment.inference.case import NUMPY, PANDAS, YAML, Case

CODE = ["import numpy"]
CASES = [
    Case(
        "requirements.txt",
        CODE,
        NUMPY,
        files={"requirements.txt": "numpy>=2\npandas\n"},
        specifiers={"numpy": ">=2"},
    ),
    Case(
        "requirements.txt with everything that pip allows",
        CODE,
        NUMPY,
        files={
            "requirements.txt": "# all\n--index-url https://u:p@example.org\n-r more.txt\n"
            "-c bounds.txt\nsix==1.0 \\\n    --hash=sha256:00\npandas ; python_version<'3' # old\n",
            "more.txt": "numpy<3\n-r requirements.txt\n",
            "bounds.txt": "numpy>=2.0\n",
        },
        specifiers={"numpy": "<3,>=2.0"},
    ),
    Case(
        "requirements.txt against the kernel",
        CODE,
        NUMPY,
        files={"requirements.txt": "numpy==1.26\n"},
        warns=["numpy==1.26 is asked for, the kernel has numpy 2.1.0"],
        specifiers={"numpy": ""},
    ),
    Case(
        "requirements.txt with a line that is none",
        CODE,
        NUMPY,
        files={"requirements.txt": "numpy ~~ 2\n"},
        warns=["'numpy ~~ 2' is no requirement"],
    ),
    Case(
        "requirements.txt that is no text",
        CODE,
        NUMPY,
        files={"requirements.txt": "numpy\udcff"},
        warns=["What it asks for cannot be read"],
    ),
    Case(
        "requirements.txt names the variant",
        ["import psycopg"],
        {"psycopg": ""},
        files={"requirements.txt": "psycopg[binary]>=3\n"},
        extras={"psycopg": ["binary"]},
        specifiers={"psycopg": ">=3"},
        warns=["psycopg is taken"],
        why=["requirements.txt asks for psycopg"],
    ),
    Case(
        "requirements.txt chooses between variants",
        ["import faiss"],
        {"faiss-gpu": ""},
        files={"requirements.txt": "faiss-gpu\n"},
        warns=["faiss-gpu is taken"],
    ),
    Case(
        "pyproject.toml",
        CODE,
        NUMPY,
        files={
            "pyproject.toml": '[project]\nname = "x"\nrequires-python = ">=3.8"\n'
            'dependencies = ["numpy>=2", "six"]\n'
        },
        specifiers={"numpy": ">=2"},
    ),
    Case(
        "pyproject.toml for another Python",
        CODE,
        NUMPY,
        files={"pyproject.toml": '[project]\nname = "x"\nrequires-python = ">=3.99"\n'},
        warns=["ask for Python >=3.99"],
    ),
    Case(
        "pyproject.toml of poetry",
        ["import numpy, pandas, yaml"],
        {**NUMPY, **PANDAS, **YAML},
        files={
            "pyproject.toml": '[tool.poetry.dependencies]\npython = "^3.8"\nnumpy = "^2.0"\n'
            'pandas = {version = "~2.2", extras = ["excel"]}\n'
            '[tool.poetry.group.dev.dependencies]\npyyaml = "*"\n'
        },
        specifiers={"numpy": "<3,>=2.0", "pandas": "<2.3,>=2.2"},
        extras={"pandas": ["excel"]},
    ),
    Case(
        "pyproject.toml that cannot be read",
        CODE,
        NUMPY,
        files={"pyproject.toml": "[project"},
        warns=["What it asks for cannot be read"],
    ),
    Case(
        "environment.yml",
        ["import numpy, yaml, cv2"],
        {**NUMPY, **YAML, "opencv-python": "4.10.0.84"},
        files={
            "environment.yml": "name: x\ndependencies:\n  - python>=3.8\n  - numpy=2.1\n"
            "  - conda-forge::pyyaml>=6\n  - pip:\n      - opencv-python>=4\n"
        },
        specifiers={"numpy": "==2.1.*", "PyYAML": ">=6", "opencv-python": ">=4"},
    ),
    Case(
        "environment.yaml against the kernel",
        CODE,
        NUMPY,
        files={"environment.yaml": "dependencies: [numpy=1.26=py311]"},
        warns=["numpy==1.26.* is asked for"],
    ),
    Case(
        "environment.yml for another Python",
        CODE,
        NUMPY,
        files={"environment.yml": "dependencies: [python=2.7]"},
        warns=["ask for Python ==2.7.*"],
    ),
    Case(
        "environment.yml that is no YAML",
        CODE,
        NUMPY,
        files={"environment.yml": "dependencies: ["},
        warns=["What it asks for cannot be read"],
    ),
    Case(
        "files at the root of the repository",
        CODE,
        NUMPY,
        files={"../.git/HEAD": "", "../requirements.txt": "numpy>1\n"},
        specifiers={"numpy": ">1"},
    ),
    Case(
        "files above, in no repository",
        CODE,
        NUMPY,
        files={"../requirements.txt": "numpy==1\n"},
        specifiers={"numpy": ""},
    ),
]
