"""One requirement as pip, conda and poetry write it, and the words of an install command."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path
from typing import Any

from packaging.requirements import InvalidRequirement
from packaging.requirements import Requirement as Parsed
from packaging.specifiers import InvalidSpecifier, SpecifierSet
from packaging.utils import InvalidWheelFilename, parse_wheel_filename

from jupyter_mlops.environment.models import Requirement
from jupyter_mlops.environment.names import of_conda
from jupyter_mlops.environment.uv import scrub
from jupyter_mlops.errors import Problem, shown
from jupyter_mlops.installs import Install

#: Options of pip, uv and conda that are followed by a value of theirs.
VALUED = frozenset(
    """
    -t --target --prefix --root --python -p --src --platform --python-version --abi
    --implementation --proxy --retries --timeout --cert --client-cert --cache-dir --log
    --progress-bar --global-option --config-settings -C --exists-action --no-binary
    --only-binary --upgrade-package -P --exclude-newer --resolution --prerelease --link-mode
    --index-strategy --keyring-provider --torch-backend --group --optional --extra -n --name
    --channel --solver --trusted-host --report --root-user-action --use-feature -b
    """.split()
)
INDEXES = frozenset(
    "-i --index-url --extra-index-url --default-index --index -f --find-links".split()
)
FILES = frozenset("-r --requirement --requirements -c --constraint --constraints --file".split())
#: The tools themselves, which a notebook upgrades but does not use.
TOOLS = frozenset({"pip", "uv", "conda", "mamba", "wheel", "setuptools", "python"})

#: Reads a file that a line names (``-r``, ``-c``).
Include = Callable[[str], Iterator[Requirement]]
Tell = Callable[[Problem], None]


def parse(text: str, where: str, *, cell: int = 0, adds: bool = False) -> Requirement | None:
    """Return a requirement (PEP 508, or an address with ``#egg=``), ``None`` if it is none."""
    text = text.strip()
    address = re.match(r"(?:[a-z]+\+)?[a-z]+://|file:|\.{0,2}/|\.$", text)
    if address or (text.endswith((".whl", ".tar.gz", ".zip")) and " @ " not in text):
        return _from_address(text, where, cell, adds)
    try:
        found = Parsed(text)
    except InvalidRequirement:
        return None
    return Requirement(
        name=found.name,
        where=where,
        specifier=str(found.specifier),
        extras=sorted(found.extras),
        url=scrub(found.url) if found.url else "",
        marker=str(found.marker or ""),
        cell=cell,
        adds=adds,
    )


def _from_address(text: str, where: str, cell: int, adds: bool) -> Requirement | None:
    """Return a requirement that is an address or a path; its name as far as that tells."""
    address, _, fragment = text.partition("#")
    egg = re.search(r"egg=([\w.-]+)", fragment)
    last = address.rstrip("/").rpartition("/")[2].partition("@")[0]
    name = egg.group(1) if egg else ""
    if not name and last.endswith(".whl"):
        try:
            name = parse_wheel_filename(last)[0]
        except InvalidWheelFilename:
            return None
    if not name and re.search(r"\.(?:tar\.\w+|zip)$", last):
        name = re.sub(r"-\d.*|\.(?:tar\.\w+|zip)$", "", last)
    if not name and address.startswith(("git+", "hg+", "svn+", "bzr+")):
        name = last.removesuffix(".git")
    folder = re.search(r"subdirectory=[^&]+", fragment)
    url = scrub(f"{address}#{folder.group()}" if folder else address)
    return Requirement(name=name, where=where, url=url, cell=cell, adds=adds)


def of_install(install: Install, cell: int, include: Include, tell: Tell) -> list[Requirement]:
    """Return what an install command of a cell asks for; what cannot be read is told."""
    where = f"cell {cell}"
    found: list[Requirement] = []
    words = iter(install.words)
    for word in words:
        option, equals, value = word.partition("=")
        if option in VALUED or (install.tool == "conda" and option == "-c"):
            if not equals:
                next(words, "")
        elif option in FILES:
            found += include(value if equals else next(words, ""))
        elif install.tool == "pip" and re.match(r"-[rc][^-]", word):
            found += include(word[2:])
        elif option in {"-e", "--editable"}:
            found += _named(value if equals else next(words, ""), where, cell, tell)
        elif option in INDEXES:
            address = value if equals else next(words, "")
            tell(_index(scrub(address), where))
        elif word.startswith("-"):
            continue
        elif install.tool == "conda":
            requirement = of_conda_spec(word, where, cell=cell, adds=True)
            found += [requirement] if requirement else []
        else:
            found += _named(word, where, cell, tell)
    return [each for each in found if each.name.lower() not in TOOLS]


def _named(word: str, where: str, cell: int, tell: Tell) -> list[Requirement]:
    if re.search(r"[{}$]", word):
        tell(
            Problem(
                problem=f"It installs '{shown(word)}', which is known only when it runs",
                why="The image is made before that",
                remedy="Write the package's name out in the line that installs it",
                where=where,
            )
        )
        return []
    requirement = parse(word, where, cell=cell, adds=True)
    if requirement is None:
        tell(
            Problem(
                problem=f"'{shown(word)}' is no package that can be installed",
                remedy="Correct the line that installs it, or take it out",
                where=where,
            )
        )
    return [requirement] if requirement else []


def _index(address: str, where: str) -> Problem:
    return Problem(
        problem=f"It installs from {shown(address, 200)}",
        why="A line of the notebook does not say where the lock looks for packages",
        remedy="If packages are found only there, name it in uv's configuration (uv.toml: "
        "index), or set UV_INDEX",
        where=where,
    )


def of_conda_spec(
    text: str, where: str, *, cell: int = 0, adds: bool = False
) -> Requirement | None:
    """Return the requirement that a conda match specification is; ``None`` where it is none.

    Also ``None`` for what conda has and the Python Package Index has not (compilers, Python).
    """
    text = text.strip().rpartition("::")[2].split("[")[0]
    match = re.match(r"([A-Za-z0-9_.-]+)\s*(.*)$", text)
    name = of_conda(match.group(1)) if match else ""
    if match is None or not name:
        return None
    version = match.group(2).strip()
    if version.startswith("=") and not version.startswith("=="):
        version = version[1:].split("=")[0].strip()  # name=version=build
        version = f"=={version}" if version.endswith("*") else f"=={version}.*"
    elif re.match(r"\d", version):
        version = f"=={version.split()[0]}"
    elif version.startswith("=="):
        version = "==" + version[2:].split("=")[0].strip()
    try:
        specifier = str(SpecifierSet(version.replace(" ", "")))
    except InvalidSpecifier:
        specifier = ""
    return Requirement(name=name, where=where, specifier=specifier, cell=cell, adds=adds)


def of_poetry(name: str, value: Any, where: str) -> Requirement | None:
    """Return the requirement that an entry of ``[tool.poetry.dependencies]`` is."""
    if name.lower() == "python":
        return None
    table = value if isinstance(value, dict) else {"version": value}
    url = ""
    if "git" in table:
        at = table.get("rev") or table.get("tag") or table.get("branch") or ""
        url = scrub(f"git+{table['git']}" + (f"@{at}" if at else ""))
    elif "url" in table or "path" in table:
        url = scrub(str(table.get("url") or table["path"]))
    extras = table.get("extras")
    return Requirement(
        name=name,
        where=where,
        specifier=_poetry_specifier(str(table.get("version", ""))),
        extras=sorted(map(str, extras)) if isinstance(extras, list) else [],
        url=url,
    )


def _poetry_specifier(text: str) -> str:
    """Return poetry's bounds (``^1.2``, ``~1.2``, ``1.2``) as PEP 440 has them."""
    parts = []
    for part in text.replace("||", ",").split(",") if "||" not in text else []:
        bound = part.strip()
        match = re.fullmatch(r"([\^~]?)\s*(\d[\w.]*?)(\.\*)?", bound)
        if match is None:
            parts += [bound] if bound not in {"", "*"} else []
        elif match.group(3) or not match.group(1):
            parts.append(f"=={match.group(2)}{match.group(3) or ''}")
        else:
            parts.append(f">={match.group(2)},<{_next(match.group(2), match.group(1))}")
    try:
        return str(SpecifierSet(",".join(parts)))
    except InvalidSpecifier:
        return ""


def _next(version: str, mark: str) -> str:
    """Return the first version beyond a caret's or a tilde's bound."""
    numbers = [int(n) for n in re.findall(r"\d+", version)][:3]
    if mark == "~":
        at = min(1, len(numbers) - 1)
    else:
        at = next((i for i, number in enumerate(numbers) if number), len(numbers) - 1)
    return ".".join(str(n) for n in [*numbers[:at], numbers[at] + 1])


def contradicts(requirement: Requirement, version: str) -> bool:
    """Tell whether an installed version is none that a requirement allows."""
    if not requirement.specifier or not version:
        return False
    try:
        return not SpecifierSet(requirement.specifier).contains(version, prereleases=True)
    except (InvalidSpecifier, ValueError):
        return False


def applies(requirement: Requirement, environment: dict[str, str]) -> bool:
    """Tell whether a requirement's marker holds for a Python and platform."""
    if not requirement.marker:
        return True
    try:
        marker = Parsed(f"x; {requirement.marker}").marker
        return marker is None or marker.evaluate({**environment, "extra": ""})
    except (InvalidRequirement, ValueError, KeyError):
        return True


def unique(requirements: Sequence[Requirement]) -> list[Requirement]:
    """Return requirements, each once, in their order."""
    return list({(r.name, r.where, r.specifier, r.url): r for r in requirements}.values())


def path_of(requirement: Requirement, folder: Path) -> Path | None:
    """Return the local folder or file that a requirement names, ``None`` where it names none."""
    text = requirement.url.removeprefix("file://").partition("#")[0].partition("[")[0]
    if not text or "://" in text:
        return None
    path = folder / text
    return path if path.exists() else None
