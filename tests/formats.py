"""Publishes a notebook, asks it in Docker, and compares with what the notebook answers alone."""

from __future__ import annotations

import json
import os
import subprocess
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import httpx
import pytest

from jupyter_mlops.environment.options import LockOptions
from jupyter_mlops.publish import Published, publish
from jupyter_mlops.serve import serve, stop_service

MARKS = [
    pytest.mark.network,
    pytest.mark.slow,
    pytest.mark.docker,
    pytest.mark.registry,
    pytest.mark.timeout(900),
]
DATA = """import numpy as np
import pandas as pd
X = pd.DataFrame(np.random.default_rng(0).normal(size=(120, 4)), columns=list("abcd"))
y = (X.a + X.b * X.c > 0).astype(int)"""
ASKED = "expected = predict(X.head(8))"


# What the notebook itself answers: its cells in a plain process, nothing of ours between.
EXPECTED = """
import json, sys
import __main__
for cell in json.load(open(sys.argv[1]))["cells"]:
    if cell["cell_type"] == "code":
        exec("".join(cell["source"]), __main__.__dict__)
rows = __main__.X.head(8)
print(json.dumps({"rows": rows.to_dict("split"), "answers": __main__.expected.to_dict("records")}))
"""


def expected(python: Path, notebook: Path) -> dict[str, Any]:
    variables = {**os.environ, "OMP_NUM_THREADS": "1"}
    command = [str(python), "-c", EXPECTED, str(notebook)]
    done = subprocess.run(command, capture_output=True, text=True, env=variables)
    assert done.returncode == 0, done.stderr
    return dict(json.loads(done.stdout.splitlines()[-1]))


@contextmanager
def asked_in_docker(target: str, rows: dict[str, Any]) -> Iterator[list[dict[str, Any]]]:
    service = serve(target, with_="docker")
    try:
        body = {"dataframe_split": {key: rows[key] for key in ("columns", "data")}}
        answer = httpx.post(f"{service.url}/invocations", json=body, trust_env=False, timeout=120)
        assert answer.status_code == 200, answer.text
        yield answer.json()["predictions"]
    finally:
        stop_service(service.id)
        subprocess.run(["docker", "image", "rm", "-f", target], capture_output=True)


def check(
    python: Path, notebook: Path, target: str, formats: set[str], accelerator: str = "cpu"
) -> Published:
    """Publish, ask in Docker, and compare with what the notebook answers by itself."""
    known = expected(python, notebook)
    done = publish(notebook, target, environment=LockOptions(accelerator=accelerator))
    assert done.verified == "full"
    assert {capture.format for capture in done.captures} == formats
    with asked_in_docker(target, known["rows"]) as answers:
        assert len(answers) == len(known["answers"])
        for answer, wanted in zip(answers, known["answers"], strict=True):
            for name, value in wanted.items():
                close = isinstance(value, float)
                same = pytest.approx(value, rel=1e-6, abs=1e-9) if close else value
                assert answer[name] == same, name
    return done
