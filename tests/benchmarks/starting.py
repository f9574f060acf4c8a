"""How long `sluiceway serve` takes until it is ready, and `sluiceway --help`.

    python -m tests.benchmarks.starting --schemas FOLDER [FOLDER...] --streams FILE

Without arguments it starts with 400 schemas and streams of its own. The disk is warm after the
first start, which is not shown.
"""

import argparse
import statistics
import subprocess
import sys
import tempfile
import time
import urllib.request
from pathlib import Path

import yaml

from tests.benchmarks.events import write_house
from tests.benchmarks.serving import free_port

COPIES = 399
SLUICEWAY = Path(sys.executable).parent / "sluiceway"


def settings_of(folder: Path, schemas: list[str], streams: str | None) -> Path:
    """Write settings with the given schemas and streams, or with our own; return their path."""
    if not schemas:
        return write_house(folder, copies=COPIES)
    path = folder / "settings.yaml"
    made = {
        "schemas": {"base_uris": schemas},
        "streams": {"uri": streams},
        "sink": {"type": "memory"},
    }
    path.write_text(yaml.safe_dump(made))
    return path


def until_ready(config: Path) -> float:
    """Return the seconds from the start of a service until it is ready, and end it."""
    port = free_port()
    begun = time.perf_counter()
    child = subprocess.Popen(
        [SLUICEWAY, "serve", "--config", str(config), "--port", str(port)],
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
    )
    try:
        while not _is_ready(port):
            if child.poll() is not None:
                raise RuntimeError(f"the service ended with {child.returncode}")
            time.sleep(0.005)
        return time.perf_counter() - begun
    finally:
        child.terminate()
        child.wait(15)


def _is_ready(port: int) -> bool:
    try:
        with urllib.request.urlopen(f"http://127.0.0.1:{port}/readyz", timeout=5):
            return True
    except OSError:  # an HTTPError, too: it says that it is not ready
        return False


def until_helped() -> float:
    """Return the seconds that `sluiceway --help` takes."""
    begun = time.perf_counter()
    subprocess.run([SLUICEWAY, "--help"], check=True, capture_output=True)
    return time.perf_counter() - begun


def main() -> None:
    """Measure, and print a table."""
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    parser.add_argument("--schemas", nargs="+", default=[], help="folders of schemas")
    parser.add_argument("--streams", help="a file of stream configs")
    parser.add_argument("--times", type=int, default=7)
    args = parser.parse_args()
    if bool(args.schemas) != bool(args.streams):
        parser.error("--schemas and --streams go together")
    with tempfile.TemporaryDirectory() as name:
        config = settings_of(Path(name), args.schemas, args.streams)
        ready = [until_ready(config) for _ in range(args.times + 1)][1:]
    helped = [until_helped() for _ in range(args.times + 1)][1:]
    print("| | least | median | most |\n|---|---|---|---|")
    for what, seconds in (("ready, s", ready), ("--help, s", helped)):
        print(f"| {what} | {min(seconds):.2f} | {statistics.median(seconds):.2f} ", end="")
        print(f"| {max(seconds):.2f} |")


if __name__ == "__main__":
    main()
