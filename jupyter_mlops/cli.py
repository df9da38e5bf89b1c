"""``jupyter mlops``: a thin skin over the same functions that Lab and the magics call."""

from __future__ import annotations

import argparse
import functools
import json
import sys
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

import msgspec

from jupyter_mlops import arguments, cli_catalog, show
from jupyter_mlops.errors import AttestationError, AuditError, MlopsError, UsageError

INTERRUPTED = 130
INTERNAL = 70


def main(arguments: Sequence[str] | None = None) -> int:
    """Run one command and return its exit code (see ``errors`` for what each means)."""
    options = _parser().parse_args(arguments)
    try:
        result = options.command(options)
    except MlopsError as error:
        show.problems(error, as_json=options.json)
        return error.exit_code
    except KeyboardInterrupt:
        print("Interrupted; nothing was tagged.", file=sys.stderr)
        return INTERRUPTED
    if options.json:
        sys.stdout.write(json.dumps(msgspec.to_builtins(result)) + "\n")
    else:
        options.show(result)
    return options.code(result) if "code" in options else 0


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(
        prog="jupyter mlops", description="From the notebook to production, in one command."
    )
    commands = parser.add_subparsers(required=True, metavar="COMMAND")
    for add in (_add_reading, _add_publish, _add_vouching, _add_running, _add_services):
        add(commands)
    cli_catalog.add(functools.partial(_command, commands))
    return parser


def _add_reading(commands: Any) -> None:
    """Add what reads a notebook and publishes nothing."""
    analyze = _command(commands, "analyze", _analyze, show.analysis, "say what a notebook needs")
    analyze.add_argument("notebook", type=Path, metavar="NOTEBOOK")

    lock = _command(commands, "lock", _lock, show.locked, "write a notebook's pylock.toml")
    lock.add_argument("notebook", type=Path, metavar="NOTEBOOK")
    lock.add_argument("-o", "--output", type=Path, metavar="pylock.toml")
    arguments.lock_options(lock)

    about = _command(
        commands, "environment", _environment, show.environment, "say what it runs on, and why"
    )
    about.add_argument("notebook", type=Path, metavar="NOTEBOOK")
    about.add_argument(
        "--system", action="store_true", help="install it, and name what the base image lacks"
    )
    about.add_argument("--base", metavar="IMAGE", help="base image: auto, a reference, oci:DIR")
    arguments.lock_options(about)

    export = _command(commands, "export", _export, show.exported, "write a notebook's steps")
    export.add_argument("notebook", type=Path, metavar="NOTEBOOK")
    export.add_argument("-o", "--output", type=Path, required=True, metavar="FOLDER|OUT.py")
    export.add_argument("--split", choices=["auto", "headings", "cells", "none"], default="auto")

    sliced = _command(commands, "slice", _slice, show.sliced, "show the cells that names need")
    sliced.add_argument("notebook", type=Path, metavar="NOTEBOOK")
    sliced.add_argument("names", nargs="+", metavar="NAME")
    sliced.add_argument("-o", "--output", type=Path, metavar="OUT.ipynb|OUT.py")


def _add_publish(commands: Any) -> None:
    publish = _command(commands, "publish", _publish, show.published, "publish a notebook")
    publish.add_argument("notebook", type=Path, metavar="NOTEBOOK")
    publish.add_argument(
        "target", nargs="?", help="registry/repository[:tag] or oci:DIRECTORY[:[name:]tag]"
    )
    publish.add_argument("--verify", choices=["full", "none"], default="full")
    publish.add_argument("--model", metavar="NAME", help="which fitted model answers")
    publish.add_argument("--predict", metavar="NAME", help="which function answers")
    arguments.captures(publish)
    publish.add_argument("--base", metavar="IMAGE", help="base image: auto, a reference, oci:DIR")
    publish.add_argument(
        "--system-packages",
        choices=["auto", "ask", "none"],
        default="ask",
        help="Debian packages that the base lacks: add them, stop and name them, do not look",
    )
    publish.add_argument(
        "--allow-secret",
        dest="allowed_secrets",
        action="append",
        default=[],
        metavar="FINGERPRINT",
        help="what looks like a secret and is none; may be given several times",
    )
    publish.add_argument(
        "--allow-pickle",
        action="store_true",
        help="pickle what has no safe format; whoever loads a pickle runs the code in it",
    )
    publish.add_argument(
        "--onnx",
        action="store_true",
        help="let ONNX Runtime answer where it agrees with the model (adds its packages)",
    )
    publish.add_argument(
        "--compression",
        choices=["gzip", "zstd"],
        default="gzip",
        help="of the layers: every engine reads gzip, Docker only from 23 on the smaller zstd",
    )
    publish.add_argument(
        "--audit",
        choices=["tell", "refuse", "none"],
        help="known vulnerabilities of the packages: say them (the default), publish only what is "
        "clean, ask nobody",
    )
    publish.add_argument(
        "--key", type=Path, metavar="PRIVATE", help="sign it with this key (PEM, ECDSA P-256)"
    )
    arguments.lock_options(publish, "of an image; several, with the kernel's own, make an index")
    arguments.parameters(publish)


def _add_vouching(commands: Any) -> None:
    """Add what says whether a publication can be trusted."""
    audit = _command(
        commands,
        "audit",
        _audit,
        show.audited,
        "say what is known of its packages' vulnerabilities",
    )
    audit.add_argument("subject", metavar="NOTEBOOK|REF")
    audit.set_defaults(code=lambda audit: 0 if audit.state == "clean" else AuditError.exit_code)

    sign = _command(commands, "sign", _sign, show.signed, "sign an image that is in a registry")
    sign.add_argument("reference", metavar="REF")
    sign.add_argument("--key", type=Path, required=True, metavar="PRIVATE")

    verify = _command(
        commands, "verify", _verify, show.verification, "say whether an image is what a key signed"
    )
    verify.add_argument("reference", metavar="REF")
    verify.add_argument("--key", type=Path, required=True, metavar="PUBLIC")
    verify.set_defaults(code=lambda result: 0 if result.ok else AttestationError.exit_code)


def _add_running(commands: Any) -> None:
    """Add what runs a publication, or a notebook, once."""
    run = _command(commands, "run", _run, show.run, "run a publication or a notebook again")
    run.add_argument("subject", metavar="REF|NOTEBOOK")
    run.add_argument("-o", "--output", type=Path, metavar="OUT.ipynb")
    run.add_argument(
        "--split",
        choices=["auto", "headings", "cells", "none"],
        default="none",
        help="run a notebook in steps, each in a process of its own",
    )
    arguments.parameters(run)

    predict = _command(commands, "predict", _predict, show.predicted, "predict the rows of a file")
    predict.add_argument("reference", metavar="REF")
    predict.add_argument(
        "-i", "--input", type=Path, required=True, metavar="FILE", help=".csv, .jsonl or .parquet"
    )
    predict.add_argument("-o", "--output", type=Path, required=True, metavar="FILE")
    predict.add_argument("--overwrite", action="store_true", help="replace the output")
    predict.add_argument(
        "--block-rows", type=int, default=10_000, metavar="N", help="in memory at once; 0 for all"
    )


def _add_services(commands: Any) -> None:
    """Add what serves a publication, and what frees the space that it took."""
    serve = _command(commands, "serve", _serve, show.service, "serve a publication over HTTP")
    serve.add_argument("reference", metavar="REF")
    serve.add_argument("--with", dest="with_", choices=["process", "docker"], default="process")
    serve.add_argument("--port", type=int)
    serve.add_argument("--foreground", action="store_true", help="stay in this terminal")

    stop = _command(commands, "stop", _stop, show.service, "stop a service")
    stop.add_argument("service", metavar="ID")
    logs = _command(commands, "logs", _logs, show.service_log, "show what a service says")
    logs.add_argument("service", metavar="ID")
    logs.add_argument("--lines", type=int, default=100, metavar="N", help="how many of the last")
    _command(commands, "services", _services, show.services, "list the running services")

    prune = _command(commands, "prune", _prune, show.pruned, "free space that nobody uses")
    prune.add_argument("--keep", type=int, metavar="N", help="how many environments stay at most")
    prune.add_argument(
        "--layers", type=int, metavar="GB", help="how many GB of layers stay at most"
    )


def _command(
    commands: Any,
    name: str,
    run: Callable[[argparse.Namespace], Any],
    shown: Callable[[Any], None],
    text: str,
) -> argparse.ArgumentParser:
    parser: argparse.ArgumentParser = commands.add_parser(name, help=text, description=text)
    parser.add_argument("--json", action="store_true", help="one JSON object on standard output")
    parser.set_defaults(command=run, show=shown)
    return parser


def _analyze(options: argparse.Namespace) -> Any:
    from jupyter_mlops.analyze import analyze

    return analyze(options.notebook)


def _lock(options: argparse.Namespace) -> Any:
    from jupyter_mlops.locking import lock_notebook

    with show.progress() as on_event:
        return lock_notebook(
            options.notebook,
            options.output,
            arguments.locking(options),
            answers=arguments.answers(options),
            on_event=on_event,
        )


def _environment(options: argparse.Namespace) -> Any:
    from jupyter_mlops.locking import describe_environment

    return describe_environment(
        options.notebook,
        arguments.locking(options),
        answers=arguments.answers(options),
        system=options.system,
        base=options.base,
    )


def _prune(options: argparse.Namespace) -> Any:
    from jupyter_mlops.prune import prune

    chosen = {} if options.keep is None else {"keep": options.keep}
    if options.layers is not None:
        chosen["at_most"] = options.layers << 30
    return prune(**chosen)


def _publish(options: argparse.Namespace) -> Any:
    from jupyter_mlops.publish import publish

    platforms, options.platform = options.platform, []
    with show.progress() as on_event:
        return publish(
            options.notebook,
            options.target,
            **arguments.given(options),
            verify=options.verify,
            model=options.model,
            predict=options.predict,
            captures=options.captures,
            from_kernel=options.from_kernel,
            signature=options.signature,
            ship_data=options.ship_data,
            base=options.base,
            system_packages=options.system_packages,
            environment=arguments.locking(options),
            answers=arguments.answers(options),
            allowed_secrets=options.allowed_secrets,
            compression=options.compression,
            audit=options.audit,
            key=options.key,
            platforms=platforms,
            allow_pickle=options.allow_pickle,
            onnx=options.onnx,
            on_event=on_event,
        )


def _audit(options: argparse.Namespace) -> Any:
    from jupyter_mlops.audits import audit

    with show.progress() as on_event:
        return audit(options.subject, on_event=on_event)


def _sign(options: argparse.Namespace) -> Any:
    from jupyter_mlops.sign import sign

    return sign(options.reference, options.key)


def _verify(options: argparse.Namespace) -> Any:
    from jupyter_mlops.verify import verify

    return verify(options.reference, options.key)


def _run(options: argparse.Namespace) -> Any:
    from jupyter_mlops.rerun import rerun

    with show.progress() as on_event:
        return rerun(
            options.subject,
            output=options.output,
            split=options.split,
            on_event=on_event,
            **arguments.given(options),
        )


def _predict(options: argparse.Namespace) -> Any:
    from jupyter_mlops.predict import predict

    with show.progress() as on_event:
        return predict(
            options.reference,
            options.input,
            options.output,
            overwrite=options.overwrite,
            block=max(0, options.block_rows),
            on_event=on_event,
        )


def _export(options: argparse.Namespace) -> Any:
    from jupyter_mlops.exports import export_steps

    return export_steps(options.notebook, options.output, options.split)


def _slice(options: argparse.Namespace) -> Any:
    from jupyter_mlops.exports import slice_names

    return slice_names(options.notebook, options.names, options.output)


def _serve(options: argparse.Namespace) -> Any:
    from jupyter_mlops import serve

    if options.foreground and options.with_ == "docker":
        raise UsageError("A container does not run in the foreground", remedy="Leave one out")
    with show.progress() as on_event:
        if options.foreground:
            serve.foreground(options.reference, port=options.port, on_event=on_event)
        return serve.serve(
            options.reference, with_=options.with_, port=options.port, on_event=on_event
        )


def _stop(options: argparse.Namespace) -> Any:
    from jupyter_mlops.serve import stop_service

    return stop_service(options.service)


def _logs(options: argparse.Namespace) -> Any:
    from jupyter_mlops.serve import service_log

    return service_log(options.service, options.lines)


def _services(options: argparse.Namespace) -> Any:
    from jupyter_mlops.serve import list_services

    return {"services": list_services()}


if __name__ == "__main__":
    sys.exit(main())
