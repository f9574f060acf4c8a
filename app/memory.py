"""Memory: what stays is left alone by the garbage collector, what was freed goes to the system."""

import ctypes
import gc
import sys
import threading
import time

GC_THRESHOLD = (10_000, 20, 20)
GIVE_BACK_EVERY = 20.0
"""Seconds between two looks for memory that nobody uses any more."""


def settle() -> None:
    """Tell the garbage collector that what is there now will stay, and to look less often.

    Going through all modules and schemas again and again took a fifth of the time of large batches.
    """
    gc.collect()
    gc.freeze()
    gc.set_threshold(*GC_THRESHOLD)


def keep_giving_back(every: float = GIVE_BACK_EVERY) -> None:
    """Give freed memory back to the system now and then, from a thread that ends with the process.

    The C library of Linux keeps what lies between things still in use. After bodies of megabytes,
    or an outage that filled the spool, that was a third of all memory, for good.
    """
    # Other systems, and other C libraries of Linux, have no such call.
    trim = getattr(ctypes.CDLL(None), "malloc_trim", None) if sys.platform == "linux" else None
    if trim is None:
        return

    def give_back() -> None:
        while True:
            time.sleep(every)
            trim(0)  # without the interpreter's lock; a few milliseconds

    threading.Thread(target=give_back, name="memory", daemon=True).start()
