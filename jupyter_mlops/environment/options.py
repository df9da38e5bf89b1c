"""What a lock is asked for beside the notebook's own words: target, date, and a person's edits."""

from __future__ import annotations

import re
from collections.abc import Sequence
from datetime import UTC, date, datetime, timedelta

import msgspec
from packaging.requirements import InvalidRequirement, Requirement
from packaging.specifiers import InvalidSpecifier, SpecifierSet
from packaging.utils import is_normalized_name
from packaging.version import InvalidVersion, Version

from jupyter_mlops.environment.names import normal
from jupyter_mlops.errors import Problem, UsageError

# glibc 2.28 is what every base image of ours and every wheel of today meets.
UV_PLATFORMS = {
    "linux/amd64": "x86_64-manylinux_2_28",
    "linux/arm64": "aarch64-manylinux_2_28",
}
ACCELERATOR = re.compile(r"cpu|cu\d{2,3}|rocm\d[\d.]*|xpu|index")
PYTHON = re.compile(r"3\.\d{1,2}")


class LockOptions(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """How to lock; an empty value means: as the kernel has it.

    ``platform`` ("linux/arm64") and ``python`` ("3.12") are the target's. ``exclude_newer`` is a
    date (that day still counts, UTC) or a time: nothing that was uploaded later is taken, but for
    the image's own tools where it is older than they can be.
    ``accelerator`` chooses PyTorch's variant: ``cpu``, ``cu124``, ``rocm6.2``, ``xpu``, or
    ``index`` for what the configured indexes give.

    A person's edits: ``overrides`` maps a distribution to another version ("2.1.0") or bounds
    (">=2,<3"), ``additions`` are requirements as pip writes them, ``removals`` names that the
    notebook does not need itself.
    """

    platform: str = ""
    python: str = ""
    exclude_newer: str = ""
    accelerator: str = "cpu"
    overrides: dict[str, str] = {}
    additions: list[str] = []
    removals: list[str] = []

    def until(self) -> str:
        """Return ``exclude_newer`` as one moment in UTC, the same wherever it is read."""
        return moment(self.exclude_newer) if self.exclude_newer else ""


def moment(text: str) -> str:
    """Return a date or a time as RFC 3339 in UTC; a date means its end. Raises ``ValueError``."""
    if re.fullmatch(r"\d{4}-\d{2}-\d{2}", text):
        day = date.fromisoformat(text) + timedelta(days=1)
        return f"{day.isoformat()}T00:00:00Z"
    time = datetime.fromisoformat(text)
    time = time.replace(tzinfo=UTC) if time.tzinfo is None else time.astimezone(UTC)
    return time.strftime("%Y-%m-%dT%H:%M:%SZ")


def check(options: LockOptions) -> None:
    """Raise ``UsageError`` with everything that is wrong with the options."""
    problems = [*_target_problems(options), *_edit_problems(options)]
    if problems:
        raise UsageError.collect(problems)


def specifier(text: str) -> str:
    """Return a version or bounds as a specifier: ``2.1`` is ``==2.1``. Raises ``ValueError``."""
    try:
        return f"=={Version(text)}"
    except InvalidVersion:
        pass
    try:
        return str(SpecifierSet(text))
    except InvalidSpecifier:
        raise ValueError(text) from None


def pins(texts: Sequence[str]) -> dict[str, str]:
    """Return overrides from ``name==version`` and ``name>=1,<2``. Raises ``UsageError``."""
    found = {}
    for text in texts:
        name, bound = re.fullmatch(r"\s*([\w.-]*)\s*(.*)", text, re.DOTALL).groups()  # type: ignore[union-attr]
        if not name or not bound:
            raise UsageError(f"'{text}' pins nothing", remedy="Write NAME==VERSION, or NAME>=1,<2")
        found[name] = bound
    return found


def answers(texts: Sequence[str]) -> dict[str, str]:
    """Return a distribution for each module from ``module=distribution``. Raises ``UsageError``."""
    found = {}
    for text in texts:
        module, _, name = (part.strip() for part in text.partition("="))
        sound = all(part.isidentifier() for part in module.split("."))
        if not sound or not is_normalized_name(normal(name)):
            raise UsageError(
                f"'{text}' answers nothing",
                remedy="Write MODULE=DISTRIBUTION, for example cv2=opencv-python-headless",
            )
        found[module] = name
    return found


def _target_problems(options: LockOptions) -> list[Problem]:
    problems = []
    if options.platform and options.platform not in UV_PLATFORMS:
        problems.append(
            Problem(
                problem=f"'{options.platform}' is no platform that images are made for",
                remedy=f"Choose one of: {', '.join(sorted(UV_PLATFORMS))}",
            )
        )
    if options.python and not PYTHON.fullmatch(options.python):
        problems.append(
            Problem(
                problem=f"'{options.python}' is not a Python version",
                remedy="Give major and minor, such as 3.12",
            )
        )
    if not ACCELERATOR.fullmatch(options.accelerator):
        problems.append(
            Problem(
                problem=f"'{options.accelerator}' is no variant of PyTorch",
                remedy="Choose cpu, a CUDA version such as cu124, rocm6.2, xpu, or index for "
                "what the configured indexes give",
            )
        )
    try:
        options.until()
    except ValueError:
        problems.append(
            Problem(
                problem=f"'{options.exclude_newer}' is not a date",
                remedy="Write it as 2024-05-31, or with a time as 2024-05-31T12:00:00Z",
            )
        )
    return problems


def _edit_problems(options: LockOptions) -> list[Problem]:
    problems = []
    for text in options.additions:
        try:
            Requirement(text)
        except InvalidRequirement as error:
            problems.append(
                Problem(
                    problem=f"'{text}' is not a requirement",
                    why=str(error).splitlines()[0],
                    remedy="Write it as pip does: name, name==1.2 or name[extra]>=1,<2",
                )
            )
    for name, text in options.overrides.items():
        try:
            specifier(text)
        except ValueError:
            problems.append(
                Problem(
                    problem=f"'{text}' is neither a version nor bounds for {name}",
                    remedy="Write 2.1.0 or >=2,<3",
                )
            )
    return problems
