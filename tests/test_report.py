"""The report: one page for a person, in parts for the image."""

from __future__ import annotations

import base64
import re
from pathlib import Path

import nbformat
from hypothesis import given
from hypothesis import strategies as st
from nbformat.v4 import new_code_cell, new_markdown_cell, new_notebook, new_output

from jupyter_mlops import report

PICTURE = bytes(range(256)) * 40
EMBEDDED = base64.b64encode(PICTURE).decode()


def executed(path: Path, text: str) -> Path:
    """Write a notebook that ran: a printed text and a plot."""
    plot = new_output("display_data", {"image/png": EMBEDDED})
    printed = new_output("stream", name="stdout", text=text)
    cell = new_code_cell("show()", outputs=[printed, plot], execution_count=1)
    cell.metadata["execution"] = {"iopub.execute_input": "2026-01-02T03:04:05Z"}
    nbformat.write(new_notebook(cells=[cell]), path)
    return path


def joined(page: str, files: dict[str, bytes]) -> str:
    """Put the parts back where they were."""

    def style(found: re.Match[str]) -> str:
        return f"<style>{files[found[1]].decode()}</style>"

    page = re.sub(r'<link rel="stylesheet" href="(report_files/\w+\.css)">', style, page)
    for path, data in files.items():
        kind = path.rpartition(".")[2]
        page = page.replace(path, f"data:image/{kind};base64,{base64.b64encode(data).decode()}")
    return page


def test_the_page_of_the_image_is_small_and_loses_nothing(tmp_path: Path) -> None:
    whole = report.write(executed(tmp_path / "executed.ipynb", "accuracy 0.97"), "Iris")
    assert "2026-01-02" not in whole and "<title>Iris</title>" in whole
    page, files = report.split(whole)
    assert PICTURE in files.values() and "accuracy 0.97" in page
    assert {path.rpartition(".")[2] for path in files} == {"css", "png"}
    assert EMBEDDED not in page and len(page) * 4 < len(whole)
    without = re.compile(r"<style[^>]*>|\s")
    assert without.sub("", joined(page, files)) == without.sub("", whole)


def test_another_text_leaves_styles_and_plots_as_they_are(tmp_path: Path) -> None:
    first, second = (
        report.split(report.write(executed(tmp_path / f"{text}.ipynb", text), "Iris"))
        for text in ("one", "two")
    )
    assert first[0] != second[0] and first[1] == second[1]


@given(st.text(max_size=300), st.binary(min_size=report.LONG, max_size=report.LONG + 9))
def test_what_a_notebook_prints_is_never_touched(text: str, data: bytes) -> None:
    embedded = base64.b64encode(data).decode()
    page = f'<p>{text}</p><img src="data:image/png;base64,{embedded}">'
    split, files = report.split(page)
    assert list(files.values()) == [data] and split.startswith(f"<p>{text}</p>")


def test_what_is_no_picture_stays(tmp_path: Path) -> None:
    page = f'<img src="data:image/png;base64,{"A" * (report.LONG + 1)}">'
    assert report.split(page) == (page, {})
    assert report.split("<style>a</style>") == ("<style>a</style>", {})


def test_the_loader_of_diagrams_comes_with_diagrams_only(tmp_path: Path) -> None:
    path = tmp_path / "n.ipynb"
    pages = []
    for text in ("plain", "```mermaid\ngraph LR; a --> b\n```"):
        nbformat.write(new_notebook(cells=[new_markdown_cell(text)]), path)
        pages.append(report.write(path, "x"))
    assert ["mermaid.esm" in page for page in pages] == [False, True]
    assert all(page.rstrip().endswith("</html>") and "init_mathjax" in page for page in pages)
