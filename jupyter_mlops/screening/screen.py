"""Look at everything that would leave, and stop it where it holds a secret."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Iterator, Sequence

from jupyter_mlops.errors import Problem
from jupyter_mlops.screening.assigned import assigned
from jupyter_mlops.screening.finding import Finding, found
from jupyter_mlops.screening.places import Text
from jupyter_mlops.screening.tokens import tokens

_KEY_ENDS = "-----END"


def screen(texts: Iterable[Text]) -> list[Finding]:
    """Return the secrets in texts, each once a place, in the order of the places."""
    findings: dict[tuple[str, str], Finding] = {}
    for text in texts:
        for finding in sorted(_of(text), key=lambda finding: finding.line):
            findings.setdefault((finding.where, finding.fingerprint), finding)
    return list(findings.values())


def stopped(findings: Sequence[Finding], allowed: Collection[str]) -> list[Finding]:
    """Return those that nobody has allowed; ``allowed`` are fingerprints."""
    return [finding for finding in findings if finding.fingerprint not in allowed]


def problem(finding: Finding) -> Problem:
    """Return a finding as a sentence: it names the place and the kind, not the secret."""
    return Problem(
        problem=f"It holds what looks like a secret: {finding.kind} ({finding.shown})",
        why="Whoever can pull the image can read it",
        remedy="Take it from the environment where it is used (os.environ['NAME']), and have a new "
        "one issued: whoever had the notebook has this one",
        where=f"{finding.where}, line {finding.line}",
        fingerprint=finding.fingerprint,
    )


def _of(text: Text) -> Iterator[Finding]:
    """Yield what is in one text; what is a part of another secret of its line is not told again."""
    lines = text.text.splitlines()
    for number, line in enumerate(lines, 1):
        if not line:
            continue
        for kind, secret in _apart(tokens(line)):
            yield found(kind, _with_lines(secret, lines, number), text.where, number)
    for name, secret, number in assigned(text.tree) if text.tree is not None else ():
        line = lines[number - 1] if number <= len(lines) else ""
        if not any(secret in token or token in secret for _, token in tokens(line)):
            yield found(f"the text that is called '{name}'", secret, text.where, number)


def _with_lines(secret: str, lines: Sequence[str], number: int) -> str:
    """Return a secret with all that belongs to it: below a key's first line stands the key."""
    if not (secret.startswith("BEGIN ") and "PRIVATE KEY" in secret):
        return secret
    line = lines[number - 1]
    body = [line[line.find(secret) :]]
    for following in lines[number:]:
        if _KEY_ENDS in body[-1]:
            break
        body.append(following.strip())
    return "\n".join(body).partition(_KEY_ENDS)[0]


def _apart(secrets: Iterable[tuple[str, str]]) -> Iterator[tuple[str, str]]:
    told: list[str] = []
    for kind, secret in sorted(secrets, key=lambda pair: -len(pair[1])):
        if not any(secret in longer for longer in told):
            told.append(secret)
            yield kind, secret
