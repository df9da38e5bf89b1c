"""Find out what a notebook's star imports bind: beside it from the text, else from its kernel."""

from __future__ import annotations

import dataclasses
import sys
from collections.abc import Callable, Mapping

from jupyter_mlops.environment import kernel as kernels
from jupyter_mlops.environment import stars as kept
from jupyter_mlops.environment.kernel import Kernel
from jupyter_mlops.errors import LockError
from jupyter_mlops.notebook import Notebook
from jupyter_mlops.pipeline import local_modules, stars
from jupyter_mlops.pipeline.effects.magics import star_names

Names = Mapping[str, str]


def resolve(
    notebook: Notebook, note: Callable[[str], None] | None = None, *, ask: bool = True
) -> Notebook:
    """Return the notebook with what its star imports bind (``Notebook.stars``).

    ``note`` is told of each module for which it cannot be found out; its star import is then
    taken to bind anything. Without ``ask`` no process is started: only earlier answers count.
    """
    modules = stars.modules(notebook.cells)
    if not modules:
        return notebook
    found = _Search(notebook, ask)
    known = {module: found.of(module) for module in modules}
    for module in modules:
        if known[module] is None and note is not None:
            why = found.problems.get(module, "nobody says what it binds")
            note(f"from {module} import * may bind any name: {why}")
    return dataclasses.replace(
        notebook, stars={module: names for module, names in known.items() if names is not None}
    )


class _Search:
    """Looks for modules beside the notebook, then in its kernel."""

    def __init__(self, notebook: Notebook, ask: bool) -> None:
        self._folder = notebook.path.parent
        self._ask = ask
        self._known: dict[str, Names | None] = {}
        self.problems: dict[str, str] = {}
        self._kernel: Kernel | None = None
        try:
            self._kernel = kernels.find(notebook.kernel_name, notebook.path.name)
        except LockError as error:
            self._why = error.problems[0].problem

    def of(self, module: str) -> Names | None:
        """Return what a star import of a module binds, if that can be told."""
        if module not in self._known:
            self._known[module] = None  # modules that import each other are not followed
            self._known[module] = self._find(module)
        return self._known[module]

    def _find(self, module: str) -> Names | None:
        if local_modules.path_of(self._folder, module) is not None:
            try:
                return local_modules.star_names(self._folder, module, self.of)
            except local_modules.NotTold as error:
                self.problems[module] = str(error)
                return None
        ours = star_names(module)
        if ours is not None and self._is_this_python():
            return stars.homes(module, dict.fromkeys(ours, ()))
        if self._kernel is None:
            self.problems[module] = self._why
            return None
        try:
            asked = kept.ask if self._ask else kept.remembered
            names = asked(self._kernel, module)
        except kept.NoAnswer as error:
            self.problems[module] = str(error)
            return None
        return None if names is None else stars.homes(module, names)

    def _is_this_python(self) -> bool:
        return self._kernel is None or self._kernel.executable == sys.executable
