"""What never leaves this machine, by its name: logins, keys, histories of repositories."""

from __future__ import annotations

import csv
import fnmatch
import io
import zipfile
from collections.abc import Iterable, Sequence
from pathlib import Path, PurePosixPath

from jupyter_mlops.errors import shown

#: So many of the files that stay here are named.
NAMED = 10
WHY = "Files and folders of such names hold passwords and keys"
#: What tools leave everywhere: left out as well, and not worth a word.
CACHES = frozenset({"__pycache__", ".ipynb_checkpoints"})
#: Folders and files, by one part of their path, in lower case.
NAMES = frozenset(
    """
    .git .hg .svn .bzr .aws .azure .boto .config .docker .gcloud .gnupg .kube .oci .ssh .terraform
    .env .envrc .flaskenv .netrc _netrc .pypirc .npmrc .yarnrc .condarc .dockercfg .git-credentials
    .htpasswd .my.cnf .pgpass .s3cfg .streamlit .kaggle .databrickscfg .snowsql .vault-token
    .bash_history .zsh_history .python_history .psql_history .ipython .jupyter
    id_rsa id_dsa id_ecdsa id_ed25519 credentials.json kaggle.json
    """.split()
)
PATTERNS = (".env.*", "*.ppk", "*.kdbx", "*.jks", "*.keystore", "*.p12", "*.pfx", "*.tfstate")
#: Files that hold a private key or a public certificate: their text tells which.
PEM = ("*.pem", "*.key")
#: Names that look so, and are meant to be read by others.
MEANT = (".env.example", ".env.sample", ".env.template", ".env.dist")


def is_private(name: str) -> bool:
    """Tell whether one part of a path is the name of what never leaves."""
    lower = name.lower()
    if lower in MEANT:
        return False
    patterns = (*PATTERNS, *PEM)
    return lower in NAMES | CACHES or any(fnmatch.fnmatchcase(lower, each) for each in patterns)


def within(parts: Iterable[str]) -> bool:
    """Tell whether a path lies in, or is, what never leaves; ``parts`` are its names."""
    return any(is_private(part) for part in parts)


def named(names: Sequence[str]) -> str:
    """Return names as they stand in a sentence: of very many, some."""
    more = f" and {len(names) - NAMED} more" if len(names) > NAMED else ""
    return ", ".join(shown(name) for name in names[:NAMED]) + more


def strip(wheel: Path) -> list[str]:
    """Take out of a wheel what never leaves, and return the names of it, sorted.

    A wheel without any stays as it is, byte for byte. The same wheel gives the same bytes.
    """
    with zipfile.ZipFile(wheel) as archive:
        gone = sorted(item.filename for item in archive.infolist() if _leaves_not(archive, item))
        if not gone:
            return []
        buffer = io.BytesIO()
        with zipfile.ZipFile(buffer, "w") as kept:
            for item in archive.infolist():
                if item.filename not in gone:
                    content = archive.read(item)
                    if PurePosixPath(item.filename).match("*.dist-info/RECORD"):
                        content = _without(content, set(gone))
                    kept.writestr(item, content)
    wheel.write_bytes(buffer.getvalue())
    return gone


def _leaves_not(archive: zipfile.ZipFile, item: zipfile.ZipInfo) -> bool:
    path = PurePosixPath(item.filename)
    if not within(path.parts):
        return False
    by_text = any(fnmatch.fnmatchcase(path.name.lower(), each) for each in PEM)
    if by_text and not within(path.parts[:-1]):
        return b"PRIVATE KEY" in archive.read(item)
    return True


def _without(record: bytes, gone: set[str]) -> bytes:
    """Return the list of a wheel's files without some of them."""
    rows = [row for row in csv.reader(io.StringIO(record.decode())) if row and row[0] not in gone]
    text = io.StringIO()
    csv.writer(text, lineterminator="\n").writerows(rows)
    return text.getvalue().encode()
