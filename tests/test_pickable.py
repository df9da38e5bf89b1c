"""The names that the panel offers for capture."""

from __future__ import annotations

from pathlib import Path

import pytest
from jupyter_client.manager import start_new_kernel

from jupyter_mlops.pickable import pickable
from tests.notebooks import make

CELLS = [
    "import threading\nimport numpy as np\nimport pandas as pd",
    "table = pd.DataFrame({'x': [1.0, 2.0]})\nlock = threading.Lock()",
    "def helper(x):\n    return x",
    "weights = np.ones((3, 2))\nodd = np.array([None])\nwords = {'a': 1}\n%mlops_capture words",
    ("predict", "def predict(rows):\n    return rows @ weights"),
]


def test_without_a_kernel_the_text_says_what_there_is(tmp_path: Path) -> None:
    found = pickable(make(tmp_path / "n.ipynb", CELLS))
    assert not found.live and "No kernel runs" in found.note
    assert [each.name for each in found.names[:2]] == ["weights", "words"]
    assert {each.name for each in found.names} == {"weights", "words", "table", "lock", "odd"}
    first = found.names[0]
    assert (first.needed, first.declared, first.cell, first.format) == (True, False, 4, "")


def test_a_kernel_knows_types_sizes_and_what_cannot_be_saved(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    path = make(tmp_path / "n.ipynb", CELLS)
    manager, client = start_new_kernel(kernel_name="python3", cwd=str(tmp_path))
    try:
        for cell in CELLS:
            text = cell if isinstance(cell, str) else cell[1]
            client.execute_interactive(text.partition("\n%")[0], timeout=60)
        found = pickable(path, str(manager.connection_file))
        assert found.live and found.note == ""
        names = {each.name: each for each in found.names}
        assert set(names) == {"weights", "words", "table", "lock", "odd"}
        weights = names["weights"]
        assert (weights.type, weights.shape, weights.size) == ("numpy.ndarray", [3, 2], 48)
        assert (weights.format, weights.needed) == ("npy", True)
        assert (names["words"].format, names["words"].declared) == ("json", True)
        assert names["table"].format == "frame" and (names["table"].size or 0) >= 16
        assert "no safe format for a _thread.lock" in names["lock"].reason
        assert "would need pickle" in names["odd"].reason and names["odd"].format == ""
        client.execute("import time; time.sleep(30)")
        monkeypatch.setattr("jupyter_mlops.pickable.PATIENCE", 0.5)
        busy = pickable(path, str(manager.connection_file))
        assert not busy.live and "The kernel is busy" in busy.note
        assert len(busy.names) == 5
        manager.interrupt_kernel()
    finally:
        client.stop_channels()
        manager.shutdown_kernel(now=True)
    gone = pickable(path, "no-such-kernel")
    assert "could not be asked" in gone.note
