"""The targets by name."""

from tests.fuzz.target import Target
from tests.fuzz.targets import beacon, capsules, inflation, json, loglines, pipeline

TARGETS: dict[str, Target] = {
    module.TARGET.name: module.TARGET
    for module in (json, beacon, capsules, loglines, inflation, pipeline)
}
