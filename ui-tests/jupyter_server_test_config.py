"""Configuration of the server that the browser tests talk to.

Never use it elsewhere: it opens the server to whoever reaches the port.
"""

import os
import tempfile

from jupyterlab.galata import configure_jupyter_server

configure_jupyter_server(c)  # noqa: F821

c.ServerApp.ip = "127.0.0.1"  # noqa: F821
c.ServerApp.port = int(os.environ.get("MLOPS_UI_PORT", "8888"))  # noqa: F821
# A state of its own: the tests neither see nor touch what the user published.
if "JUPYTER_MLOPS_HOME" not in os.environ:
    os.environ["JUPYTER_MLOPS_HOME"] = tempfile.mkdtemp(prefix="mlops-ui-tests-")
os.environ["JUPYTER_MLOPS_AUDIT"] = "none"  # nobody outside is asked
