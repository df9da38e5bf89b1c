"""Follow a live kernel's journal: ``python -m jupyter_mlops.tracking JOURNAL --name NAME``."""

import sys

from jupyter_mlops.tracking.live import main

if __name__ == "__main__":
    sys.exit(main())
