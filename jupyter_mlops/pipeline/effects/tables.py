"""What functions of known libraries do: the table, and how to look a function up in it.

A line is a dotted path (``*`` ends a prefix) and words:

``pure``        changes none of its arguments, keeps none of them
``result:KIND`` gives a new object of a kind; ``atom`` gives something immutable;
                ``view`` gives something that may be one of its arguments;
                ``wrap:KIND`` gives a new object that refers to its arguments
``mutate:N``    changes its argument N (deeply)
``touch:KEY``   reads and changes hidden state; ``set:KEY`` replaces it; ``read:KEY`` reads it
``in:N``        reads the file at argument N; ``out:N`` writes it; ``change:N`` may do both
``files``       reads and writes files that cannot be told
``seeded``      touches <rng:numpy> unless it is given ``random_state``
``needs-seed``  draws from the system's entropy unless it is given something to begin with
``clock``, ``network``, ``entropy``, ``machine``, ``program``   why the result differs from run to
                run
``unknown``     may do anything to what it can reach
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import lru_cache
from importlib.resources import files


@dataclass(frozen=True, slots=True)
class Effect:
    """What calling a function does, as the table says."""

    known: bool = True
    result: str = ""
    mutates: tuple[int, ...] = ()
    touches: tuple[str, ...] = ()
    sets: tuple[str, ...] = ()
    reads: tuple[str, ...] = ()
    paths: tuple[tuple[str, int], ...] = ()
    any_files: bool = False
    seeded: bool = False
    needs_seed: bool = False
    varies: str = ""


UNKNOWN_EFFECT = Effect(known=False)

_KINDS = {
    "clock": "it reads the clock",
    "network": "it uses the network",
    "entropy": "it draws from the system's entropy",
    "machine": "it looks at the machine",
    "program": "it starts another program",
}


def _effect(words: list[str]) -> Effect:
    known, result, varies = True, "", ""
    mutates: list[int] = []
    touches: list[str] = []
    sets: list[str] = []
    reads: list[str] = []
    paths: list[tuple[str, int]] = []
    for word in words:
        head, _, rest = word.partition(":")
        if head == "unknown":
            known = False
        elif head in ("mutate",):
            mutates.append(int(rest))
        elif head == "touch":
            touches.append(rest)
        elif head == "set":
            sets.append(rest)
        elif head == "read":
            reads.append(rest)
        elif head in ("in", "out", "change"):
            paths.append((head, int(rest)))
        elif head in _KINDS:
            varies = _KINDS[head]
        elif head not in ("pure", "files", "seeded", "needs-seed", "allfiles"):
            result = word
    return Effect(
        known=known,
        result=result,
        mutates=tuple(mutates),
        touches=tuple(touches),
        sets=tuple(sets),
        reads=tuple(reads),
        paths=(*paths, *((("in", -1),) if "allfiles" in words else ())),
        any_files="files" in words,
        seeded="seeded" in words,
        needs_seed="needs-seed" in words,
        varies=varies,
    )


def _parse(text: str) -> tuple[dict[str, Effect], dict[str, Effect]]:
    exact: dict[str, Effect] = {}
    prefixes: dict[str, Effect] = {}
    # Keys hold spaces ("<numpy options>"): join what stands between angle brackets.
    for line in text.splitlines():
        if not line.strip() or line.startswith("#"):
            continue
        path, *raw = line.split(" ")
        words: list[str] = []
        for word in raw:
            if words and "<" in words[-1] and ">" not in words[-1]:
                words[-1] += f" {word}"
            else:
                words.append(word)
        effect = _effect(words)
        if path.endswith("*"):
            prefixes[path[:-1]] = effect
        else:
            exact[path] = effect
    return exact, prefixes


_EXACT, _PREFIXES = _parse((files(__package__) / "libraries.txt").read_text("utf-8"))


@lru_cache(maxsize=4096)
def effect_of(path: str) -> Effect:
    """Return what calling the function at a dotted path does; unknown ones may do anything."""
    known = path[: known_part(path)]
    return _EXACT[path] if path in _EXACT else _PREFIXES.get(known, UNKNOWN_EFFECT)


def known_part(path: str) -> int:
    """Return the length of the part of a path that the table has a line for; 0 without any."""
    if path in _EXACT:
        return len(path)
    return next((end for end in range(len(path), 0, -1) if path[:end] in _PREFIXES), 0)


def is_known_package(path: str) -> bool:
    """Tell whether the table knows the package, so that its functions set no other state."""
    return effect_of(path.partition(".")[0] + ".x").known
