"""What libraries load by name: from a use (``read_parquet()``) to the modules that it needs.

The table is ``engines.txt``, which a newcomer extends by a line.
"""

from __future__ import annotations

import ast
import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from fnmatch import fnmatchcase
from functools import cache, lru_cache
from pathlib import Path

from jupyter_mlops import parsed
from jupyter_mlops.environment import sightings
from jupyter_mlops.environment.sightings import Use

TABLE = Path(__file__).with_name("engines.txt")
USE = re.compile(r'(?P<names>[\w.*|%]+)(?P<set>=)?(?:\((?P<args>(?:"[^"]*"|[^()"])*)\))?')


@dataclass(frozen=True)
class Need:
    """Modules of which one is needed, the preferred first.

    ``weak`` ones are needed only where they are installed: the use may mean something else.
    """

    modules: tuple[str, ...]
    weak: bool


@dataclass(frozen=True)
class Rule:
    """One use in the table and what it needs; the first rule of a ``block`` that fits counts."""

    line: int
    block: int
    libraries: frozenset[str]
    names: tuple[str, ...]
    called: bool
    keyword: str
    text: str
    needs: tuple[Need, ...]

    def shown(self, use: Use) -> str:
        """Return the use as a person names it."""
        name = use.names[-1] if use.names[-1] != "=" else ".".join(use.names[-3:-1])
        if self.keyword and self.text:
            return f'{name}({self.keyword}="{self.text}")'
        if not use.called:
            return f".{name}"
        return name if name.startswith("%") or use.names[-1] == "=" else f"{name}()"

    def may_fit(self, use: Use) -> bool:
        """Tell whether the use has the names and texts, as far as the tree alone says."""
        if self.called is not use.called or len(use.names) < len(self.names):
            return False
        names = use.names[-len(self.names) :]
        if not all(_like(name, wanted) for name, wanted in zip(names, self.names, strict=True)):
            return False
        if self.keyword:
            given = dict(use.keywords).get(self.keyword)
            return given is not None and (not self.text or _is(given, self.text, {}))
        if not self.text:
            return True
        texts = (*use.texts, *(text for _, text in use.keywords))
        return any(_is(text, self.text, {}) for text in texts)

    def fits(self, use: Use, constants: Mapping[str, set[str]]) -> bool:
        """Tell whether the texts fit, where variables have the values that code gives them."""
        if not self.text:
            return True
        if self.keyword:
            return _is(dict(use.keywords)[self.keyword], self.text, constants, strict=True)
        texts = (*use.texts, *(text for _, text in use.keywords))
        return any(_is(text, self.text, constants, strict=True) for text in texts)


def _like(name: str, wanted: str) -> bool:
    return name == wanted or ("*" in wanted and bool(name) and fnmatchcase(name, wanted))


def _is(text: str, wanted: str, constants: Mapping[str, set[str]], *, strict: bool = False) -> bool:
    if text.startswith("$"):
        values = constants.get(text[1:], set())
        return any(fnmatchcase(v.lower(), wanted.lower()) for v in values) if strict else True
    return bool(text) and fnmatchcase(text.lower(), wanted.lower())


@dataclass(frozen=True)
class Table:
    """The rules by the last name of the use, needs by imported module, and who gives what."""

    exact: dict[str, list[Rule]]
    wild: list[tuple[str, Rule]]
    imports: dict[str, tuple[Need, ...]]
    carriers: dict[str, frozenset[str]]


@cache
def table() -> Table:
    """Return the table, read once."""
    found = Table({}, [], {}, {})
    block = 0
    for number, raw in enumerate(TABLE.read_text(encoding="utf-8").splitlines()):
        line = raw.strip()
        if not line:
            block += 1
        elif line.startswith("#"):
            continue
        elif line.startswith("import "):
            modules, _, needs = line.removeprefix("import ").partition(" -> ")
            for module in modules.split(","):
                found.imports[module.strip()] = _needs(needs)
        elif " -> " in line:
            _rules(line, number, block, found)
        else:
            library, _, others = line.partition(" = ")
            found.carriers[library] = frozenset(others.split())
    return found


def _rules(line: str, number: int, block: int, found: Table) -> None:
    head, _, needs = line.partition(" -> ")
    libraries, _, uses = head.partition(": ")
    for match in USE.finditer(uses):
        arguments = match["args"]
        keyword, equals, text = (arguments or "").partition("=")
        if not equals:
            keyword, text = "", keyword
        last = match["names"].rpartition(".")
        for name in last[2].split("|"):
            before = tuple(part for part in last[0].split(".") if part)
            names = (*before, name, "=") if match["set"] else (*before, name)
            rule = Rule(
                line=number,
                block=block,
                libraries=frozenset(libraries.split("|")),
                names=names,
                called=arguments is not None,
                keyword=keyword.strip(),
                text=text.strip().strip('"'),
                needs=_needs(needs),
            )
            if "*" in names[-1]:
                found.wild.append((names[-1], rule))
            else:
                found.exact.setdefault(names[-1], []).append(rule)


def _needs(text: str) -> tuple[Need, ...]:
    return tuple(
        Need(tuple(part.strip().rstrip("?") for part in each.split(" or ")), "?" in each)
        for each in text.split(" + ")
    )


@lru_cache(maxsize=4096)
def _by_name(last: str) -> list[Rule]:
    rules = table()
    wild = [rule for wanted, rule in rules.wild if fnmatchcase(last, wanted)]
    return sorted([*rules.exact.get(last, ()), *wild], key=lambda rule: rule.line)


def candidates(uses: Iterable[Use]) -> list[tuple[Use, list[Rule]]]:
    """Return the uses that rules may fit, each with these."""
    found = []
    for use in uses:
        rules = [rule for rule in _by_name(use.names[-1]) if rule.may_fit(use)]
        if rules:
            found.append((use, rules))
    return found


@parsed.remembered
def of_tree(tree: ast.Module) -> list[tuple[Use, list[Rule]]]:
    """Return the uses in a tree that rules may fit, each with these; kept with the tree."""
    return candidates(sightings.of(tree).uses)


def needed(
    found: Iterable[tuple[Use, list[Rule]]],
    aliases: Mapping[str, str],
    imported: frozenset[str],
    constants: Mapping[str, set[str]],
) -> list[tuple[Use, str, Need]]:
    """Return what uses need, each with the use as a person names it.

    ``aliases`` are names that imports bind in the same code, with what they stand for;
    ``imported`` are the top-level modules that the notebook imports anywhere; ``constants``
    are the texts that variables have.
    """
    told: list[tuple[Use, str, Need]] = []
    for use, rules in found:
        done: set[int] = set()
        for rule in rules:
            if rule.block in done or not _is_of(use, rule, aliases, imported):
                continue
            if rule.fits(use, constants):
                done.add(rule.block)
                told += [(use, rule.shown(use), _named(need, use)) for need in rule.needs]
    return told


def _is_of(use: Use, rule: Rule, aliases: Mapping[str, str], imported: frozenset[str]) -> bool:
    """Tell whether the use may be of a rule's library: by its first name, else by any import."""
    home = aliases.get(use.names[0])
    if home is not None:
        return home.partition(".")[0] in rule.libraries
    if len(use.names) == 1 and not use.names[0].startswith("%"):
        return False  # a function of the notebook's own
    carriers = table().carriers
    return any(
        library in imported or not imported.isdisjoint(carriers.get(library, frozenset()))
        for library in rule.libraries
    )


def _named(need: Need, use: Use) -> Need:
    """Return a need where ``@text`` stands for the module that the use's text names."""
    if need.modules != ("@text",):
        return need
    return Need((use.texts[0].replace("-", "_"),), need.weak)


def of_import(module: str) -> tuple[str, tuple[Need, ...]]:
    """Return what importing a module needs beside its own distribution, and the table's name."""
    parts = module.split(".")
    rules = table().imports
    for length in range(len(parts), 0, -1):
        name = ".".join(parts[:length])
        if name in rules:
            return name, rules[name]
    return "", ()
