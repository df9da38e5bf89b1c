"""Peers: installed aside, run as processes that answer, or said to be missing."""

from __future__ import annotations

import json
import os
import select
import shutil
import subprocess
import sys
from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

HERE = Path(__file__).parent
#: The versions whose inner functions the scripts here call: of the analysis, of the inference.
PYTHON_PEERS = {"marimo": "0.25.2", "ipyflow": "0.0.231", "soorgeon": "0.0.20"}
INFERRING = {"pipreqs": "0.5.0", "pigar": "2.2.0", "deptry": "0.25.1"}
PPA = "@msrvida/python-program-analysis@0.4.1"
SECONDS = 60


@dataclass
class Peer:
    """A peer, run by a command; ``notes`` say why it gives no figures, or not all of them."""

    name: str
    command: Sequence[str] = ()
    notes: list[str] = field(default_factory=list)
    process: subprocess.Popen[bytes] | None = None
    #: Notebooks of this size are too much for it.
    limit: float = float("inf")

    def ask(self, request: dict[str, Any], size: int) -> dict[str, Any] | None:
        """Return the answer; ``None`` when the peer is missing, ends, or takes over a minute."""
        if not self.command or size >= self.limit:
            return None
        if self.process is None:
            self.process = _started(self.command)
        assert self.process.stdin is not None and self.process.stdout is not None
        try:
            self.process.stdin.write(json.dumps(request).encode() + b"\n")
            self.process.stdin.flush()
            ready, _, _ = select.select([self.process.stdout], [], [], SECONDS)
            answer = self.process.stdout.readline() if ready else b""
        except OSError:
            answer = b""
        if answer:
            found: dict[str, Any] = json.loads(answer)
            return found
        ended = self.process.poll() is not None
        self.close()
        self.limit = size
        why = "it broke off" if ended else f"it took more than {SECONDS} s"
        self.notes.append(f"{self.name} with {size} cells: {why}")
        return None

    def close(self) -> None:
        """End the process."""
        if self.process is not None:
            self.process.kill()
            self.process.communicate()
            self.process = None


def install(folder: Path) -> list[Peer]:
    """Install every peer of the analysis below a folder."""
    found = [_python_peer(folder / name, name, pin) for name, pin in PYTHON_PEERS.items()]
    return [*found, _node_peer(folder / "ppa")]


def install_inferring(folder: Path, kernel: Path) -> dict[str, Peer]:
    """Install every peer of the inference; each also sees the packages in a kernel's folder."""
    found = {name: _python_peer(folder / name, name, pin) for name, pin in INFERRING.items()}
    for name in found:
        for place in (folder / name).glob("lib/python3.*/site-packages"):
            (place / "kernel.pth").write_text(f"{kernel}\n")
    return found


def _python_peer(folder: Path, name: str, pin: str) -> Peer:
    python = folder / "bin" / "python"
    uv = [sys.executable, "-m", "uv"]
    why = _run([*uv, "venv", "-q", "--python", sys.executable, str(folder)]) or _run(
        [*uv, "pip", "install", "-q", "--python", str(python), f"{name}=={pin}"]
    )
    shown = f"{name} {pin}"
    if why:
        return Peer(shown, notes=[f"{shown} is missing: {why}"])
    return Peer(shown, [str(python), f"run_{name}.py"])


def _node_peer(folder: Path) -> Peer:
    shown = "nbgather's ppa 0.4.1"
    node, npm = shutil.which("node"), shutil.which("npm")
    if not node or not npm:
        return Peer(shown, notes=[f"{shown} is missing: Node.js is not installed"])
    folder.mkdir()
    why = _run([npm, "install", "--silent", "--prefix", str(folder), PPA])
    if why:
        return Peer(shown, notes=[f"{shown} is missing: {why}"])
    os.environ["NODE_PATH"] = str(folder / "node_modules")
    return Peer(shown, [node, "--expose-gc", "run_ppa.js"])


def _run(command: Sequence[str]) -> str:
    """Run a command; return the last line of why it failed, or nothing."""
    done = subprocess.run(command, capture_output=True, text=True)
    if not done.returncode:
        return ""
    said = (done.stderr or done.stdout).strip().splitlines()
    return said[-1] if said else "it cannot be installed"


def _started(command: Sequence[str]) -> subprocess.Popen[bytes]:
    return subprocess.Popen(
        command,
        cwd=HERE,
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        stderr=subprocess.DEVNULL,
        bufsize=0,
    )
