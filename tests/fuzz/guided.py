"""Runs one target under atheris: `python -m tests.fuzz.guided TARGET [libFuzzer's options]`."""

import sys

import atheris

with atheris.instrument_imports(include=["app", "legacy"], enable_loader_override=False):
    from tests.fuzz.targets.all import TARGETS


def main() -> None:
    """Fuzz until libFuzzer's options say to stop; never returns."""
    name = sys.argv.pop(1)
    atheris.Setup(sys.argv, TARGETS[name].one)
    atheris.Fuzz()


if __name__ == "__main__":
    main()
