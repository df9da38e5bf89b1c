"""The part of a report that says which data the models saw, and which files were read."""

from __future__ import annotations

from collections.abc import Sequence
from html import escape

from jupyter_mlops.capture.models import DataVersion, FileVersion
from jupyter_mlops.runtime.publication import Publication

#: How many characters of a hash tell it from others, for a reader.
SHOWN = 16


def section(publication: Publication) -> str:
    """Return the data of a publication as HTML; nothing where there is none."""
    parts = []
    if publication.verified == "loaded":
        parts.append(
            "<p>The notebook was not run for this publication: its captures are the objects of a "
            "live kernel, and its outputs those that were saved with it.</p>"
        )
    if publication.data:
        rows = [_data(each) for each in publication.data]
        parts.append(_table("Trained on", ("data", "size", "used by", "content", ""), rows))
    if publication.files:
        rows = [_file(each) for each in publication.files]
        parts.append(_table("Files read", ("file", "bytes", "sha256", ""), rows))
    if not parts:
        return ""
    return f'<section class="jp-RenderedHTMLCommon mlops-data">{"".join(parts)}</section>'


def _data(version: DataVersion) -> list[str]:
    size = shape_text(version)
    used = ", ".join(version.used_by)
    return [version.name, size, used, version.sha256[:SHOWN], version.note]


def _file(version: FileVersion) -> list[str]:
    name = version.path if version.count == 1 else f"{version.path} ({version.count} files)"
    notes = [] if version.inside else ["outside of the notebook's folder"]
    notes += ["only named in the text"] if version.seen == "text" else []
    notes += ["in the image"] if version.shipped else []
    return [name, str(version.size), version.sha256[:SHOWN], "; ".join([*notes, version.note])]


def shape_text(version: DataVersion) -> str:
    """Return ``150 x 4 float64``: how large, and of what."""
    shape = " x ".join(map(str, version.shape or []))
    return f"{shape} {version.dtype}".strip()


def _table(title: str, head: Sequence[str], rows: Sequence[Sequence[str]]) -> str:
    names = "".join(f'<th scope="col">{escape(name)}</th>' for name in head)
    body = "".join(
        f"<tr>{''.join(f'<td>{escape(cell)}</td>' for cell in row)}</tr>\n" for row in rows
    )
    return f"<h2>{escape(title)}</h2>\n<table><thead><tr>{names}</tr></thead>\n{body}</table>\n"
