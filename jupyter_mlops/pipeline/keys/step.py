"""The key of a step that is about to start: everything that its result depends on."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import msgspec

from jupyter_mlops.pipeline.keys.files import Contents, contents
from jupyter_mlops.pipeline.plan import Plan, PlannedStep
from jupyter_mlops.runtime.handover.models import Committed, StepSpec
from jupyter_mlops.runtime.handover.store import Before

#: Raised when steps are run, or their results are kept, in another way.
FORMAT = 1
#: Hidden state that tells of a place outside of the notebook's folder.
PLACES = {
    "<sys.path>": "it imports from a path that the notebook sets",
    "<cwd>": "the notebook changes its working directory",
}

#: What a key does not hold if the text does not show it. Changed names and options are not among
#: it: before, they were inputs or state, and afterwards they are committed with the rest.
NOT_IN_KEY = ("<rng:", "<file", "<module:", *PLACES)


class StepKey(msgspec.Struct, frozen=True, kw_only=True):
    """``digest`` is the SHA-256 over ``parts``: what the step starts from, by kind and name.

    Where the step is not ``cacheable``, ``reason`` says why the same key may give another result.
    """

    digest: str
    cacheable: bool = True
    reason: str = ""
    parts: dict[str, dict[str, str]] = {}


@dataclass(frozen=True)
class Surroundings:
    """What is the same for all steps of a run.

    ``environment`` is the digest of what pins the packages and the interpreter; empty where that
    is not known. ``parameters`` are the values of all parameters, given or default; ``folder`` is
    the notebook's own, whose files steps may read.
    """

    folder: Path
    environment: str = ""
    parameters: Mapping[str, Any] = field(default_factory=dict)
    known: Contents = field(default_factory=Contents)


def step_key(step: PlannedStep, spec: StepSpec, before: Before, around: Surroundings) -> StepKey:
    """Return the key of a step that starts on what ``before`` holds; ``spec`` is what it is told.

    Modules that it imports from beside the notebook are among its files: whoever imports one
    gets all files, for what a module reads of its own folder cannot be told.
    """
    files, why = contents(spec.files_read, around.folder, before, around.known)
    parts = {
        "code": {"sha256": step.key},
        "environment": {"sha256": around.environment},
        "parameters": {
            name: json.dumps(around.parameters[name], sort_keys=True)
            for name in step.parameters
            if name in around.parameters
        },
        "inputs": _inputs(spec, before),
        "state": _state(spec, before),
        "files": files,
        "gives": dict.fromkeys([*({*spec.writes} & {*spec.wanted}), *(spec.defines or ())], ""),
    }
    reasons = [step.reason, why]
    reasons += [reason for key, reason in PLACES.items() if key in spec.state]
    reasons += [
        f"it writes {path}, which lies outside of the notebook's folder"
        for path in step.files_written
        if Path(path).is_absolute() and not Path(path).is_relative_to(around.folder)
    ]
    if not around.environment:
        reasons.append("no lock says which packages it runs with")
    told = "; ".join(dict.fromkeys(reason for reason in reasons if reason))
    encoded = json.dumps([FORMAT, parts], sort_keys=True).encode()
    digest = hashlib.sha256(encoded).hexdigest()
    return StepKey(digest=digest, cacheable=not told, reason=told, parts=parts)


def with_verdict(key: StepKey, again: StepKey, committed: Committed) -> StepKey:
    """Return the key after the step has run: what its text does not show is not in it.

    ``again`` is the key as it is made now: files may have changed meanwhile.
    """
    reasons = [key.reason] if key.reason else []
    if again.digest != key.digest:
        reasons.append("a file that it reads changed while it ran")
    hidden = [each for each in committed.undeclared if each.startswith(NOT_IN_KEY)]
    if hidden:
        names = ", ".join(hidden)
        reasons.append(f"it used or changed {names}, which its text does not show")
    if committed.network and "it uses the network" not in key.reason:
        reasons.append("it uses the network")
    return msgspec.structs.replace(key, cacheable=not reasons, reason="; ".join(reasons))


def keyed(the_plan: Plan, keys: Sequence[StepKey]) -> Plan:
    """Return a plan whose steps have the keys of a run instead of those of their code."""
    steps = [
        msgspec.structs.replace(step, key=key.digest, cacheable=key.cacheable, reason=key.reason)
        for step, key in zip(the_plan.steps, keys, strict=True)
    ]
    return msgspec.structs.replace(the_plan, steps=steps)


def _inputs(spec: StepSpec, before: Before) -> dict[str, str]:
    """Return the digests of the units that the step will load; see ``restore.Values.load``."""
    texts = {name: each for each in spec.definitions for name in each.names}
    asked = {*spec.reads, *spec.optional, *texts}
    found: dict[str, str] = {}
    for name in before.needs_of(asked):
        version = before.values.get(name)
        if version is not None and before.comes_after(name, texts):
            others = ",".join(sorted(version.unit.names))
            found[name] = f"{version.unit.format} {version.unit.sha256} {others}"
        elif name in before.deleted:
            found[name] = "deleted"
    return found


def _state(spec: StepSpec, before: Before) -> dict[str, str]:
    """Return the digests of hidden state; random generators only where the step draws from them.

    Whether options and the like are read cannot be seen in the text, so all of them count.
    """
    return {
        key: digest
        for key, (_, digest, _) in before.state.items()
        if key in spec.state or not key.startswith("<rng:")
    }
