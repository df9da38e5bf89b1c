"""How the command line shows what a registry holds."""

from __future__ import annotations

import sys
from typing import TYPE_CHECKING, Any

import msgspec

from jupyter_mlops.capture.models import DataVersion, FileVersion, Signature
from jupyter_mlops.report_data import shape_text
from jupyter_mlops.runtime.parameters import Parameter
from jupyter_mlops.show import bytes_text, parameter_text, say

if TYPE_CHECKING:
    from jupyter_mlops.catalog import Retention, Tagged
    from jupyter_mlops.image.fsck import Checked


def publications(found: dict[str, Any]) -> None:
    """Show every publication on a line."""
    for item in found["publications"]:
        tags = ", ".join(item.tags)
        state = "verified" if item.verified == "full" else f"verified: {item.verified}"
        several = f"  {', '.join(item.platforms)}" if len(item.platforms) > 1 else ""
        if any(capture["format"] == "pickle" for capture in item.captures):
            several += "  holds a pickle"
        size = bytes_text(item.size)
        say(f"{item.reference}  {tags}  {state}  {size}  {item.title}{several}")
    if not found["publications"] and found["query"]:
        print("No publication here is like that. See them all: jupyter mlops list REGISTRY")
    elif not found["publications"]:
        print("No publications here. Make one: jupyter mlops publish NOTEBOOK")


def _proven(image: dict[str, Any]) -> str:
    """Return what proves the image for a platform."""
    if image["verified"] == "elsewhere":
        return f"verified: elsewhere (run on {image['run_on']})"
    return f"verified: {image['verified']}" if image["verified"] else "NOT THERE"


def publication(found: dict[str, Any]) -> None:
    """Show one publication."""
    version = f"v{found['version']}  " if found["version"] else ""
    say(f"{found['title'] or found['name']}  {version}verified: {found['verified']}")
    for key in ("reference", "digest", "description", "python", "platform"):
        say(f"  {key:<12} {found[key]}")
    say(f"  {'tags':<12} {', '.join(found['tags'])}")
    for image in found["platforms"] if len(found["platforms"]) > 1 else []:
        say(f"  {image['platform']:<12} {image['digest']}  {_proven(image)}")
    for name in found["authors"]:
        say(f"  owner        {name}")
    for item in found["parameters"]:
        say(f"  parameter    {parameter_text(msgspec.convert(item, Parameter))}")
    for name, value in found["metrics"].items():
        say(f"  metric       {name} = {value:.6g}")
    for name, version in found["system_packages"].items():
        say(f"  system       {name} {version}")
    for item in found["captures"]:
        mark = "  PICKLE: loading it runs its code" if item["format"] == "pickle" else ""
        say(f"  capture      {item['name']}: {item['type']} ({bytes_text(item['size'])}){mark}")
    for item in found["data"]:
        say(f"  trained on   {_data(msgspec.convert(item, DataVersion))}")
    for item in found["files"]:
        say(f"  file         {_file(msgspec.convert(item, FileVersion))}")


def _data(version: DataVersion) -> str:
    used = f" by {', '.join(version.used_by)}" if version.used_by else ""
    digest = f"  {version.sha256[:16]}…" if version.sha256 else ""
    note = f"  {version.note}" if version.note else ""
    return f"{version.name}: {shape_text(version)}{used}{digest}{note}"


def _file(version: FileVersion) -> str:
    many = f" ({version.count} files)" if version.count > 1 else ""
    digest = f"  {version.sha256[:16]}…" if version.sha256 else ""
    place = "" if version.inside else "  (outside of the notebook's folder)"
    note = f"  {version.note}" if version.note else ""
    return f"{version.path}{many}: {bytes_text(version.size)}{digest}{place}{note}"


def signature(found: Signature) -> None:
    """Write a signature as a person edits it."""
    from jupyter_mlops.signatures import text

    sys.stdout.write(text(found))


def tagged(result: Tagged) -> None:
    """Show where a tag points now, and where it pointed before."""
    there = f"v{result.version}" if result.version else result.digest
    if result.previous == result.digest:
        print(f"{result.reference} points to {there} already")
        return
    print(f"{result.reference} points to {there} now")
    print(f"  digest     {result.digest}")
    if result.previous:
        version = f"v{result.previous_version}, " if result.previous_version else ""
        print(f"  before     {version}{result.previous}")


def retention(result: Retention) -> None:
    """Show what stays and what goes, each with its reason."""
    going = [item for item in result.publications if not item.stays]
    words = {True: "stays", False: "goes" if result.dry_run else "gone"}
    print(f"{result.repository}: {len(result.publications) - len(going)} stay, {len(going)} go")
    for item in result.publications:
        name = f"v{item.version}" if item.version else item.tags[0]
        print(f"  {name:<8} {words[item.stays]:<6} {item.why}")
    if result.dry_run and going:
        print("Nothing was removed: do it with --yes")
    elif going:
        freed = f", {bytes_text(result.freed)}" if result.freed else ""
        print(f"Removed {len(going)} with all that was attached to them{freed}")


def checked(found: Checked) -> None:
    """Show what a check of a registry directory found."""
    print(f"{found.directory} is whole: {found.tags} tags, {found.blobs} blobs, ", end="")
    print(bytes_text(found.size))
    if found.orphans:
        print(f"{len(found.orphans)} blobs belong to no tag, {bytes_text(found.orphaned)}")
    for path in found.leftovers:
        print(f"  left by a publish that was killed: {path}")
    for name in found.removed:
        print(f"  removed {name}")
