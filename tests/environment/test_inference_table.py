"""Small notebooks, each named after what it covers, and what each must be found to need."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from jupyter_mlops import notebook
from jupyter_mlops.environment import names
from jupyter_mlops.environment.infer import infer
from jupyter_mlops.environment.interpreter import Interpreter
from jupyter_mlops.environment.models import Inferred
from tests.environment.inference import (
    cases_engines,
    cases_files,
    cases_imports,
    cases_installs,
    cases_names,
    cases_survey,
    fake_kernel,
)
from tests.environment.inference.case import Case

MODULES = (cases_imports, cases_names, cases_engines, cases_installs, cases_files, cases_survey)
CASES = [case for module in MODULES for case in module.CASES]
#: What stands for pipreqs' table, which is fetched from an index.
PIPREQS = {
    "google": ("protobuf",),
    "polars": ("polars",),
    "fastparquet": ("fastparquet",),
    "github": ("PyGithub",),
}


@pytest.fixture(scope="module")
def kernel(tmp_path_factory: pytest.TempPathFactory) -> Interpreter:
    return fake_kernel.everyday(tmp_path_factory.mktemp("kernel")).probe()


@pytest.fixture(autouse=True)
def without_the_index(monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    monkeypatch.setattr(names, "pipreqs", lambda: PIPREQS)
    yield


def inferred(case: Case, folder: Path, kernel: Interpreter) -> Inferred:
    return infer(notebook.read(case.write(folder)), kernel)


def test_there_are_many_and_no_name_twice() -> None:
    assert len({case.name for case in CASES}) == len(CASES) >= 60


@pytest.mark.parametrize("case", CASES, ids=lambda case: case.name)
def test_the_notebook(case: Case, tmp_path: Path, kernel: Interpreter) -> None:
    found = inferred(case, tmp_path, kernel)
    by_name = {each.name: each for each in found.dependencies}
    assert {name: each.version for name, each in by_name.items()} == case.needs
    assert {each.module: each.candidates for each in found.questions} == case.asks
    assert [path.as_posix() for path in found.local] == list(case.local)
    for texts, problems in ((case.stops, found.problems), (case.warns, found.warnings)):
        sentences = [problem.sentence() for problem in problems]
        assert len(sentences) == len(texts), sentences
        for text in texts:
            assert any(text in sentence for sentence in sentences), (text, sentences)
        assert all(problem.remedy for problem in problems)
    reasons = [each.why for each in found.dependencies]
    assert all(reasons)
    for text in case.why:
        assert any(text in reason for reason in reasons), (text, reasons)
    for name, specifier in case.specifiers.items():
        assert by_name[name].specifier == specifier
    for name, extras in case.extras.items():
        assert by_name[name].extras == extras
    for name, url in case.urls.items():
        assert by_name[name].url == url
    for secret in ("secret", ":pw@", "u:p@"):
        assert secret not in str(found)
