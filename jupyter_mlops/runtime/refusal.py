"""A body that cannot be predicted."""

from __future__ import annotations

MAX_PROBLEMS = 20


class BadRequest(ValueError):
    """Tells the caller all problems of a body, and none of its data."""

    def __init__(self, problems: list[str], status: int = 400) -> None:
        self.status = status
        shown = problems[:MAX_PROBLEMS]
        if len(problems) > len(shown):
            shown.append(f"There are {len(problems) - len(shown)} more problems.")
        super().__init__(" ".join(shown))
