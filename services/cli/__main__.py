"""`python -m services.cli`."""

import sys

from services.cli import app

if __name__ == "__main__":
    sys.stdout.reconfigure(line_buffering=True)  # type: ignore[union-attr]  # a text stream it is
    app()
