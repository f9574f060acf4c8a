"""Fuzzes the decoders for a while: `make fuzz ARGS="json --seconds 60"`.

What makes a target raise is kept in `.fuzz/TARGET/crashes`, one file each, and tried again with
`--replay FILE`. Once mended, the file belongs into `tests/fuzz/found/TARGET`.
"""

import argparse
import importlib.util
import re
import subprocess
import sys
import time
import traceback
from hashlib import sha256
from pathlib import Path

from tests.fuzz.mutation import mutations
from tests.fuzz.target import Target
from tests.fuzz.targets.all import TARGETS

ROOT = Path(__file__).parents[2]
MAX_LENGTH = 4_096
SLOWEST = 10
"""Seconds that one input may take."""
GRACE = 60


def main() -> int:
    """Fuzz the targets that were named, one after the other; return 1 if any of them failed."""
    parser = argparse.ArgumentParser(prog="make fuzz", description=__doc__)
    parser.add_argument("targets", nargs="*", metavar="TARGET", help=f"of {', '.join(TARGETS)}")
    parser.add_argument("--seconds", type=int, default=60, help="time for each (default: 60)")
    parser.add_argument("--folder", type=Path, default=ROOT / ".fuzz", help="what is kept")
    parser.add_argument("--replay", type=Path, help="try one input on one target, and end")
    given = parser.parse_args()
    unknown = [name for name in given.targets if name not in TARGETS]
    if unknown:
        parser.error(f"no such target: {', '.join(unknown)}; there are {', '.join(TARGETS)}")
    if given.replay:
        name = given.targets[0] if given.targets else given.replay.parent.parent.name
        if name not in TARGETS:
            parser.error("say which target it is for: TARGET --replay FILE")
        TARGETS[name].one(given.replay.read_bytes())
        print(f"{name}: {given.replay} is fine.")
        return 0
    guided = importlib.util.find_spec("atheris") is not None
    if not guided:
        print("atheris is not installed: inputs are made by chance, not guided by coverage.")
        print("Install it with: pip install '.[atheris]'")
    fuzz = _guided if guided else _by_chance
    results = [
        fuzz(TARGETS[name], given.seconds, given.folder) for name in given.targets or TARGETS
    ]
    return 0 if all(results) else 1


def _guided(target: Target, seconds: int, folder: Path) -> bool:
    """Run a target under atheris in a process of its own; say whether nothing was found."""
    corpus, crashes = folder / target.name / "corpus", folder / target.name / "crashes"
    seeds = folder / target.name / "seeds"
    for path in (corpus, crashes, seeds):
        path.mkdir(parents=True, exist_ok=True)
    for data in (*target.seeds(), *target.found):
        (seeds / sha256(data).hexdigest()[:16]).write_bytes(data)
    started = time.monotonic()
    done = subprocess.run(
        [
            *(sys.executable, "-m", "tests.fuzz.guided", target.name, str(corpus), str(seeds)),
            f"-max_total_time={seconds}",
            f"-max_len={MAX_LENGTH}",
            f"-timeout={SLOWEST}",
            f"-artifact_prefix={crashes}/",
            "-print_final_stats=1",
        ],
        cwd=ROOT,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
        errors="replace",
        timeout=seconds + GRACE,
        check=False,
    )
    count = re.search(r"number_of_executed_units: (\d+)", done.stdout)
    covered = re.findall(r"cov: (\d+)", done.stdout)
    edges = f", {int(covered[-1]):,} edges" if covered else ""
    _tell(target, int(count[1]) if count else 0, time.monotonic() - started, edges)
    if done.returncode:
        print(done.stdout[-4_000:])
        print(f"{target.name}: FAILED; see {crashes}")
    return done.returncode == 0


def _by_chance(target: Target, seconds: int, folder: Path) -> bool:
    """Try changed seeds in this process; say whether nothing was found."""
    started = time.monotonic()
    seed = time.time_ns()
    for count, data in enumerate(mutations([*target.found, *target.seeds()], seed)):
        try:
            target.one(data)
        except Exception:  # noqa: BLE001 (whatever it raises is what is looked for)
            crashes = folder / target.name / "crashes"
            crashes.mkdir(parents=True, exist_ok=True)
            path = crashes / f"crash-{sha256(data).hexdigest()[:16]}"
            path.write_bytes(data)
            traceback.print_exc()
            print(f"{target.name}: FAILED; see {path}")
            return False
        if time.monotonic() - started > seconds:
            _tell(target, count, seconds, "")
            return True
    raise AssertionError("unreachable: the mutations never end")


def _tell(target: Target, count: int, seconds: float, more: str) -> None:
    print(f"{target.name}: {count:,} inputs in {seconds:.0f} s{more}.", flush=True)


if __name__ == "__main__":
    sys.exit(main())
