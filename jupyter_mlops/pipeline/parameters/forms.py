"""How a value that travels as JSON becomes what the notebook works with.

Papermill writes numbers, texts, flags, lists and mappings; of a date, a path, a tuple or a
member of an ``Enum`` it would make a text. A form is the way back, as readable Python.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, Literal

Container = Literal["", "list", "tuple", "set", "frozenset", "dict"]


@dataclass(frozen=True)
class Form:
    """How one value is made again.

    Of a single value, ``convert`` and ``write`` are Python with ``{}`` for the value:
    ``date.fromisoformat({})``; ``write`` is what a person would write, with ``{}`` for the bare
    text (``Mode.{}``). ``needed`` is the condition under which it is still to be converted,
    empty where converting twice does no harm. A container has the form of its items ``inside``,
    and a mapping may have whole numbers as keys.
    """

    convert: str = ""
    needed: str = ""
    write: str = ""
    container: Container = ""
    inside: Form | None = None
    int_keys: bool = False

    def statement(self, name: str, nullable: bool) -> str:
        """Return the lines that turn the value under ``name`` into what it should be."""
        line = f"{name} = {self._converted(name)}"
        condition = self.needed.replace("{}", name)
        if nullable and not condition.startswith("isinstance"):
            condition = " and ".join(filter(None, [f"{name} is not None", condition]))
        return f"if {condition}:\n    {line}" if condition else line

    def literal(self, value: Any) -> str:
        """Return the JSON ``value`` as a person would write it in the notebook."""
        if value is None:
            return "None"
        if not self.container:
            if self.write and isinstance(value, str):
                return self.write.replace("{}", value)
            return self.convert.replace("{}", repr(value))
        if self.container == "dict":
            keys = [key if self.int_keys else repr(key) for key in value]
            items = [self._inner(item) for item in value.values()]
            return "{" + ", ".join(f"{k}: {v}" for k, v in zip(keys, items, strict=True)) + "}"
        return self._sequence([self._inner(item) for item in value])

    def _inner(self, item: Any) -> str:
        return self.inside.literal(item) if self.inside else repr(item)

    def _sequence(self, items: list[str]) -> str:
        text = ", ".join(items)
        if self.container == "list":
            return f"[{text}]"
        if self.container == "tuple":
            return f"({text},)" if len(items) == 1 else f"({text})"
        if self.container == "set" and items:
            return f"{{{text}}}"
        return f"{self.container}([{text}])" if items else f"{self.container}()"

    def _converted(self, value: str) -> str:
        """Return the expression that converts the expression ``value``."""
        if not self.container:
            return self.convert.replace("{}", value)
        if self.container == "dict":
            key = "int(key)" if self.int_keys else "key"
            return f"{{{key}: {self._item()} for key, item in {value}.items()}}"
        if self.inside is None:
            return f"{self.container}({value})"
        if self.container == "list":
            return f"[{self._item()} for item in {value}]"
        return f"{self.container}({self._item()} for item in {value})"

    def _item(self) -> str:
        if self.inside is None:
            return "item"
        text = self.inside._converted("item")
        if not self.inside.needed:
            return text
        return f"{text} if {self.inside.needed.replace('{}', 'item')} else item"


IS_TEXT = "isinstance({}, str)"


def by_call(callee: str) -> Form:
    """Return the form of what a call of one text makes: ``Path('a')``."""
    return Form(convert=f"{callee}({{}})", needed=IS_TEXT)


def by_member(enum: str) -> Form:
    """Return the form of a member of an ``Enum``; a member may be a text itself."""
    return Form(
        convert=f"{enum}[{{}}]", needed=f"not isinstance({{}}, {enum})", write=f"{enum}.{{}}"
    )


def contained(container: Container, inside: Form | None, int_keys: bool = False) -> Form | None:
    """Return the form of a container, or None where JSON's own list or mapping is it."""
    if container in ("list", "dict") and inside is None and not int_keys:
        return None
    # A set that is made again may have another order.
    needed = f"not isinstance({{}}, {container})" if "set" in container and not inside else ""
    return Form(needed=needed, container=container, inside=inside, int_keys=int_keys)
