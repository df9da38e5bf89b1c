"""The whole road in one go: publish, serve, predict, run again. `make demo` calls this.

No Docker, no server, no account: the registry is a folder, the service a plain process.
"""

from __future__ import annotations

import os
import sys
import time
from pathlib import Path

import httpx

from jupyter_mlops import settings
from jupyter_mlops.errors import MlopsError
from jupyter_mlops.events import Event, Log, Stage
from jupyter_mlops.publish import publish
from jupyter_mlops.rerun import rerun
from jupyter_mlops.serve import serve, stop_service

NOTEBOOK = Path(__file__).parent / "iris_classifier.ipynb"
FLOWERS = [[5.1, 3.5, 1.4, 0.2], [6.7, 3.0, 5.2, 2.3]]
COLUMNS = ["sepal length (cm)", "sepal width (cm)", "petal length (cm)", "petal width (cm)"]


def tell(event: Event) -> None:
    """Print a stage with its time when it ends."""
    if isinstance(event, Stage) and event.state != "started":
        print(f"    {event.name:<12} {event.state:<9} {event.seconds or 0:7.2f} s", flush=True)
    elif isinstance(event, Log):
        print(f"    {'':<12} {event.text}", flush=True)


def main() -> None:
    """Take the first example from the notebook to a service and to a second run."""
    began = time.perf_counter()
    print(f"1. Publish {NOTEBOOK.name} into {settings.default_registry()}")
    published = publish(NOTEBOOK, on_event=tell)
    print(f"   {published.reference} v{published.version}, verified: {published.verified}")
    print(f"   {published.digest}")
    print(f"   metrics: {published.metrics}")

    print("2. Serve it as a plain process")
    service = serve(published.reference, on_event=tell)
    try:
        print(f"   {service.url} is ready")
        print("3. Ask it about two flowers")
        body = {"dataframe_split": {"columns": COLUMNS, "data": FLOWERS}}
        answer = httpx.post(f"{service.url}/invocations", json=body, trust_env=False)
        answer.raise_for_status()
        print(f"   POST /invocations -> {answer.text.strip()}")
    finally:
        stop_service(service.id)

    print("4. Run it again from the registry, with 3 trees in place of 100")
    again = rerun(published.reference, {"n_trees": 3}, on_event=tell)
    print(f"   metrics: {again.metrics}")
    print(f"   notebook: {again.output}")

    lab = Path(sys.executable).parent / "jupyter-lab"
    home = f"JUPYTER_MLOPS_HOME={os.environ.get('JUPYTER_MLOPS_HOME', settings.home())}"
    print(f"Done in {time.perf_counter() - began:.0f} s. Open JupyterLab on it:")
    print(f"   {home} {_short(lab)} {_short(NOTEBOOK)}")


def _short(path: Path) -> str:
    """Return a path relative to the current folder where that is shorter."""
    try:
        return str(path.relative_to(Path.cwd()))
    except ValueError:
        return str(path)


if __name__ == "__main__":
    try:
        main()
    except MlopsError as error:
        sys.exit(f"error: {error}")
