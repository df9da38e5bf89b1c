"""pigar: its whole command but for the start; it may take what it holds to be the best match."""

from __future__ import annotations

from pigar.__main__ import cli
from serve import serve_inference


def infer(folder: str, output: str, index: str) -> None:
    words = ["--question-answer", "yes", "--auto-select", "--index-url", f"{index}/simple/"]
    cli.main(["generate", *words, "-f", output, folder], standalone_mode=False)


serve_inference(infer)
