"""Models of other libraries inside of a skops file, such as a step of a pipeline.

They are bytes or texts that those libraries open in their own native code, so the trees in them
are looked at before.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping
from typing import Any

from jupyter_mlops.capture import lightgbm_trees, xgboost_trees
from jupyter_mlops.capture.canonical import SCHEMA_NAME
from jupyter_mlops.capture.nodes import mappings
from jupyter_mlops.capture.protocol import CannotLoad

#: Where a booster keeps its model, and what looks at it.
_KEPT: dict[tuple[str, str], tuple[str, Callable[[Any], None]]] = {
    ("xgboost.core", "Booster"): ("handle", lambda found: xgboost_trees.check(bytes(found))),
    ("lightgbm.basic", "Booster"): ("_handle", lambda found: lightgbm_trees.check(str(found))),
}


def check(members: Mapping[str, bytes]) -> None:
    """Check every booster in the members of a skops file; raises ``CannotLoad``."""
    try:
        schema = json.loads(members[SCHEMA_NAME])
        for node in mappings(schema):
            kept = _KEPT.get((str(node.get("__module__")), str(node.get("__class__"))))
            if kept is not None and node.get("__loader__") != "TypeNode":
                attribute, look = kept
                look(_content(node, attribute, members))
    except (KeyError, TypeError, ValueError, RecursionError) as error:
        if isinstance(error, CannotLoad):
            raise
        raise CannotLoad(f"The schema cannot be read: {error!r}.") from None


def _content(node: dict[str, Any], attribute: str, members: Mapping[str, bytes]) -> Any:
    kept = node["content"]["content"][attribute]
    if "file" in kept:
        return members[kept["file"]]
    return json.loads(kept["content"])
