"""Logging as state: levels, and handlers that write to the standard streams."""

from __future__ import annotations

import logging
import sys
from typing import Any

from jupyter_mlops.runtime.handover.models import CannotCarry


def describe() -> Any:
    """Return the levels and handlers of all loggers that have any."""
    found: dict[str, Any] = {}
    loggers: dict[str, Any] = {"": logging.root, **logging.root.manager.loggerDict}
    for name, logger in list(loggers.items()):
        if not isinstance(logger, logging.Logger):
            continue
        handlers = [_handler(each) for each in logger.handlers if not _silent(each)]
        told = (logger.level, logger.disabled, logger.propagate, handlers)
        if told != (logging.NOTSET, False, True, []):
            found[name] = told
    return found, logging.root.manager.disable


def _silent(handler: logging.Handler) -> bool:
    return isinstance(handler, logging.NullHandler)


def _handler(handler: logging.Handler) -> Any:
    stream = getattr(handler, "stream", None)
    which = next((n for n in ("stderr", "stdout") if stream is getattr(sys, n)), None)
    form = handler.formatter
    if type(handler) is not logging.StreamHandler or which is None or handler.filters:
        return "?", type(handler).__name__, id(handler)
    if form is not None and type(form) is not logging.Formatter:
        return "?", type(form).__name__, id(handler)
    told = None if form is None else (form._style._fmt, form.datefmt)
    return which, handler.level, told


def check(before: Any, after: Any) -> None:
    """Raise ``CannotCarry`` for handlers that are new and cannot be made again elsewhere."""
    known = [each for told in before[0].values() for each in told[3]] if before else []
    for name, told in after[0].items():
        for each in told[3]:
            if each[0] == "?" and each not in known:
                logger = f"the logger {name}" if name else "the root logger"
                raise CannotCarry(f"A {each[1]} of {logger} cannot be handed over.")


def put(value: Any) -> None:
    """Set levels and handlers as they were; other handlers stay."""
    loggers, disable = value
    logging.disable(disable)
    for name, (level, disabled, propagate, handlers) in loggers.items():
        logger = logging.getLogger(name) if name else logging.root
        logger.setLevel(level)
        logger.disabled = disabled
        logger.propagate = propagate
        here = [_handler(each) for each in logger.handlers]
        for each in handlers:
            if each[0] != "?" and each not in here:
                logger.addHandler(_make(*each))


def _make(which: str, level: int, form: tuple[str, str | None] | None) -> logging.Handler:
    made = logging.StreamHandler(getattr(sys, which))
    made.setLevel(level)
    if form is not None:
        made.setFormatter(logging.Formatter(*form))
    return made
