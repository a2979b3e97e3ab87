"""``python tools/deploy``, as deploy.sh: for a shell that runs no shell scripts (Windows: ``py tools/deploy``)."""

import sys
from pathlib import Path

# Python puts this folder first, where its own imports would not find the package tools.
sys.path[0] = str(Path(__file__).resolve().parents[2])

from tools.deploy.deploy import main  # noqa: E402

sys.exit(main())
