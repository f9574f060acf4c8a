import re
from pathlib import Path

import pytest

from app.core.yaml import parse_yaml
from app.streams.configs import StreamConfigs

PAGE = (Path(__file__).parents[3] / "docs" / "streams.md").read_text()
BLOCKS = [
    block
    for block in re.findall(r"^```yaml\n(.*?)^```$", PAGE, re.MULTILINE | re.DOTALL)
    if not block.startswith("# settings")
]


@pytest.mark.parametrize("block", BLOCKS)
def test_every_stream_configuration_on_the_page_is_taken(block):
    value = parse_yaml(block)

    assert len(StreamConfigs.parse(value)) == len(value)


def test_the_page_shows_some():
    assert len(BLOCKS) >= 4
