"""The files that a notebook reads, and its data, all the way into the image."""

from __future__ import annotations

import hashlib
import json
from pathlib import Path

import msgspec
import pandas as pd
import pytest

from jupyter_mlops import cli
from jupyter_mlops.capture.hashing import content_hash
from jupyter_mlops.capture.models import FileVersion
from jupyter_mlops.publish import publish
from jupyter_mlops.registry.fetch import unpack
from jupyter_mlops.registry.open import open_repository
from jupyter_mlops.registry.reference import Reference
from jupyter_mlops.runtime import publication as publications
from jupyter_mlops.runtime.publication import folded
from tests.notebooks import make

CELLS = [
    "import pandas as pd\nfrom pathlib import Path\n"
    "from sklearn.linear_model import LinearRegression",
    "table = pd.read_csv('table.csv')\nlimits = Path({outside!r}).read_text()",
    "parts = [path.read_text() for path in sorted(Path('parts').glob('*.txt'))]\n"
    "Path('made.txt').write_text('made')",
    "again = Path('made.txt').read_text()\nunread = 'only_named.bin'",
    "model = LinearRegression().fit(table[['x']], table['y'])",
    "extra = table.copy()\nother = LinearRegression().fit(extra[['x']], extra.y)\ndel other",
    "extra.loc[0, 'x'] = 100.0",
]


def file(path: str, digest: str = "0", **more: object) -> FileVersion:
    return msgspec.convert({"path": path, "size": 1, "sha256": digest, **more}, FileVersion)


def test_many_files_are_told_by_their_folders() -> None:
    files = [file(f"a/b/{i:02d}", str(i)) for i in range(30)]
    files += [file("a/c/x"), file("table.csv")]
    found = folded(files, 5)
    assert [each.path for each in found] == ["a/b/", "a/c/x", "table.csv"]
    lines = "".join(f"{i}  a/b/{i:02d}\n" for i in range(30))
    assert found[0].sha256 == hashlib.sha256(lines.encode()).hexdigest()
    assert (found[0].count, found[0].size) == (30, 30)
    assert folded(files, 50) == sorted(files, key=lambda each: each.path)
    assert [each.path for each in folded(files, 1)] == ["./"] and folded(files, 1)[0].count == 32
    unread = [*files, file("a/b/gone", "", note="It cannot be read any more.")]
    assert folded(unread, 5)[0].note == "1 of them could not be read."


@pytest.mark.network
@pytest.mark.slow
def test_a_publication_says_which_data_it_was_made_from(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    folder, outside = tmp_path / "work", tmp_path / "far" / "limits.txt"
    (folder / "parts").mkdir(parents=True)
    outside.parent.mkdir()
    outside.write_text("3")
    table = pd.DataFrame({"x": [1.0, 2.0, 3.0], "y": [2.0, 4.0, 6.5]})
    table.to_csv(folder / "table.csv", index=False)
    (folder / "only_named.bin").write_bytes(b"in C")
    for name in ("one.txt", "two.txt"):
        (folder / "parts" / name).write_text(name)
    cells = [cell.replace("{outside!r}", repr(str(outside))) for cell in CELLS]
    path = make(folder / "made.ipynb", cells)
    target = f"oci:{tmp_path}/registry:made:latest"
    done = publish(path, target, model="model")
    root = unpack(open_repository(Reference.parse(target)), done.digest, tmp_path / "unpacked")
    publication = publications.load(root)

    files = {each.path: each for each in publication.files}
    assert set(files) == {
        "table.csv", "limits.txt", "parts/one.txt", "parts/two.txt", "only_named.bin",
    }  # fmt: skip
    content = (folder / "table.csv").read_bytes()
    assert files["table.csv"].sha256 == hashlib.sha256(content).hexdigest()
    assert files["table.csv"].size == len(content) and files["table.csv"].seen == "run"
    assert not files["limits.txt"].inside and files["only_named.bin"].seen == "text"
    assert str(tmp_path) not in (root / "publication.json").read_text()

    data = {each.name: each for each in publication.data}
    assert data["table[['x']]"].sha256 == content_hash(table[["x"]])
    assert data["table[['x']]"].columns[0].name == "x" and data["table['y']"].shape == [3]
    assert "Cell 7 changed it after cell 6" in data["extra[['x']]"].note
    profile = (root / "profile.json").read_bytes()
    assert hashlib.sha256(profile).hexdigest() == publication.profile_sha256
    for page in (root / "report.html", Path(done.report)):
        text = page.read_text()
        assert "Trained on" in text and files["table.csv"].sha256[:16] in text

    capsys.readouterr()
    assert cli.main(["show", target]) == 0
    said = capsys.readouterr().out
    assert "file         table.csv: " in said and "trained on   table[['x']]: 3 x 1" in said
    assert cli.main(["show", target, "--json"]) == 0
    labelled = json.loads(capsys.readouterr().out)
    assert labelled["data"][0]["columns"] == [] and labelled["data"][0]["sha256"]
