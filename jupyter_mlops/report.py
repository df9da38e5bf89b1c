"""The executed notebook as a page to read: one file for the user, and in parts for the image."""

from __future__ import annotations

import base64
import binascii
import hashlib
import re
from pathlib import Path

from jupyter_mlops.image.contents import REPORT_FILES

#: What is longer has a file of its own, in bytes.
LONG = 2048
_EMBEDDED = re.compile(
    r"<style[^>]*>(?P<style>.*?)</style>"
    r'|"data:image/(?P<type>png|jpeg|gif|svg\+xml|webp);base64,(?P<image>[A-Za-z0-9+/=\s]+)"',
    re.DOTALL,
)
#: nbconvert's loader of diagrams; it looks for them itself, and most pages have none.
_LOADER = re.compile(
    r'<script type="module">(?:(?!</script>).)*pre\.mermaid.*?</script>', re.DOTALL
)
_DIAGRAM = '<pre class="mermaid"'


def write(executed: Path, title: str, more: str = "") -> str:
    """Return the executed notebook as one HTML page, without the clock times of the run.

    ``more`` is HTML that stands below the last cell.
    """
    import nbformat
    from nbconvert import HTMLExporter

    node = nbformat.read(executed, as_version=4)
    node.metadata.pop("papermill", None)
    node.metadata["title"] = title
    for cell in node.cells:
        for key in ("papermill", "execution"):
            cell.metadata.pop(key, None)
    body, _ = HTMLExporter().from_notebook_node(node)
    page = str(body) if _DIAGRAM in body else _LOADER.sub("", body)
    head, end, tail = page.rpartition("</body>")
    return f"{head}{more}\n{end}{tail}" if more and end else page


def split(page: str) -> tuple[str, dict[str, bytes]]:
    """Return a page that links to its styles and pictures, and those as files by their path.

    A file is named after its content, so the styles of every page, and a plot that a changed line
    does not reach, are the same file again.
    """
    files: dict[str, bytes] = {}

    def keep(data: bytes, suffix: str) -> str:
        path = f"{REPORT_FILES}/{hashlib.sha256(data).hexdigest()[:16]}.{suffix}"
        files[path] = data
        return path

    def apart(found: re.Match[str]) -> str:
        whole = found.group()
        if len(whole) < LONG:
            return whole
        if found["style"] is not None:
            return f'<link rel="stylesheet" href="{keep(found["style"].encode(), "css")}">'
        try:
            data = base64.b64decode(found["image"])
        except binascii.Error:
            return whole
        return f'"{keep(data, found["type"].partition("+")[0])}"'

    return _EMBEDDED.sub(apart, page), files
