"""Runs a soak: python -m tests.soak --minutes 10 --seed 7 [--brokers 3]."""

import argparse
import asyncio
import random
import sys
import tempfile
from pathlib import Path

from tests.kafka.cluster import Cluster
from tests.kafka.jars import NoKafka, kafka_jars
from tests.soak.soak import Plan, soak

LEAST_MINUTES = 2.5


def main() -> int:
    """Return 0 if everything that must hold did, 1 if not, 2 if there is no Kafka to soak with."""
    parser = argparse.ArgumentParser(prog="python -m tests.soak", description=__doc__)
    parser.add_argument("--minutes", type=float, default=10, help="how long (default 10)")
    parser.add_argument("--seed", type=int, help="what the faults follow from (default: by chance)")
    parser.add_argument("--brokers", type=int, choices=(1, 3), default=1, help="1 (default) or 3")
    parser.add_argument("--workers", type=int, default=2, help="of the service (default 2)")
    parser.add_argument("--clients", type=int, default=12, help="honest ones (default 12)")
    parser.add_argument("--pause", type=float, default=0.1, help="of theirs, in seconds")
    parser.add_argument("--only", nargs="*", default=(), help="these faults and no others")
    parser.add_argument("--out", type=Path, default=Path(".soak"), help="folder for PNG and JSON")
    args = parser.parse_args()
    if args.minutes < LEAST_MINUTES:
        parser.error(
            f"a soak has a minute of warm-up and of rest: at least {LEAST_MINUTES} minutes"
        )
    seed = random.SystemRandom().randrange(10_000) if args.seed is None else args.seed
    plan = Plan(
        seed=seed,
        seconds=args.minutes * 60,
        workers=args.workers,
        clients=args.clients,
        pause=args.pause,
        only=frozenset(args.only),
    )
    print(f"A soak of {args.minutes:g} minutes with seed {seed}; --seed {seed} repeats it.")
    try:
        jars = kafka_jars()
    except NoKafka as error:
        print(f"There is no Kafka to soak with: {error}", file=sys.stderr)
        return 2
    args.out.mkdir(parents=True, exist_ok=True)
    many = args.brokers > 1
    with tempfile.TemporaryDirectory(prefix="sluiceway-soak-") as name:
        folder = Path(name)
        service = folder / "service"
        service.mkdir()
        with Cluster(
            folder / "kafka",
            jars=jars,
            nodes=args.brokers,
            min_insync=2 if many else 1,
            links=many,
        ) as cluster:
            cluster.start()
            report = asyncio.run(soak(plan, cluster, service, args.out))
    print(f"\n{report}\nPNG and JSON are in {args.out}.")
    return 0 if report.passed else 1


if __name__ == "__main__":
    sys.exit(main())
