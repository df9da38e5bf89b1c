"""The magics in a real IPython shell, and in a real kernel."""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import sys
import textwrap
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import msgspec
import pytest
from IPython.core.interactiveshell import InteractiveShell

import jupyter_mlops
from jupyter_mlops.jobs import KINDS, JobStore
from jupyter_mlops.kernel import progress
from jupyter_mlops.kernel.magics import register, step_mark
from jupyter_mlops.kernel.session import notebook_of
from jupyter_mlops.runtime.journal import read
from jupyter_mlops.tracking.live import Sent

ROOT = Path(__file__).parents[2]
PACKAGE = Path(jupyter_mlops.__file__).parent


@pytest.fixture
def shell() -> Iterator[Any]:
    shell = InteractiveShell.instance()
    register(shell)
    yield shell
    InteractiveShell.clear_instance()


@pytest.fixture
def journal(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setenv("MLOPS_JOURNAL", str(tmp_path / "journal.jsonl"))
    return tmp_path / "journal.jsonl"


def said(shell: Any, capsys: pytest.CaptureFixture[str], line: str) -> str:
    """Run a line as a cell; return all that it wrote, which must hold no traceback."""
    shell.run_cell(line)
    captured = capsys.readouterr()
    assert "Traceback" not in captured.out + captured.err
    return captured.out + captured.err


def test_values_of_the_users_namespace_are_logged(shell: Any, journal: Path) -> None:
    import numpy as np

    shell.run_cell("hits, total, epoch = 9, 10, 2\nscores = {'val/f1': 0.5}")
    shell.user_ns["loss"] = np.float32(0.25)
    for line in (
        "%mlops_log accuracy=hits / total loss=loss step=epoch",
        "%mlops_log **scores",
        "%mlops_log note='a {b} $c'",
    ):
        assert shell.run_cell(line).success
    entries = read(journal)
    assert entries[0].values == {"accuracy": 0.9, "loss": 0.25} and entries[0].step == 2
    assert entries[1].values == {"val/f1": 0.5} and entries[1].step is None
    assert entries[2].values == {"note": "a {b} $c"}, "IPython expands nothing in it"


@pytest.mark.parametrize(
    ("line", "says"),
    [
        ("%mlops_log", "no name=value"),
        ("%mlops_log loss", "name=value"),
        ("%mlops_log loss=", "not a Python expression"),
        ("%mlops_log loss=nowhere", "NameError"),
        ("%mlops_log loss=1/0", "ZeroDivisionError"),
        ("%mlops_log loss=[1, 2]", "cannot be logged"),
        ("%mlops_log loss=1 step=1.5", "whole number"),
        ("%mlops_log step=1", "nothing to log"),
        ("%mlops_log **3", "not a mapping"),
    ],
)
def test_a_mistake_is_one_sentence(
    shell: Any, capsys: pytest.CaptureFixture[str], journal: Path, line: str, says: str
) -> None:
    text = said(shell, capsys, line)
    assert "UsageError" in text and says in text
    assert read(journal) == []
    assert not shell.run_cell(line).success


def test_a_notebook_that_publishes_itself_runs_while_it_is_published(
    shell: Any, capsys: pytest.CaptureFixture[str], journal: Path
) -> None:
    assert "this is a run" in said(shell, capsys, "%mlops_publish")
    assert shell.run_cell("%mlops_publish").success


def test_only_logging_is_there_in_an_image(tmp_path: Path) -> None:
    """Only what ships is there: logging works, publishing says what it needs."""
    lib = tmp_path / "lib" / "jupyter_mlops"
    for name in ("runtime", "capture", "kernel"):
        shutil.copytree(PACKAGE / name, lib / name)
    shutil.copy(PACKAGE / "__init__.py", lib)
    program = """
        import os, sys
        sys.path.insert(0, os.environ["LIB"])
        from IPython.core.interactiveshell import InteractiveShell
        before = set(sys.modules)
        shell = InteractiveShell.instance()
        assert shell.run_cell("%load_ext jupyter_mlops").success
        import jupyter_mlops
        assert jupyter_mlops.__file__.startswith(os.environ["LIB"])
        assert not shell.run_cell("%mlops_log a=1").success  # nowhere to log to
        os.environ["MLOPS_JOURNAL"] = os.environ["LIB"] + "/journal"
        assert shell.run_cell("%mlops_log a=1").success
        del os.environ["MLOPS_JOURNAL"]
        assert not shell.run_cell("%mlops_publish").success
        ours = {m.split(".")[0] for m in set(sys.modules) - before}
        foreign = ours & {"mlflow", "watchfiles", "tornado", "ipywidgets", "sqlalchemy", "filelock"}
        assert not foreign, foreign
    """
    done = subprocess.run(
        [sys.executable, "-c", textwrap.dedent(program)],
        env={**os.environ, "LIB": str(lib.parent), "IPYTHONDIR": str(tmp_path)},
        capture_output=True,
        text=True,
        timeout=120,
    )
    assert done.returncode == 0, done.stdout + done.stderr
    text = done.stdout + done.stderr
    assert "nowhere to log" in text and "MLOPS_JOURNAL" in text
    assert "full jupyter_mlops package" in text
    assert "Traceback" not in text
    assert len(read(lib.parent / "journal")) == 1


def test_importing_the_package_and_its_magics_is_light() -> None:
    program = """
        import sys
        import jupyter_mlops
        assert not {"msgspec", "IPython", "mlflow", "asyncio"} & set(sys.modules)
        before = set(sys.modules)
        from jupyter_mlops.kernel import magics
        heavy = {"mlflow", "sqlalchemy", "jupyter_server", "watchfiles", "httpx", "papermill",
                 "numpy", "pandas", "filelock", "nbformat", "uv"}
        assert not heavy & set(sys.modules), heavy & set(sys.modules)
        ours = sorted(m for m in sys.modules if m.startswith("jupyter_mlops."))
        assert not [m for m in ours if m.split(".")[1] not in ("kernel", "runtime")], ours
    """
    subprocess.run([sys.executable, "-c", textwrap.dedent(program)], check=True, timeout=60)


@pytest.mark.slow
def test_a_live_kernel_logs_to_mlflow_and_never_imports_it(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A real kernel, killed with SIGKILL right after logging: MLflow has it all."""
    from jupyter_client.manager import start_new_kernel

    monkeypatch.setenv("JUPYTER_MLOPS_HOME", str(tmp_path))
    monkeypatch.delenv("MLOPS_JOURNAL", raising=False)
    monkeypatch.delenv("MLFLOW_TRACKING_URI", raising=False)
    monkeypatch.setenv("PYTHONPATH", str(ROOT))
    (tmp_path / "iris.ipynb").touch()
    monkeypatch.setenv("JPY_SESSION_NAME", str(tmp_path / "iris.ipynb"))
    manager, client = start_new_kernel(kernel_name="python3")
    try:
        texts: list[str] = []

        def hear(message: dict[str, Any]) -> None:
            if message["msg_type"] == "stream":
                texts.append(message["content"]["text"])

        code = """
            %load_ext jupyter_mlops
            for i in range(50):
                get_ipython().run_line_magic("mlops_log", "loss=1 / (i + 1) step=i")
            import sys
            assert not {"mlflow", "sqlalchemy", "jupyter_server"} & set(sys.modules)
        """
        reply = client.execute_interactive(
            textwrap.dedent(code), timeout=120, output_hook=hear, stop_on_error=False
        )
        assert reply["content"]["status"] == "ok", reply["content"]
        assert f"sqlite:///{tmp_path}/tracking/mlflow.db, experiment 'iris'" in "".join(texts)
        assert "".join(texts).count("Logging to MLflow") == 1
    finally:
        client.stop_channels()
        manager.shutdown_kernel(now=True)
    [file] = _when_ended(tmp_path / "tracking" / "journals")
    from jupyter_mlops.tracking import store

    history = store.client().get_metric_history(file.run_id, "loss")
    assert [point.value for point in history] == [1 / (i + 1) for i in range(50)]
    assert store.client().get_run(file.run_id).info.status == "FINISHED"


def _when_ended(folder: Path) -> list[Sent]:
    deadline = time.monotonic() + 180
    while time.monotonic() < deadline:
        sent = [msgspec.json.decode(file.read_bytes(), type=Sent) for file in folder.glob("*.sent")]
        if sent and all(one.ended for one in sent):
            return sent
        time.sleep(0.2)
    raise AssertionError([file.read_text() for file in folder.glob("*.log")])


@pytest.fixture
def publishing(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> JobStore:
    """The kind ``publish`` does test work; the state folder is this test's own."""
    monkeypatch.setenv("JUPYTER_MLOPS_HOME", str(tmp_path / "home"))
    monkeypatch.setenv("PYTHONPATH", str(ROOT))
    monkeypatch.delenv("MLOPS_JOURNAL", raising=False)
    _publish_with(monkeypatch, "published")
    return JobStore()


def _publish_with(monkeypatch: pytest.MonkeyPatch, function: str) -> None:
    kind = msgspec.structs.replace(KINDS["publish"], call=f"tests.jobs.work:{function}")
    monkeypatch.setitem(KINDS, "publish", kind)


def test_publishing_follows_the_job_to_its_result(
    shell: Any, capsys: pytest.CaptureFixture[str], publishing: JobStore, tmp_path: Path
) -> None:
    (tmp_path / "my model.ipynb").touch()
    shell.user_ns["__session__"] = str(tmp_path / "my model.ipynb")
    result = shell.run_cell(
        "%mlops_publish localhost:5000/lab/m --verify none --model clf "
        "--platform linux/amd64 --platform linux/arm64"
    )
    assert result.success
    [job] = publishing.list()
    assert job.title == "Publish my model.ipynb"
    assert job.request["path"] == str(tmp_path / "my model.ipynb")
    assert (job.request["target"], job.request["verify"]) == ("localhost:5000/lab/m", "none")
    assert job.request["model"] == "clf"
    assert job.request["platforms"] == ["linux/amd64", "linux/arm64"]
    bundle = result.result._repr_mimebundle_()
    assert "localhost:5000/lab/m:v1" in bundle["text/plain"]
    assert "| accuracy | 0.9 |" in bundle["text/markdown"]
    text = capsys.readouterr().out
    assert "Publish my model.ipynb" in text and "lock:" in text and "succeeded" in text
    del shell.user_ns["__session__"]


def test_a_publish_that_fails_says_every_problem(
    shell: Any,
    capsys: pytest.CaptureFixture[str],
    publishing: JobStore,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    _publish_with(monkeypatch, "mistake")
    text = said(shell, capsys, f"%mlops_publish {tmp_path}/a.ipynb")
    assert "Cell 3 raised ValueError" in text and "Cell 4 is empty" in text
    text = said(shell, capsys, "%mlops_publish")
    assert "%mlops_publish NOTEBOOK.ipynb" in text
    text = said(shell, capsys, "%mlops_publish --verify perhaps")
    assert "UsageError" in text


def test_publishing_twice_joins_the_job_under_way(
    shell: Any, publishing: JobStore, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    _publish_with(monkeypatch, "slow_publish")
    from jupyter_mlops.jobs import submit

    path = tmp_path / "a.ipynb"
    job = submit(publishing, "publish", {"path": str(path)})
    (tmp_path / "a.ipynb.gate").touch()
    result = shell.run_cell(f"%mlops_publish {path}")
    assert result.success
    assert [one.id for one in publishing.list()][-1] == job.id


def test_the_notebook_is_found_where_the_front_end_says(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.delenv("JPY_SESSION_NAME", raising=False)
    file = tmp_path / "a.ipynb"
    file.touch()
    assert notebook_of({}) is None
    assert notebook_of({"__vsc_ipynb_file__": str(file)}) == file
    assert notebook_of({"__session__": str(file)}) == file
    assert notebook_of({"__session__": f"{tmp_path}/RTC:a.ipynb"}) == file
    assert notebook_of({"__session__": str(tmp_path / "renamed.ipynb")}) is None
    assert notebook_of({"__session__": str(tmp_path / "console-1")}) is None
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("JPY_SESSION_NAME", "elsewhere/a.ipynb")
    assert notebook_of({}) == file


def test_the_widget_moves_with_the_stages() -> None:
    from jupyter_mlops.events import Log, Progress, Stage

    view = progress.WidgetView("Publish <a>")
    view.show(Stage(name="read", state="finished", seconds=0.1))
    assert view._bar.value == 1
    view.show(Stage(name="run", state="started"))
    view.show(Progress(stage="run", done=1, total=2, unit="cells"))
    assert view._bar.value == 3.5
    assert "1 of 2 cells" in view._last.value
    view.show(Log(text="<script>"))
    assert "<script>" not in view._last.value + view._label.value
    view.close("succeeded")
    assert view._bar.value == view._bar.max and view._bar.bar_style == "success"


def test_without_a_kernel_or_widgets_it_is_text(monkeypatch: pytest.MonkeyPatch) -> None:
    assert isinstance(progress.view_for(object(), "t"), progress.TextView)
    monkeypatch.setitem(sys.modules, "ipywidgets", None)
    kernel = type("Shell", (), {"kernel": 1})()
    assert isinstance(progress.view_for(kernel, "t"), progress.TextView)


def test_the_result_shows_what_there_is() -> None:
    from jupyter_mlops.kernel.publishing import Publication

    assert repr(Publication({})) == "Published "
    audit = {"state": "not checked", "packages": 2, "unchecked": [{"why": "w", "packages": ["a"]}]}
    assert "  packages: not checked: 1 of 2 packages" in repr(Publication({"audit": audit}))
    shown = Publication({"reference": "r", "digest": "sha256:1", "metrics": {"a": 1}})
    assert json.dumps(shown._repr_mimebundle_())
    assert "digest: sha256:1" in repr(shown)


def test_a_cell_that_names_its_step_runs_as_any_other(shell: Any) -> None:
    register(shell)
    register(shell)
    result = shell.run_cell("%%mlops_step load it\n%time a_of_step = 3\na_of_step")
    assert result.success and result.result == 3
    assert shell.user_ns["a_of_step"] == 3
    assert shell.input_transformers_cleanup.count(step_mark) == 1


def test_what_is_captured_is_said_in_a_live_kernel(
    shell: Any, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    monkeypatch.delenv("MLOPS_JOURNAL", raising=False)
    shell.run_cell("import os\nimport numpy as np\nlog = open(os.devnull)")
    shell.run_cell("w, words = np.ones((3, 2)), {'a': 1}")
    text = said(shell, capsys, "%mlops_capture w words log")
    assert "w: numpy.ndarray, 3 x 2, saved as npy" in text
    assert "words: dict, 1, saved as json" in text
    assert "log: _io.TextIOWrapper has no safe format" in text
    assert "Nothing is called gone yet" in said(shell, capsys, "%mlops_capture w gone")
    assert "'w.T' is not a name" in said(shell, capsys, "%mlops_capture w.T")
    assert "nothing to capture" in said(shell, capsys, "%mlops_capture").lower()
    monkeypatch.setenv("MLOPS_JOURNAL", str(tmp_path / "journal.jsonl"))
    assert said(shell, capsys, "%mlops_capture made_later") == "", "a run has nothing to say"
