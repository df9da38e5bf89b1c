"""Describes the environment of the interpreter that runs it. Standard library only.

Run as a script by the interpreter of the user's kernel, where this package need not exist:
writes one line of JSON after a line with ``MARK``. Nothing that is installed there is imported:
the files that an installer recorded say which distribution a module belongs to, and metadata
that does not parse is told, not fatal. Runs on Python 3.8 and newer.
"""

from __future__ import annotations

import sys

if sys.path and sys.path[0] == __file__.rpartition("/")[0]:
    del sys.path[0]  # the folder of this script is not the kernel's

import ast
import csv
import json
import os
import platform
import re
import sysconfig

MARK = "--- jupyter-mlops probe ---"
MODULE = re.compile(r"([A-Za-z_]\w*)(\.py|\.pyd|\.so|\.[\w-]+\.(?:so|pyd))")
CODE = (".py", ".so", ".pyd")
INFO = (".dist-info", ".egg-info")


class Found:
    """A distribution: what its metadata says, and the modules that its files make."""

    def __init__(self, site: str, info: str) -> None:
        self.site, self.info = site, info
        self.name, self.version = _header(site, info)
        self.notes: list[str] = []
        guess = info.rpartition(".")[0].split("-")
        if not self.name or not self.version:
            missing = "name" if not self.name else "version"
            self.notes.append(f"its metadata in {os.path.join(site, info)} has no {missing}")
            self.name = self.name or guess[0]
            self.version = self.version or (guess[1] if len(guess) > 1 else "")
        self.source = _source(site, info)
        if not self.source and info.endswith(".egg-info") and _is_project(site):
            self.source = {"kind": "editable", "url": "file://" + site}
        self.files = _files(self)
        self.tops: dict[str, list[str]] = {}
        for file in self.files:
            top = _top(file)
            if top:
                self.tops.setdefault(top, []).append(file)
        for name, folder in _editable(self).items():
            self.tops.setdefault(name, []).append(os.path.join(folder, name, "__init__.py"))
        if not self.tops:
            for name in _read(site, info, "top_level.txt").split():
                self.tops.setdefault(name.split("/")[0], [])


def _read(*parts: str) -> str:
    try:
        with open(os.path.join(*parts), encoding="utf-8", errors="replace") as file:
            return file.read()
    except OSError:
        return ""


def _header(site: str, info: str) -> tuple[str, str]:
    """Return name and version as the metadata's head has them; empty where it does not."""
    place = os.path.join(site, info)
    text = _read(place) or _read(place, "METADATA") or _read(place, "PKG-INFO")
    found = {"name": "", "version": ""}
    for line in text.splitlines():
        key, colon, value = line.partition(":")
        if not line.strip() or not colon:
            if found["name"] or not line.strip():
                break
            continue
        key = key.strip().lower()
        if key in found and not found[key]:
            found[key] = value.strip()
    name, version = found["name"], found["version"]
    name = name if re.fullmatch(r"[A-Za-z0-9][\w.-]*", name) else ""
    return name, version if re.fullmatch(r"[\w.+!-]+", version) else ""


def _source(site: str, info: str) -> dict[str, str]:
    """Return where a distribution was installed from, if not from an index (PEP 610)."""
    try:
        found = json.loads(_read(site, info, "direct_url.json") or "{}")
        if not found.get("url"):
            return {}
        vcs = found.get("vcs_info") or {}
        kind = "editable" if (found.get("dir_info") or {}).get("editable") else "direct"
        hashes = (found.get("archive_info") or {}).get("hashes") or {}
        return {
            "kind": "vcs" if vcs else kind,
            "url": _clean(str(found["url"])),
            "vcs": str(vcs.get("vcs", "")),
            "commit": str(vcs.get("commit_id", "")),
            "subdirectory": str(found.get("subdirectory", "")),
            "sha256": str(hashes.get("sha256", "")),
        }
    except (ValueError, AttributeError):
        return {}


def _clean(url: str) -> str:
    """Return an address without credentials; the user of an SSH address is none."""
    user = r"\1\2@" if "ssh://" in url else r"\1"
    return re.sub(r"(://)([^/@:]*)(?::[^/@]*)?@", user, url)


def _is_project(site: str) -> bool:
    """Tell a project's own folder, which ``setup.py develop`` put on the path, from a site."""
    return any(os.path.isfile(os.path.join(site, f)) for f in ("setup.py", "pyproject.toml"))


def _files(found: Found) -> list[str]:
    """Return the installed files relative to the site's folder, as the installer listed them."""
    text = _read(found.site, found.info, "RECORD")
    if '"' in text:
        try:
            return [row[0] for row in csv.reader(text.splitlines()) if row]
        except csv.Error:
            found.notes.append("its list of files (RECORD) cannot be read")
            return []
    if text:
        return [line.partition(",")[0] for line in text.splitlines()]
    if found.info.endswith(".dist-info"):
        return []
    listed = _read(found.site, found.info, "installed-files.txt").splitlines()
    return [os.path.normpath(os.path.join(found.info, line)) for line in listed]


def _top(file: str) -> str:
    """Return the importable top-level name that a file is part of, or an empty text."""
    top, slash, _ = file.partition("/")
    if slash:
        return top if top.isidentifier() and file.endswith(CODE) else ""
    match = MODULE.fullmatch(file)
    return match.group(1) if match and not file.startswith("__editable__") else ""


def _editable(found: Found) -> dict[str, str]:
    """Return the top-level names of an editable install, each with the folder it is in."""
    if found.source.get("kind") != "editable":
        return {}
    names: dict[str, str] = {}
    for file in found.files:
        if file.endswith(".pth"):
            for line in _read(found.site, file).splitlines():
                if os.path.isdir(line.strip()):
                    names.update(dict.fromkeys(_importable(line.strip()), line.strip()))
        elif file.startswith("__editable__") and file.endswith(".py"):
            match = re.search(r"^MAPPING\b[^=]*= (\{.*\})", _read(found.site, file), re.MULTILINE)
            try:
                mapping = ast.literal_eval(match.group(1)) if match else {}
            except (ValueError, SyntaxError):
                mapping = {}
            for name, path in mapping.items():
                names[name.split(".")[0]] = os.path.dirname(path)
    if found.info.endswith(".egg-info"):
        names.update(dict.fromkeys(_importable(found.site), found.site))
    for name in _read(found.site, found.info, "top_level.txt").split():
        names.setdefault(name, found.site)
    return names


def _importable(folder: str) -> list[str]:
    """Return the top-level names that can be imported from a folder on the path."""
    names = []
    try:
        with os.scandir(folder) as entries:
            for entry in entries:
                match = MODULE.fullmatch(entry.name)
                if match:
                    names.append(match.group(1))
                elif entry.name.isidentifier() and entry.name != "__pycache__" and entry.is_dir():
                    names.append(entry.name)
    except OSError:
        return []
    return sorted(names)


def _listed(folder: str) -> list[str]:
    try:
        return sorted(os.listdir(folder))
    except OSError:
        return []


def normal(name: str) -> str:
    """Return a distribution's name as indexes compare names."""
    return re.sub(r"[-_.]+", "-", name).lower()


def distributions(sites: list[str]) -> list[Found]:
    """Return what is installed, one for each name: the first on the path, the newest there."""
    chosen: dict[str, Found] = {}
    for site in sites:
        here: dict[str, list[Found]] = {}
        for entry in _listed(site):
            if entry.endswith(INFO) and not entry.startswith(("~", "-")):
                found = Found(site, entry)
                here.setdefault(normal(found.name), []).append(found)
        for name, several in here.items():
            # What an interrupted upgrade leaves behind has no list of files, or is older.
            several.sort(key=lambda f: (bool(f.tops), _time(os.path.join(f.site, f.info))))
            if len(several) > 1:
                versions = ", ".join(sorted(f.version for f in several))
                several[-1].notes.append(f"several versions of it are recorded: {versions}")
            chosen.setdefault(name, several[-1])
    return list(chosen.values())


def owners(found: list[Found], sites: list[str]) -> tuple[dict[str, list[str]], list[str]]:
    """Return which distributions hold a module, and the names that are namespaces only.

    A module is held by who holds its longest prefix listed. Only as many levels are listed as
    tell the distributions apart; a package of an earlier folder of the path hides later ones.
    """
    listed: dict[str, list[str]] = {}
    namespaces: list[str] = []
    by_top: dict[str, list[Found]] = {}
    for each in found:
        for top in each.tops:
            by_top.setdefault(top, []).append(each)
    for top, several in by_top.items():
        if len({each.site for each in several}) > 1:
            first = min(several, key=lambda each: sites.index(each.site))
            regular = [e for e in several if e.site == first.site and _makes(e, top, (top,))]
            several = [e for e in several if e.site == first.site] if regular else several
        _divide(top, (top,), several, listed, namespaces)
    return listed, sorted(namespaces)


def _divide(
    top: str,
    prefix: tuple[str, ...],
    several: list[Found],
    listed: dict[str, list[str]],
    namespaces: list[str],
) -> None:
    """List who holds a prefix; where they are several, also who holds what is below it."""
    key = ".".join(prefix)
    if len(several) == 1:
        listed[key] = [several[0].name]
        return
    makers = [each for each in several if _makes(each, top, prefix)]
    if len(makers) > 1:
        makers = _on_disk(makers, top, prefix)
    listed[key] = sorted(each.name for each in makers or several)
    if not makers:
        namespaces.append(key)
    below: dict[str, list[Found]] = {}
    for each in several:
        names = {_part(file, prefix) for file in each.tops[top]} - {"", "__init__"}
        for name in names:
            below.setdefault(name, []).append(each)
    for name, holders in below.items():
        if [each.name for each in holders] != listed[key] and len(prefix) < 6:
            _divide(top, (*prefix, name), holders, listed, namespaces)


def _part(file: str, prefix: tuple[str, ...]) -> str:
    """Return the name of the module below a prefix that a file is, or is part of."""
    parts = file.split("/")
    if tuple(parts[: len(prefix)]) != prefix or len(parts) <= len(prefix):
        return ""
    part = parts[len(prefix)]
    if len(parts) > len(prefix) + 1:
        return part if part.isidentifier() else ""
    match = MODULE.fullmatch(part)
    return match.group(1) if match else ""


def _makes(found: Found, top: str, prefix: tuple[str, ...]) -> bool:
    """Tell whether a distribution has the file that importing a prefix runs."""
    if not found.tops[top]:
        return True  # nothing but a name is known
    path = "/".join(prefix)
    for file in found.tops[top]:
        if file.startswith((path + "/__init__.", "/")):
            return True  # an editable install has its own folder
        match = MODULE.fullmatch(file[file.rfind("/") + 1 :])
        if match and (file[: file.rfind("/") + 1] + match.group(1)) == path:
            return True
    return False


def _on_disk(makers: list[Found], top: str, prefix: tuple[str, ...]) -> list[Found]:
    """Narrow distributions that record the same files to those whose sizes the files have."""
    start = "/".join(prefix) + "/"
    fitting = []
    for each in makers:
        sizes = {}
        for line in _read(each.site, each.info, "RECORD").splitlines():
            file, _, rest = line.partition(",")
            if file.startswith(start) and rest.rpartition(",")[2].isdigit():
                sizes[os.path.join(each.site, file)] = int(rest.rpartition(",")[2])
        if sizes and all(_size(path) == size for path, size in sizes.items()):
            fitting.append(each)
    return fitting or makers


def _size(path: str) -> int:
    try:
        return os.stat(path).st_size
    except OSError:
        return -1


def _conda(loose: dict[str, str]) -> dict[str, list[str]]:
    """Return the conda package (name, version) of modules that no Python metadata claims."""
    folder = os.path.join(sys.prefix, "conda-meta")
    found: dict[str, list[str]] = {}
    for entry in _listed(folder) if loose else []:
        if not entry.endswith(".json"):
            continue
        try:
            package = json.loads(_read(folder, entry))
            for file in package.get("files", ()):
                _, sites, inside = file.rpartition("site-packages/")
                top = _top(inside) if sites else ""
                if top in loose:
                    found[top] = [str(package["name"]), str(package.get("version", ""))]
        except (ValueError, AttributeError, KeyError, TypeError):
            continue
    return found


def _standard() -> list[str]:
    """Return the names of the standard library's modules."""
    names = getattr(sys, "stdlib_module_names", None)
    if names is None:  # Python 3.9 and older
        folder = sysconfig.get_path("stdlib")
        names = {*_importable(folder), *_importable(os.path.join(folder, "lib-dynload"))}
    return sorted({*names, *sys.builtin_module_names})


def _time(path: str) -> int:
    try:
        return os.stat(path).st_mtime_ns
    except OSError:
        return 0


def _watched(sites: list[str]) -> dict[str, int]:
    """Return the times of what changes when something is installed, upgraded or removed."""
    paths = [sys.executable, os.path.join(sys.prefix, "pyvenv.cfg"), *sites]
    paths.append(os.path.join(sys.prefix, "conda-meta"))
    site = sys.modules.get("site")
    if site is not None and site.ENABLE_USER_SITE:
        paths.append(site.getusersitepackages())  # it may come to be
    for folder in sites:
        paths += [os.path.join(folder, e) for e in _listed(folder) if e.endswith(".pth")]
    return {path: _time(path) for path in paths}


def describe() -> dict[str, object]:
    """Return the interpreter, its distributions, and which of them hold which modules."""
    standard = {os.path.realpath(p) for k, p in sysconfig.get_paths().items() if "stdlib" in k}
    sites = []
    for path in sys.path:
        real = os.path.realpath(path)
        own = real in standard or (os.path.dirname(real) in standard and "lib-dyn" in real)
        if os.path.isdir(path) and not own and path not in sites:
            sites.append(path)
    found = distributions(sites)
    held, namespaces = owners(found, sites)
    names = [(name, site) for site in reversed(sites) for name in _importable(site)]
    loose = {name: site for name, site in names if name not in held}
    return {
        "python": platform.python_version(),
        "implementation": platform.python_implementation(),
        "system": platform.system(),
        "machine": platform.machine(),
        "executable": sys.executable,
        "base": getattr(sys, "_base_executable", "") or sys.executable,
        "stdlib": _standard(),
        "distributions": {
            each.name: {"version": each.version, "source": each.source, "notes": each.notes}
            for each in found
        },
        "owners": held,
        "namespaces": namespaces,
        "loose": loose,
        "conda": _conda(loose),
        "watched": _watched(sites),
    }


if __name__ == "__main__":
    print(MARK)
    print(json.dumps(describe()))
