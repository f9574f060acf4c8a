"""What a service says when it is ready: addresses that can be asked."""

import pytest

from app.commands.welcome import banner
from app.config import load_settings


@pytest.mark.parametrize(
    ("host", "listens_on", "asked_at"),
    [
        ("127.0.0.1", "http://127.0.0.1:8192", "http://127.0.0.1:8192"),
        ("::1", "http://[::1]:8192", "http://[::1]:8192"),
        ("events.example.org", "http://events.example.org:8192", "http://events.example.org:8192"),
        # All addresses are not one that a client can connect to.
        ("0.0.0.0", "http://0.0.0.0:8192", "http://127.0.0.1:8192"),
        ("::", "http://[::]:8192", "http://[::1]:8192"),
    ],
)
def test_what_is_printed_to_be_tried_can_be_connected_to(host, listens_on, asked_at):
    said = banner(load_settings(), host, 8192)

    assert f" listens on {listens_on}\n" in said
    assert f"Documentation  {asked_at}/docs\n" in said
    assert said.count(f"curl -i {asked_at}/v1/events ") == 2
    assert f"curl -i '{asked_at}/beacon/event?" in said
    assert said.count("http://") == 5
