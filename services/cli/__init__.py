"""The `taizhang` command: run the product, play the demo, look after it, prove it.

Exit codes: 0 good, 1 found something wrong, 2 cannot run.
"""

from services.cli import ask, measure, operate, pack, prove, replay
from services.cli.base import app

__all__ = ["app", "ask", "measure", "operate", "pack", "prove", "replay"]
