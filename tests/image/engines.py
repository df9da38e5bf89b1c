"""The engines and tools that must accept an image, each in a folder of its own and ended after."""

from __future__ import annotations

import json
import os
import subprocess
import time
import uuid
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

import pytest

SECONDS = 300
#: Who runs: the image's own user, and any uid with group 0, as OpenShift gives.
USERS = ("1000:0", "123456:0")


def call(*command: str | Path, **options: str) -> str:
    """Run a command and return what it says; it must succeed."""
    done = subprocess.run(
        [str(word) for word in command],
        capture_output=True, text=True, timeout=SECONDS, env={**os.environ, **options},
    )  # fmt: skip
    assert done.returncode == 0, f"{' '.join(map(str, command))}\n{done.stdout}{done.stderr}"
    return done.stdout


class Docker:
    """The Docker engine: loads archives, pulls from registries."""

    def load(self, archive: Path) -> str:
        """Load a docker archive; return the name of the image."""
        return call("docker", "load", "-i", archive).strip().rpartition(" ")[2]

    def pull(self, reference: str) -> str:
        """Pull from a registry on loopback; return the name of the image."""
        call("docker", "pull", "-q", reference)
        return reference

    def run(self, image: str, user: str, command: Sequence[str]) -> str:
        """Run a command in a container that can write nothing but /tmp."""
        options = ("--rm", "--read-only", "--tmpfs", "/tmp", "--network=none", "--user", user)
        return call("docker", "run", *options, "--entrypoint", command[0], image, *command[1:])

    def remove(self, image: str) -> None:
        """Remove an image."""
        subprocess.run(["docker", "image", "rm", "-f", image], capture_output=True)


@dataclass(frozen=True)
class Podman:
    """Podman without a daemon, with images of its own below a folder (of a short path)."""

    folder: Path

    def _call(self, *words: str | Path) -> str:
        places = ("--root", self.folder / "root", "--runroot", self.folder / "run")
        tools = ("--runtime", "runc", "--cgroup-manager", "cgroupfs", "--events-backend", "file")
        return call("podman", *places, *tools, "--tmpdir", self.folder / "tmp", *words)

    def pull(self, source: str) -> str:
        """Pull from ``oci:PATH:TAG``, ``docker-archive:PATH`` or a registry on loopback."""
        return self._call("pull", "-q", "--tls-verify=false", source).split()[-1]

    def run(self, image: str, user: str, command: Sequence[str]) -> str:
        """Run a command in a container that can write nothing but /tmp."""
        options = ("--rm", "--read-only", "--network=none", "--user", user)
        # A machine that is itself confined may not raise its own limits.
        limits = ("--ulimit", "nofile=1024:1024", "--ulimit", "nproc=1000:1000")
        entry = ("--entrypoint", command[0])
        return self._call("run", *options, *limits, *entry, image, *command[1:])

    def close(self) -> None:
        """Remove its images and mounts."""
        self._call("rmi", "--all", "--force")
        subprocess.run(["umount", "-R", self.folder / "root" / "overlay"], capture_output=True)


@dataclass(frozen=True)
class Containerd:
    """A containerd of our own, asked through ``ctr``."""

    socket: Path

    def _call(self, *words: str | Path) -> str:
        return call("ctr", "--address", self.socket, *words)

    def load(self, archive: Path) -> str:
        """Import an OCI archive; return the name of the image."""
        before = set(self._names())
        self._call("images", "import", "--all-platforms", archive)
        (made,) = set(self._names()) - before
        return made

    def pull(self, reference: str) -> str:
        """Pull from a registry on loopback; return the name of the image."""
        self._call("images", "pull", "--plain-http", reference)
        return reference

    def _names(self) -> list[str]:
        return self._call("images", "list", "-q").split()

    def run(self, image: str, command: Sequence[str]) -> str:
        """Run a command as the image's own user, able to write nothing but /tmp."""
        place = f"test-{uuid.uuid4().hex[:12]}"
        temporary = "type=tmpfs,src=tmpfs,dst=/tmp,options=rw"
        options = ("--rm", "--read-only", "--mount", temporary)
        return self._call("run", *options, image, place, *command)

    def remove(self, image: str) -> None:
        """Remove an image."""
        self._call("images", "rm", "--sync", image)


@contextmanager
def containerd(folder: Path) -> Iterator[Containerd]:
    """Start a containerd with all its state below ``folder``, and end it."""
    socket = folder / "containerd.sock"
    config = folder / "config.toml"
    disabled = json.dumps(["io.containerd.grpc.v1.cri"])
    config.write_text(
        f'version = 2\nroot = "{folder}/root"\nstate = "{folder}/state"\n'
        f"disabled_plugins = {disabled}\n"
        f'[grpc]\naddress = "{socket}"\n'
    )
    with (folder / "log").open("wb") as log:
        process = subprocess.Popen(["containerd", "--config", config], stdout=log, stderr=log)
    try:
        found = Containerd(socket)
        for _ in range(100):
            if socket.exists() and process.poll() is None:
                done = subprocess.run(
                    ["ctr", "--address", socket, "version"], capture_output=True, timeout=30
                )
                if done.returncode == 0:
                    break
            time.sleep(0.1)
        else:
            pytest.fail(f"containerd did not start: {(folder / 'log').read_text()[-2000:]}")
        yield found
    finally:
        process.terminate()
        process.wait(30)
