"""Files that are no notebook: cut JSON, other encodings, no regular file."""

from __future__ import annotations

import gzip
import json
import os
from pathlib import Path
from random import Random

from .kinds import KERNEL, code, dumped, kind, notebook, of_texts
from .texts import program


@kind
def cut_json(rng: Random, path: Path) -> bytes:
    whole = of_texts(program(rng))
    return whole[: rng.randrange(len(whole))]


@kind
def changed_bytes(rng: Random, path: Path) -> bytes:
    whole = bytearray(of_texts(program(rng)))
    for _ in range(rng.randint(1, 8)):
        place = rng.randrange(len(whole))
        how = rng.randrange(3)
        if how == 0:
            whole[place] = rng.randrange(256)
        elif how == 1:
            whole.insert(place, rng.randrange(256))
        else:
            del whole[place : place + rng.randint(1, 9)]
    return bytes(whole)


@kind
def doubled_parts(rng: Random, path: Path) -> bytes:
    whole = of_texts(program(rng))
    first, last = sorted(rng.randrange(len(whole)) for _ in "ab")
    return whole[:last] + whole[first:]


@kind
def random_bytes(rng: Random, path: Path) -> bytes:
    return rng.randbytes(rng.choice([0, 1, 2, 3, 100, 10_000]))


@kind
def other_text(rng: Random, path: Path) -> bytes:
    texts = [
        "print('a script')\n", "<html></html>", "\n\n", "null", '"text"', "4", "true", "NaN",
        "{}{}", "[]",
        "%PDF-1.7", "PK\x03\x04", "---\na: 1\n", "{'a': 1}",
        "version https://git-lfs.github.com/spec/v1\n",
    ]  # fmt: skip
    return rng.choice(texts).encode()


@kind
def compressed(rng: Random, path: Path) -> bytes:
    return gzip.compress(of_texts(program(rng)), mtime=0)


@kind
def merge_conflict(rng: Random, path: Path) -> bytes:
    lines = json.dumps(notebook([code(t) for t in program(rng)]), indent=1).splitlines()
    place = rng.randrange(len(lines))
    lines[place : place + 1] = ["<<<<<<< HEAD", lines[place], "=======", lines[place], ">>>>>>> x"]
    return "\n".join(lines).encode()


@kind
def encodings(rng: Random, path: Path) -> bytes:
    cells = [code("name = 'Grün, 東京, 😀'\nprint(name)")]
    text = json.dumps(notebook(cells), ensure_ascii=False)
    encoding = rng.choice(
        ["utf-16", "utf-16-le", "utf-8-sig", "utf-32", "latin-1", "cp1252", "utf-7"]
    )
    return text.encode(encoding, errors="replace")


@kind
def half_characters(rng: Random, path: Path) -> bytes:
    half = rng.choice(["\ud800", "\udfff", "\udc80", "\ud83d\ud83d"])
    made = notebook([
        {"cell_type": "markdown", "metadata": {},
        "source": f"# Title {half if rng.random() < .5 else ''}"},
        code(f"x = '{half}'" if rng.random() < 0.3 else "x = 1"),
        code(f"# step: {half}\ny = x" if rng.random() < 0.2 else "y = x"),
    ])  # fmt: skip
    place = rng.randrange(4)
    if place == 0:
        made["metadata"] = {**KERNEL, "title": half, half: half}
    elif place == 1:
        made["metadata"] = {"kernelspec": {**KERNEL["kernelspec"], "name": half}}
    elif place == 2:
        made["cells"][1]["outputs"] = [{"output_type": "stream", "name": "stdout", "text": half}]
    else:
        made["cells"][1]["metadata"] = {"tags": [f"step:{half}", half]}
    return dumped(made)


@kind
def control_characters(rng: Random, path: Path) -> bytes:
    odd = [
        rng.choice("\x00\x07\x08\x0b\x0c\x1a\x1b\x1c\x1d\x1e\x7f\x85\u2028\u2029\ufeff\u202e")
        for _ in range(3)
    ]
    texts = [
        f"def f(a):{odd[0]}\n    return a{odd[1]}\nx = '{odd[2]}'\n\nclass K:\n    '''{odd[0]}'''",
        f"{odd[0]}y = f(x){odd[1]}\nz = '''{odd[2]}\n'''\n",
        f"# step: a{odd[1]}b\nprint(z)",
    ]  # fmt: skip
    head = {"cell_type": "markdown", "metadata": {}, "source": f"# A{odd[0]}b\n\nText{odd[1]}"}
    return dumped(notebook([head, *(code(text) for text in texts)]))


@kind
def raw_control_characters(rng: Random, path: Path) -> bytes:
    return of_texts(program(rng)).replace(b"\\n", rng.choice([b"\n", b"\r", b"\t", b"\x00"]))


@kind
def line_ends(rng: Random, path: Path) -> bytes:
    end = rng.choice(["\r\n", "\r", "\x0c\n", "\n\n\n", "\n\t\n", "\n \r\n"])
    return of_texts([end.join(text.split("\n")) for text in program(rng)])


@kind
def tabs(rng: Random, path: Path) -> bytes:
    return of_texts(
        [text.replace("    ", rng.choice(["\t", "  \t", "\t "])) for text in program(rng)]
    )


@kind
def nan_numbers(rng: Random, path: Path) -> bytes:
    odd = rng.choice([float("nan"), float("inf"), -float("inf")])
    made = notebook([code("x = 1", execution_count=1, metadata={"n": odd}), code("y = x")])
    made["metadata"]["n"] = odd
    made["nbformat_minor"] = rng.choice([5, odd])
    made["nbformat"] = rng.choice([4, 4, odd])
    made["cells"][1]["execution_count"] = rng.choice([None, odd])
    return dumped(made)


@kind
def huge_numbers(rng: Random, path: Path) -> bytes:
    digits = b"1" * rng.choice([20, 400, 4299, 4301, 100_000])
    text = of_texts(["a = 1"])
    return text.replace(b'"execution_count": null', b'"execution_count": ' + digits)


@kind
def doubled_keys(rng: Random, path: Path) -> bytes:
    text = of_texts(program(rng)).decode()
    key = rng.choice(['"cells": []', '"metadata": {}', '"nbformat": 3', '"nbformat_minor": "x"'])
    if rng.random() < 0.5:
        return ("{" + key + ", " + text[1:]).encode()
    return (text[:-1] + ", " + key + "}").encode()


# --- what is at the path -----------------------------------------------------------------------
@kind
def a_folder(rng: Random, path: Path) -> None:
    path.mkdir()


@kind
def a_pipe(rng: Random, path: Path) -> None:
    os.mkfifo(path)


@kind
def a_device(rng: Random, path: Path) -> None:
    path.symlink_to(rng.choice(["/dev/zero", "/dev/null", "/dev/tty"]))


@kind
def a_link(rng: Random, path: Path) -> None:
    target = path.with_name("target")
    how = rng.randrange(4)
    if how == 0:
        target.write_bytes(of_texts(program(rng)))
    elif how == 1:
        target.mkdir()
    elif how == 2:
        target.symlink_to(path)
    path.symlink_to(target)


@kind
def file_names(rng: Random, path: Path) -> Path:
    odd = [
        b"caf\xe9", b"\xff\xfe", "東京".encode(), "😀".encode(), b"a b", b"a\nb", b"\x1b[31m",
        b"-rf", b"--json", b"'", b'"',
        b"a" * 240, b"%s{0}", b"$(x)", b"`x`", b".hidden", b"con", b"a.b.c", b"\xe2\x80\xae",
        b"\\", b"[b]", b"#", b"*",
    ]  # fmt: skip
    ending = rng.choice([b".ipynb", b"", b".IPYNB", b".txt", b".py"])
    named = path.with_name(os.fsdecode(rng.choice(odd) + ending))
    named.write_bytes(of_texts(program(rng)) if rng.random() < 0.7 else b"no notebook")
    return named


@kind
def nothing(rng: Random, path: Path) -> None:
    if rng.random() < 0.5:
        path.touch()


@kind
def no_permission(rng: Random, path: Path) -> None:
    path.write_bytes(of_texts(program(rng)))
    path.chmod(0)
