"""scikit-learn estimators, by skops with our own list of trusted types."""

from __future__ import annotations

import io
import json
import sys
import warnings
import zipfile
from pathlib import Path
from typing import Any, ClassVar

from jupyter_mlops.capture import archive, code, embedded, inputs
from jupyter_mlops.capture.canonical import SCHEMA_NAME, canonical
from jupyter_mlops.capture.models import Kind, Signature
from jupyter_mlops.capture.nodes import mappings
from jupyter_mlops.capture.protocol import CannotLoad, CannotSave, Description, check_loads
from jupyter_mlops.capture.trees import check_trees
from jupyter_mlops.capture.trusted import OLDEST, for_version

_MAIN = f"{code.NOTEBOOK}."


class SklearnFormat:
    """A skops file: JSON and arrays in a zip, loaded only when every type in it is trusted."""

    name: ClassVar[str] = "skops"
    kind: ClassVar[Kind] = "estimator"
    extension: ClassVar[str] = "skops"

    def matches(self, value: Any) -> bool:
        """Match estimators of scikit-learn and those that are built like them."""
        if "sklearn.base" not in sys.modules:
            return False
        from sklearn.base import BaseEstimator

        if _is_bunch(value):
            return True
        if type(value) in (dict, list) and value:
            # Several models under one name: ``models[region]``.
            parts = value.values() if isinstance(value, dict) else value
            keys = value if isinstance(value, dict) else ()
            plain = all(isinstance(key, str | int) for key in keys)
            return plain and all(isinstance(each, BaseEstimator) for each in parts)
        return isinstance(value, BaseEstimator) and not isinstance(value, type)

    def save(self, value: Any, path: Path) -> None:
        """Write the estimator and check that it loads; a type that is not trusted is named."""
        members = _members(value)
        if not _trusted():
            raise CannotSave(
                f"Only models of scikit-learn {OLDEST[0]}.{OLDEST[1]} or newer are kept.",
                why="Nobody has looked at what older ones need to be trusted with.",
                remedy="Update scikit-learn in the kernel's environment.",
            )
        refused = [each for each in _untrusted(members) if not each.startswith(_MAIN)]
        if refused:
            raise CannotSave(
                f"It holds {', '.join(refused)}, which cannot be saved safely.",
                why="Only types that load without running code of the file are kept.",
                remedy="Do that part in a cell tagged `predict`, outside of the estimator.",
            )
        archive.write(path, members)
        check_loads(self, path)

    def load(self, path: Path) -> Any:
        """Read the estimator: sizes, types and tree nodes are checked on the way."""
        import skops.io
        from skops.io.exceptions import UntrustedTypesFoundException

        members = archive.read(path)
        embedded.check(members)
        buffer = io.BytesIO()
        # Only what was checked is given on: the file itself could change meanwhile.
        archive.write(buffer, members.items())
        buffer.seek(0)
        try:
            with warnings.catch_warnings(), code.in_main() as ours:
                warnings.simplefilter("ignore")
                value = skops.io.load(buffer, trusted=sorted({*_trusted(), *ours}))
        except CannotLoad:
            raise
        except UntrustedTypesFoundException as error:
            raise CannotLoad(str(error).splitlines()[0]) from None
        except Exception as error:
            # A file of an adversary or of another version fails in any way at all.
            raise CannotLoad(f"skops cannot read it: {type(error).__name__}: {error}") from None
        check_trees(value)
        return value

    def describe(self, value: Any) -> Description:
        """Tell the modules of every class in the estimator, and the classes of the notebook."""
        members = _members(value)
        schema = dict(members)[SCHEMA_NAME]
        modules = {"skops", "sklearn", *_modules(json.loads(schema))} - {code.NOTEBOOK}
        own = [each for each in _untrusted(members) if each.startswith(_MAIN)]
        width = getattr(value, "n_features_in_", None)
        return Description(
            shape=[int(width)] if isinstance(width, int) else None,
            modules=sorted(modules - {"builtins"}),
            classes=[each.replace(".", ":", 1) for each in own],
        )

    def signature(self, value: Any) -> Signature | None:
        """Tell the columns that the estimator was fitted on."""
        return inputs.known(value)


def _trusted() -> frozenset[str]:
    import sklearn

    return for_version(sklearn.__version__)


def _is_bunch(value: Any) -> bool:
    kind = type(value)
    return kind.__name__ == "Bunch" and kind.__module__.startswith("sklearn.")


def _members(value: Any) -> list[tuple[str, bytes]]:
    if _is_bunch(value):
        # What a data set comes with; its tables are not what a prediction needs.
        kept = {k: v for k, v in value.items() if not type(v).__module__.startswith("pandas")}
        value = type(value)(**kept)
    try:
        import skops.io
    except ImportError:
        raise CannotSave(
            "skops is not installed in this environment.",
            why="It is what saves scikit-learn estimators safely.",
            remedy="Add `skops` to the environment.",
        ) from None
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            data = skops.io.dumps(value)
    except RecursionError:
        raise CannotSave("It is nested too deeply.") from None
    except Exception as error:
        # skops raises whatever the __reduce__ or __getstate__ of a foreign class raises.
        raise CannotSave(f"skops cannot save it: {type(error).__name__}: {error}") from None
    with zipfile.ZipFile(io.BytesIO(data)) as file:
        return canonical({name: file.read(name) for name in dict.fromkeys(file.namelist())})


def _untrusted(members: list[tuple[str, bytes]]) -> list[str]:
    import skops.io

    buffer = io.BytesIO()
    archive.write(buffer, members)
    found = skops.io.get_untrusted_types(data=buffer.getvalue())
    return sorted(set(found) - _trusted())


def _modules(node: Any) -> set[str]:
    named = (each.get("__module__") for each in mappings(node))
    return {module.partition(".")[0] for module in named if isinstance(module, str)}
