"""pipreqs: its whole command but for the start; without an index it asks what is installed only.

Where ``imports`` stands for the index, it only reads the imports: a part of it that needs to have
done the whole before.
"""

from __future__ import annotations

from docopt import docopt
from pipreqs import pipreqs
from serve import serve_inference


def infer(folder: str, output: str, index: str) -> None:
    if index == "imports":
        pipreqs.get_all_imports(folder)
        return
    mode = ["--pypi-server", f"{index}/pypi/"] if index else ["--use-local"]
    words = ["--scan-notebooks", *mode, "--savepath", output, folder]
    pipreqs.init(docopt(pipreqs.__doc__, argv=words))


serve_inference(infer)
