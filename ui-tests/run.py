"""Run the browser tests against a real registry: ``make test-ui``.

Where Chromium or the registry is missing the tests are skipped with a line that says what to
install; with ``CI=true`` that is a failure.
"""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
import tempfile
from pathlib import Path

HERE = Path(__file__).parent
sys.path.insert(0, str(HERE.parent))


def main() -> int:
    """Return the exit code of Playwright, or 0 or 1 where the tests cannot run."""
    missing = _missing()
    if missing:
        print(f"browser tests: SKIPPED, they need {missing}")
        return 1 if os.environ.get("CI") == "true" else 0
    from tests.fixtures_registry import run_registry

    with (
        tempfile.TemporaryDirectory(ignore_cleanup_errors=True) as text,
        tempfile.TemporaryDirectory(ignore_cleanup_errors=True) as home,
        run_registry(Path(text)) as registry,
    ):
        path = os.pathsep.join([str(Path(sys.executable).parent), os.environ.get("PATH", "")])
        target = f"{registry.url}/lab/iris"
        own = {"PATH": path, "MLOPS_TEST_TARGET": target, "JUPYTER_MLOPS_HOME": home}
        command = [str(Path(sys.executable).parent / "jlpm"), "test:ui", *sys.argv[1:]]
        return subprocess.run(command, cwd=HERE.parent, env={**os.environ, **own}).returncode


def _missing() -> str:
    browsers = ("chromium", "chromium-browser", "google-chrome")
    if not os.environ.get("CHROMIUM_PATH") and not any(map(shutil.which, browsers)):
        return "a Chromium browser: apt install chromium (or set CHROMIUM_PATH)"
    if not shutil.which("docker-registry"):
        return "a registry: apt install docker-registry"
    return ""


if __name__ == "__main__":
    sys.exit(main())
