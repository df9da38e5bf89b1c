"""One resolution by uv, mended step by step where there is a way that stays true to the kernel."""

from __future__ import annotations

import re
import tempfile
from dataclasses import dataclass, field
from pathlib import Path

from jupyter_mlops.environment import build, complaints, indexes, lockfile, private, sizes, uv
from jupyter_mlops.environment.asking import Asked
from jupyter_mlops.environment.options import UV_PLATFORMS
from jupyter_mlops.errors import LockError
from jupyter_mlops.events import Log, OnEvent

YANKED = re.compile(r"`(\S+?)==(\S+)` is yanked(?: \(reason: \"(.*?)\"\))?")
NO_VERSION = re.compile(r"no versions? of ([\w.-]+)==(\S+?\+[\w.-]+)")
#: uv names one clash at a time; after so many, no version of the kernel is held on to.
MOST_ROUNDS = 12


@dataclass(frozen=True)
class Target:
    """What the lock is for; ``is_here`` when this machine can run what is built for it."""

    platform: str
    python: str
    until: str
    accelerator: str
    is_here: bool


@dataclass
class Resolution:
    """Asks uv until it finds a lock, or nothing is left to mend.

    In this order: a local version that no index has is taken as its public one, a package
    without a wheel is built, kernel versions that do not agree give way. Each is told. For another
    platform nothing is built: what has no wheel is left out, to name all of it in the end.
    """

    asked: Asked
    target: Target
    folder: Path | None
    on_event: OnEvent
    tried: set[str] = field(default_factory=set)
    loosened: list[str] = field(default_factory=list)
    rounds: int = 0
    reason: str = ""
    wheelless: dict[str, str] = field(default_factory=dict)

    def run(self) -> str:
        """Return the canonical text of the lock. Raises ``LockError`` with the reason."""
        self._build_urls()
        while True:
            try:
                text = self._compile()
                break
            except uv.Failed as error:
                said = str(error)
                if error.transient or not self._mend(said):
                    raise self._explained(said) from None
        if self.wheelless:
            raise self._explained("")
        self._tell_loosened()
        return text

    def _explained(self, said: str) -> LockError:
        """Return the error of uv's words, if it said any, after those of what has no wheel."""
        problems = complaints.lacking(self.wheelless, self.asked, self.target)
        if said:
            problems += complaints.explained(said, self.asked, self.target).problems
        return LockError.collect(problems)

    def _compile(self) -> str:
        with tempfile.TemporaryDirectory(prefix="mlops-lock-") as name:
            work = Path(name)
            work.chmod(0o700)  # a requirement's address may hold a password
            (work / "requirements.in").write_text("\n".join(self.asked.requirement_lines()) + "\n")
            (work / "constraints.txt").write_text("\n".join(self.asked.constraint_lines()) + "\n")
            never = [f'{name} ; python_version < "3"\n' for name in sorted(self.wheelless)]
            (work / "overrides.txt").write_text("".join(never))
            done = uv.patiently(
                *self._arguments(work), folder=self.folder or work, on_event=self.on_event
            )
            self._tell_yanked(done.said)
            text = (work / "pylock.toml").read_text(encoding="utf-8")
            sizes.remember(lockfile.parse(text, self.target.python, self.target.platform))
            return lockfile.canonical(text, work, self.target.python, self.target.platform)

    def _arguments(self, work: Path) -> list[str]:
        """Return the command; what a project's settings could turn otherwise is said, too."""
        target = self.target
        options = [
            *("pip", "compile", str(work / "requirements.in")),
            *("--constraint", str(work / "constraints.txt")),
            *("--output-file", str(work / "pylock.toml"), "--format", "pylock.toml"),
            *("--python-version", target.python),
            *("--python-platform", UV_PLATFORMS[target.platform]),
            *("--only-binary", ":all:", "--generate-hashes", "--no-header"),
            *("--deps", "--no-universal", "--strip-markers", "--no-python-downloads"),
            *indexes.arguments(self.folder),
        ]
        if self.wheelless:
            options += ["--override", str(work / "overrides.txt")]
        if target.until:
            options += ["--exclude-newer", target.until]
        for tool, day in sorted(self.asked.undated(target.until).items()):
            options += ["--exclude-newer-package", f"{tool}={day}"]
        if target.accelerator != "index":
            options += ["--torch-backend", target.accelerator]
        return options

    def _mend(self, said: str) -> bool:
        return (
            self._take_public(said)
            or self._build(said)
            or self._leave_out(said)
            or self._loosen(said)
        )

    def _take_public(self, said: str) -> bool:
        """Take ``1.0`` for ``1.0+local`` where no index has the local one."""
        mended = False
        for name, version in NO_VERSION.findall(said):
            public = version.partition("+")[0]
            if f"{name}+" in self.tried:
                continue
            self.tried.add(f"{name}+")
            if name in self.asked.direct:
                self.asked.direct[name] = self.asked.direct[name].replace(version, public)
            if self.asked.constraints.get(name) == version:
                self.asked.constraints[name] = public
            self._warn(
                f"No index has {name} {version}, which the kernel has; {public} is taken instead"
            )
            mended = True
        return mended

    def _build_urls(self) -> None:
        """Build what comes from a repository or a folder. Raises ``LockError``."""
        for name, url in sorted(self.asked.urls.items()):
            if name in self.asked.wheels:
                continue
            if not self.target.is_here:
                raise complaints.foreign(name, self.asked, self.target)
            address = url if "://" in url else Path(url).expanduser().absolute().as_uri()
            self._built(name, f"{name} @ {address}", "")

    def _build(self, said: str) -> bool:
        """Build the wheel of one package that has none, if that was not tried before."""
        for name, version in complaints.without_wheel(said):
            if name in self.tried or name in self.asked.wheels:
                continue
            self.tried.add(name)
            wanted = self.asked.pinned(name) or version
            if not self.target.is_here:
                continue
            try:
                self._built(name, f"{name}=={wanted}" if wanted else name, wanted)
            except LockError:
                if name in self.asked.constraints and name not in self.asked.direct:
                    continue  # only the kernel's version: another one may have a wheel
                raise
            return True
        return False

    def _leave_out(self, said: str) -> bool:
        """Go on without what another platform has no wheel of, where no other version will do."""
        if self.target.is_here:
            return False
        fixed = {*self.asked.direct, *self.asked.bounds, *self.asked.proven}
        found = {
            name: self.asked.pinned(name) or version
            for name, version in complaints.without_wheel(said)
            if name in fixed and name not in self.wheelless
        }
        self.wheelless |= found
        return bool(found)

    def _built(self, name: str, requirement: str, version: str) -> None:
        label = f"{name} {version}".strip()
        self.on_event(Log(text=f"{label} has no wheel; it is built from its source"))
        try:
            built = build.build(requirement, name, self.target.python, self.folder)
        except build.BuildFailed as error:
            raise complaints.unbuildable(name, version, str(error), self.asked) from None
        self.asked.wheels[name] = built.wheel
        if built.left_out:
            self._warn(f"{name} is shipped without {private.named(built.left_out)}. {private.WHY}")

    def _loosen(self, said: str) -> bool:
        """Let go of the kernel's versions that uv names, and in the end of all of them."""
        kept = self.asked.constraints
        free = {n: v for n, v in kept.items() if "==" not in self.asked.direct.get(n, "")}
        if not free or complaints.is_final(said, self.asked):
            return False
        named = [
            n for n, v in free.items() if re.search(rf"\b{re.escape(n)}=={re.escape(v)}", said)
        ]
        named = named or [n for n in free if re.search(rf"(?<![\w-]){re.escape(n)}(?![\w-])", said)]
        self.rounds += 1
        for name in named if named and self.rounds <= MOST_ROUNDS else list(free):
            del kept[name]
            self.loosened.append(name)
        self.reason = self.reason or said
        return True

    def _tell_loosened(self) -> None:
        if self.loosened:
            names = ", ".join(sorted(self.loosened)[:8])
            more = f" and {len(self.loosened) - 8} more" if len(self.loosened) > 8 else ""
            self._warn(
                "The kernel's packages do not agree with each other or with what is locked; "
                f"these do not keep their version: {names}{more}. "
                f"uv says: {uv.shortened(self.reason, 300)}"
            )

    def _tell_yanked(self, said: str) -> None:
        for name, version, reason in YANKED.findall(said):
            because = f" ({reason})" if reason else ""
            self._warn(
                f"{name} {version} was withdrawn from its index{because}. It is locked because "
                "the kernel has it; a newer version is better"
            )

    def _warn(self, text: str) -> None:
        self.on_event(Log(level="warning", text=text))
