"""Arguments that several commands share: parameters, and what is locked."""

from __future__ import annotations

import argparse
from pathlib import Path
from typing import TYPE_CHECKING, Any

from jupyter_mlops.errors import UsageError

if TYPE_CHECKING:
    from jupyter_mlops.environment.options import LockOptions


def parameters(parser: argparse.ArgumentParser) -> None:
    """Let a command take parameters."""
    parser.add_argument(
        "-p",
        "--parameter",
        dest="parameters",
        action="append",
        default=[],
        metavar="NAME=VALUE",
        help="may be given several times; wins over the file",
    )
    parser.add_argument(
        "-f",
        "--parameters-file",
        type=Path,
        metavar="FILE",
        help="parameters as YAML or JSON: a mapping of names to values",
    )


def captures(parser: argparse.ArgumentParser) -> None:
    """Let a command take what is captured beyond what the service needs."""
    parser.add_argument(
        "--capture",
        dest="captures",
        action="append",
        default=[],
        metavar="NAME",
        help="a name to save, too, as %%mlops_capture in a cell; may be given several times",
    )
    parser.add_argument(
        "--from-kernel",
        nargs="?",
        const="auto",
        metavar="FILE|ID",
        help="save the objects of a kernel that runs now, instead of running the notebook: its "
        "connection file, its id, or nothing for the kernel of this notebook",
    )
    parser.add_argument(
        "--signature",
        type=Path,
        metavar="FILE",
        help="what the service accepts, narrowed by hand; by default NOTEBOOK.signature.json "
        "beside the notebook. Begin from: jupyter mlops signature REF > FILE",
    )
    parser.add_argument(
        "--ship-data",
        action="append",
        default=[],
        metavar="PATH|NAME",
        help="a file or folder beside the notebook, or a table, that goes into the image; may be "
        "given several times",
    )


def lock_options(parser: argparse.ArgumentParser, of: str = "the target's") -> None:
    """Let a command take what is locked, and for what; ``of`` explains its platforms."""
    parser.add_argument("--platform", action="append", default=[], metavar="linux/arm64", help=of)
    parser.add_argument("--python", default="", metavar="3.12", help="the target's")
    parser.add_argument(
        "--exclude-newer", default="", metavar="DATE", help="take nothing that is newer"
    )
    parser.add_argument(
        "--accelerator", default="cpu", metavar="cpu|cu124|index", help="PyTorch's variant"
    )
    parser.add_argument(
        "--pin",
        action="append",
        default=[],
        metavar="NAME==VERSION",
        help="another version than the kernel's; may be given several times",
    )
    parser.add_argument(
        "--add", action="append", default=[], metavar="REQUIREMENT", help="what nothing imports"
    )
    parser.add_argument(
        "--remove", action="append", default=[], metavar="NAME", help="what is not needed"
    )
    parser.add_argument(
        "--answer",
        dest="answers",
        action="append",
        default=[],
        metavar="MODULE=DISTRIBUTION",
        help="which distribution provides a module, where that is in question",
    )


def locking(options: argparse.Namespace) -> LockOptions:
    """Return how a command is asked to lock."""
    from jupyter_mlops.environment.options import LockOptions, pins

    if len(options.platform) > 1:
        raise UsageError("A lock is for one platform", remedy="Name one after the other")
    return LockOptions(
        platform="".join(options.platform),
        python=options.python,
        exclude_newer=options.exclude_newer,
        accelerator=options.accelerator,
        overrides=pins(options.pin),
        additions=options.add,
        removals=options.remove,
    )


def answers(options: argparse.Namespace) -> dict[str, str]:
    """Return the distributions that a person named for modules."""
    from jupyter_mlops.environment.options import answers as named

    return named(options.answers)


def given(options: argparse.Namespace) -> dict[str, Any]:
    """Return the parameters that a command was given, typed and as texts."""
    from jupyter_mlops.pipeline.parameters import given as read

    values, texts = read(options.parameters, options.parameters_file)
    return {"parameters": values, "texts": texts}
