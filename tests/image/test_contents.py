"""What stands where in the image."""

from __future__ import annotations

from jupyter_mlops.image.contents import divide


def test_what_changes_together_is_a_layer() -> None:
    files = [
        "lib/jupyter_mlops/__init__.py", "notebook.ipynb", "publication.json", "pylock.toml",
        "report.html", "report_files/1.css", "report_files/2.png", "src/mine.py",
    ]  # fmt: skip
    found = divide(files)
    assert list(found) == ["library", "lock", "styles", "plots", "code"], "the code is last"
    assert found["code"] == ["notebook.ipynb", "publication.json", "report.html", "src/mine.py"]
    assert sorted(path for paths in found.values() for path in paths) == files
    assert divide(["a"]) == {"code": ["a"]}
