"""The commands that look after a registry: list, show, tag, retain, delete, fsck."""

from __future__ import annotations

import argparse
from typing import Any, Protocol

from jupyter_mlops import show_catalog as show


class Command(Protocol):
    """Adds a command: its name, what it does, what shows the result, and its help."""

    def __call__(self, name: str, run: Any, shown: Any, text: str, /) -> argparse.ArgumentParser:
        """Return the parser of the command's own arguments."""
        ...


def add(command: Command) -> None:
    """Add the commands."""
    listed = command("list", _list, show.publications, "list a registry's publications")
    listed.add_argument("registry", nargs="?", metavar="REGISTRY")
    listed.add_argument(
        "--search", default="", metavar="TEXT", help="words in name, title or description"
    )
    listed.add_argument(
        "--parameter",
        dest="parameters",
        action="append",
        default=[],
        metavar="NAME[=VALUE]",
        help="that has this parameter, with this default; may be given several times",
    )
    listed.add_argument(
        "--metric",
        dest="metrics",
        action="append",
        default=[],
        metavar="'NAME>=NUMBER'",
        help="also <=, >, <, =, != or the name alone; may be given several times",
    )
    listed.add_argument("--owner", default="", metavar="NAME", help="one of the notebook's authors")

    one = command("show", _show, show.publication, "describe one publication")
    one.add_argument("reference", metavar="REF")

    accepted = command("signature", _signature, show.signature, "write what a service accepts")
    accepted.add_argument("reference", metavar="REF|NOTEBOOK")

    tagged = command("tag", _tag, show.tagged, "point a tag that moves to a version")
    tagged.add_argument("reference", metavar="REF")
    tagged.add_argument("name", metavar="TAG", help="champion, for example")

    kept = command("retain", _retain, show.retention, "remove old versions; says first which")
    kept.add_argument("repository", metavar="REPOSITORY")
    kept.add_argument(
        "--keep", type=int, required=True, metavar="N", help="how many of the newest stay"
    )
    kept.add_argument(
        "--keep-days", type=int, default=0, metavar="DAYS", help="those that are younger stay, too"
    )
    kept.add_argument("--yes", action="store_true", help="remove them")

    gone = command("delete", _delete, show.retention, "delete one version, or a tag that moves")
    gone.add_argument("reference", metavar="REF")
    gone.add_argument("--yes", action="store_true", help="delete it")

    checked = command("fsck", _fsck, show.checked, "check a registry directory")
    checked.add_argument("registry", nargs="?", metavar="oci:DIRECTORY")
    checked.add_argument(
        "--repair", action="store_true", help="remove damaged blobs: the next publish stores them"
    )


def _list(options: argparse.Namespace) -> Any:
    from jupyter_mlops.catalog import list_publications
    from jupyter_mlops.registry.search import Query

    query = Query(
        search=options.search,
        parameters=options.parameters,
        metrics=options.metrics,
        owner=options.owner,
    )
    found = list_publications(options.registry, query)
    return {"publications": found, "query": query}


def _show(options: argparse.Namespace) -> Any:
    from jupyter_mlops.catalog import describe

    return describe(options.reference)


def _signature(options: argparse.Namespace) -> Any:
    from jupyter_mlops.catalog import signature

    return signature(options.reference)


def _tag(options: argparse.Namespace) -> Any:
    from jupyter_mlops.catalog import tag

    return tag(options.reference, options.name)


def _retain(options: argparse.Namespace) -> Any:
    from jupyter_mlops.catalog import retain
    from jupyter_mlops.registry.retention import Rule

    rule = Rule(keep=options.keep, keep_days=options.keep_days)
    return retain(options.repository, rule, dry_run=not options.yes)


def _delete(options: argparse.Namespace) -> Any:
    from jupyter_mlops.catalog import delete

    return delete(options.reference, dry_run=not options.yes)


def _fsck(options: argparse.Namespace) -> Any:
    from jupyter_mlops.catalog import check

    return check(options.registry, repair=options.repair)
