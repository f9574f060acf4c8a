"""Sluiceway: an event stream intake service."""

import sys

__version__ = "0.1.0"

# httpx brings the modules of its command line along where it finds what they need: 3 MiB and some
# 50 ms of every worker's start. It takes their absence as it comes.
sys.modules.setdefault("httpx._main", None)  # type: ignore[arg-type]
