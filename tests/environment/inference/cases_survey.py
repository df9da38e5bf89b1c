"""What the tools that read notebooks for their packages were seen to stumble over.

Each is one row of a survey of five such tools, written down before ours was run on it.
"""

from __future__ import annotations

from tests.environment.inference.case import NUMPY, PANDAS, PYARROW, SKLEARN, YAML, Case

TQDM = {"tqdm": "4.66.5"}
CASES = [
    Case(
        "survey: modules with other names",
        ["import sklearn, PIL, yaml, bs4, cv2, skimage, numpy"],
        {
            **SKLEARN,
            **YAML,
            **NUMPY,
            "pillow": "10.4.0",
            "beautifulsoup4": "4.12.3",
            "opencv-python": "4.10.0.84",
            "scikit-image": "0.24.0",
        },
    ),
    Case(
        "survey: indented !pip in an except",
        ["try:\n    import yaml\nexcept:\n    !pip install pyyaml\n    import yaml", "import tqdm"],
        {**YAML, **TQDM},
    ),
    Case("survey: a cell of bash", ["import yaml", "%%bash\nls *.csv | wc -l"], YAML),
    Case("survey: a question mark", ["import yaml\nyaml?", "yaml.load??"], YAML),
    Case(
        "survey: !pip over several lines",
        ["import yaml", "!pip install -q \\\n    tqdm"],
        {**YAML, **TQDM},
    ),
    Case("survey: the output of a shell line", ["names = !ls\nimport yaml"], YAML),
    Case(
        "survey: a percent sign that is no magic",
        ["a = 1\nif a:\n    print('%s' % a)\nelse:\n    print('%d' % a)\nimport yaml"],
        YAML,
    ),
    Case(
        "survey: one broken cell", ["import yaml", "print 'old'", "import tqdm"], {**YAML, **TQDM}
    ),
    Case(
        "survey: a line that installs two",
        ["!pip install lightgbm==4.5.0 xgboost\nimport yaml"],
        {**YAML, "lightgbm": "4.5.0", "xgboost": ""},
        specifiers={"lightgbm": "==4.5.0"},
    ),
    Case(
        "survey: google.cloud",
        ["from google.cloud import storage\nclient = storage.Client()"],
        {"google-cloud-storage": "2.18.0"},
    ),
    Case(
        "survey: a guarded import",
        ["try:\n    import cupy as xp\nexcept ImportError:\n    import numpy as xp"],
        NUMPY,
    ),
    Case(
        "survey: imports by text",
        ["import importlib\nreader = importlib.import_module('yaml')", "exec('import tqdm')"],
        {**YAML, **TQDM},
    ),
    Case(
        "survey: helpers beside the notebook",
        ["import helpers\nhelpers.load()"],
        YAML,
        files={"helpers.py": "import yaml\ndef load(): ..."},
        local=["helpers.py"],
    ),
    Case(
        "survey: engines that pandas loads",
        [
            "import pandas as pd\ndf = pd.read_csv('a.csv')",
            "df.to_parquet('a')\ndf.to_excel('a.xlsx')",
        ],
        {**PANDAS, **PYARROW, "openpyxl": "3.1.5"},
    ),
]
