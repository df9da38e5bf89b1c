"""A kernel's environment made by hand: a real interpreter, and metadata that tests write."""

from __future__ import annotations

import json
import venv
from collections.abc import Iterable
from pathlib import Path

from jupyter_mlops.environment import kernel
from jupyter_mlops.environment.interpreter import Interpreter
from jupyter_mlops.environment.kernel import Kernel


class FakeKernel:
    """A virtual environment without pip, and without anything but what is added."""

    def __init__(self, root: Path) -> None:
        venv.create(root, with_pip=False, symlinks=True)
        self.root = root
        self.site = next(root.glob("lib/python3.*/site-packages"))

    def add(
        self,
        name: str,
        version: str,
        files: Iterable[str] = (),
        *,
        metadata: str | None = None,
        record: bool = True,
        direct_url: object = None,
        texts: dict[str, str] | None = None,
    ) -> Path:
        """Install a distribution; files are empty but for ``texts``. Returns its metadata."""
        info = self.site / f"{name.replace('-', '_')}-{version}.dist-info"
        info.mkdir()
        if metadata is None:
            metadata = f"Metadata-Version: 2.1\nName: {name}\nVersion: {version}\n\nAbout it.\n"
        if metadata:
            (info / "METADATA").write_text(metadata)
        lines = [f"{info.name}/METADATA,,", f"{info.name}/RECORD,,"]
        for file, text in {**dict.fromkeys(files, ""), **(texts or {})}.items():
            path = self.site / file
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_text(text)
            lines.append(f"{file},sha256=x,{len(text)}")
        if record:
            (info / "RECORD").write_text("\n".join(lines) + "\n")
        if direct_url is not None:
            (info / "direct_url.json").write_text(json.dumps(direct_url))
        return info

    @property
    def kernel(self) -> Kernel:
        """Return it as a kernel."""
        return Kernel("fake", "Fake", str(self.root / "bin" / "python"))

    def probe(self) -> Interpreter:
        """Return what the probe finds there."""
        return kernel.probe(self.kernel)


#: What the table's notebooks find installed: distribution, version, files.
INSTALLED = [
    ("numpy", "2.1.0", ["numpy/__init__.py", "numpy/linalg/__init__.py"]),
    ("pandas", "2.2.3", ["pandas/__init__.py", "pandas/io/__init__.py"]),
    ("scipy", "1.14.0", ["scipy/__init__.py"]),
    ("scikit-learn", "1.5.2", ["sklearn/__init__.py", "sklearn/ensemble/__init__.py"]),
    ("scikit-image", "0.24.0", ["skimage/__init__.py", "skimage/io/__init__.py"]),
    ("matplotlib", "3.9.2", ["matplotlib/__init__.py", "pylab.py", "mpl_toolkits/mplot3d/a.py"]),
    ("pillow", "10.4.0", ["PIL/__init__.py", "PIL/_imaging.cpython-311-x86_64-linux-gnu.so"]),
    ("PyYAML", "6.0.2", ["yaml/__init__.py", "_yaml/__init__.py"]),
    ("beautifulsoup4", "4.12.3", ["bs4/__init__.py"]),
    ("opencv-python", "4.10.0.84", ["cv2/__init__.py", "cv2/cv2.abi3.so"]),
    ("attrs", "24.2.0", ["attr/__init__.py", "attrs/__init__.py"]),
    ("google-cloud-storage", "2.18.0", ["google/cloud/storage/__init__.py"]),
    ("google-cloud-bigquery", "3.25.0", ["google/cloud/bigquery/__init__.py"]),
    ("google-auth", "2.34.0", ["google/auth/__init__.py", "google/oauth2/__init__.py"]),
    ("protobuf", "5.28.0", ["google/protobuf/__init__.py", "google/_upb/_message.abi3.so"]),
    ("pyarrow", "17.0.0", ["pyarrow/__init__.py"]),
    ("openpyxl", "3.1.5", ["openpyxl/__init__.py"]),
    ("xlrd", "2.0.1", ["xlrd/__init__.py"]),
    ("tabulate", "0.9.0", ["tabulate/__init__.py"]),
    ("lxml", "5.3.0", ["lxml/__init__.py"]),
    ("Jinja2", "3.1.4", ["jinja2/__init__.py"]),
    ("plotly", "5.24.0", ["plotly/__init__.py", "plotly/express/__init__.py"]),
    ("SQLAlchemy", "2.0.35", ["sqlalchemy/__init__.py"]),
    ("psycopg2-binary", "2.9.9", ["psycopg2/__init__.py"]),
    ("s3fs", "2024.9.0", ["s3fs/__init__.py"]),
    ("tomli", "2.0.1", ["tomli/__init__.py"]),
    ("tqdm", "4.66.5", ["tqdm/__init__.py", "tqdm/notebook.py"]),
    ("ipywidgets", "8.1.5", ["ipywidgets/__init__.py"]),
    ("ipympl", "0.9.4", ["ipympl/__init__.py"]),
    ("dask", "2024.9.0", ["dask/__init__.py", "dask/array/__init__.py"]),
    ("distributed", "2024.9.0", ["distributed/__init__.py"]),
    ("lightgbm", "4.5.0", ["lightgbm/__init__.py"]),
    ("xarray", "2024.9.0", ["xarray/__init__.py"]),
    ("netCDF4", "1.7.1", ["netCDF4/__init__.py"]),
    ("zarr", "2.18.3", ["zarr/__init__.py"]),
    ("networkx", "3.3", ["networkx/__init__.py"]),
    ("Cython", "3.0.11", ["Cython/__init__.py", "pyximport/__init__.py"]),
    ("six", "1.16.0", ["six.py"]),
    ("python-dateutil", "2.9.0", ["dateutil/__init__.py"]),
    ("jupysql", "0.10.13", ["sql/__init__.py"]),
    ("spacy", "3.7.6", ["spacy/__init__.py"]),
    ("one-plugin", "1.0", ["shared/__init__.py"]),
    ("other-plugin", "1.0", ["shared/__init__.py"]),
]


def everyday(root: Path) -> FakeKernel:
    """Return an environment with what is in ``INSTALLED``, a Git install and an editable one."""
    made = FakeKernel(root / "environment")
    for name, version, files in INSTALLED:
        made.add(name, version, files)
    made.add(
        "fromgit",
        "0.3",
        ["fromgit/__init__.py"],
        direct_url={
            "url": "https://me:secret@git.example.org/fromgit.git",
            "vcs_info": {"vcs": "git", "commit_id": "a" * 40},
        },
    )
    model = "https://models.example.org/en_core_web_sm-3.7.1-py3-none-any.whl"
    made.add("en-core-web-sm", "3.7.1", ["en_core_web_sm/__init__.py"], direct_url={"url": model})
    project = root / "project"
    (project / "src" / "ours").mkdir(parents=True)
    (project / "src" / "ours" / "__init__.py").touch()
    (project / "pyproject.toml").write_text('[project]\nname = "our-project"\nversion = "0.1"\n')
    made.add(
        "our-project",
        "0.1",
        texts={"__editable__.our_project-0.1.pth": f"{project / 'src'}\n"},
        direct_url={"url": project.as_uri(), "dir_info": {"editable": True}},
    )
    (made.site / "handmade.py").touch()
    return made
