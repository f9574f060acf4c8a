"""Prepare a checkout of EventGate (github.com/wikimedia/eventgate) to be measured beside us.

    python -m tests.benchmarks.eventgate FOLDER

EventGate decides only through a factory what it validates and where events go: ours is put beside
its code, with settings for the schema and the stream of the scenarios. What is printed starts it
and measures it.
"""

import argparse
import shutil
from pathlib import Path

import yaml

from tests.benchmarks.events import write_house

FACTORY = Path(__file__).parent / "factory.js"
PORT = 18_192


def prepare(checkout: Path) -> Path:
    """Put the factory, schemas, streams and settings into a checkout; return the settings' path."""
    house = checkout / "bench"
    house.mkdir(exist_ok=True)
    write_house(house)
    shutil.copy(FACTORY, checkout / "bench-factory.js")
    settings = {
        "num_workers": 0,
        "worker_heap_limit_mb": 1000,
        "logging": {"level": "fatal"},
        "metrics": [{"type": "log"}],  # which are written at trace level, so nowhere
        "services": [
            {
                "name": "EventGate",
                "module": "./app.js",
                "conf": {
                    "port": PORT,
                    "interface": "127.0.0.1",
                    "max_body_size": "4mb",
                    "user_agent": "eventgate",
                    "eventgate_factory_module": "../bench-factory",
                    "schema_uri_field": "$schema",
                    "schema_base_uris": [str(house / "schemas")],
                    "schema_file_extension": ".yaml",
                    "stream_field": "meta.stream",
                    "stream_config_uri": str(house / "streams.yaml"),
                },
            }
        ],
    }
    path = checkout / "bench.yaml"
    path.write_text(yaml.safe_dump(settings))
    return path


def main() -> None:
    """Prepare, and say how to go on."""
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    parser.add_argument("folder", type=Path, help="a checkout, after `npm install`")
    checkout = parser.parse_args().folder.resolve()
    settings = prepare(checkout)
    print("NODE_ENV=production BENCH_SERIALIZE=1 \\")
    print(f"  taskset -c 0 node {checkout}/server.js -c {settings} &")
    print(f'make bench ARGS="--only null --also eventgate=http://127.0.0.1:{PORT},$!"')


if __name__ == "__main__":
    main()
