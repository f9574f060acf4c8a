import pytest

from app.core.errors import ConfigError
from app.metrics import Metrics
from app.outlets import open_outlets
from app.settings import Settings
from app.sinks.kafka.sink import KafkaSink, address_of
from app.sinks.spool import SpoolSink
from app.sinks.sqlite import SqliteSink

KAFKA = {"type": "kafka", "bootstrap_servers": ["kafka1.example.org:9092"]}


def outlets(**settings):
    return open_outlets(Settings(**settings), Metrics())


def test_the_default_is_one_sink_for_everything():
    opened = outlets()

    assert isinstance(opened.sink, SqliteSink)
    assert opened.hasty is None
    assert opened.all == [opened.sink]


def test_kafka_has_a_sink_for_each_kind_of_request():
    opened = outlets(sink=KAFKA)

    assert isinstance(opened.sink, KafkaSink)
    assert isinstance(opened.hasty, KafkaSink)
    assert opened.all == [opened.sink, opened.hasty]
    assert set(opened.kafka) == {"guaranteed", "hasty"}


def test_a_spool_stands_before_both_and_drains_once(tmp_path):
    opened = outlets(sink=KAFKA, spool={"folder": str(tmp_path)})

    assert isinstance(opened.sink, SpoolSink)
    assert isinstance(opened.hasty, SpoolSink)
    assert opened.sink.spool is opened.hasty.spool is opened.spool
    assert opened.sink._drain is not None
    assert opened.hasty._drain is None


def test_a_spool_for_a_sink_on_the_same_disk_is_a_mistake(tmp_path):
    with pytest.raises(ConfigError, match=r"let sink\.type be kafka"):
        outlets(spool={"folder": str(tmp_path)})


@pytest.mark.parametrize(
    ("server", "host", "port"),
    [
        ("kafka1:9093", "kafka1", 9093),
        ("kafka1", "kafka1", 9092),
        ("192.0.2.1:1", "192.0.2.1", 1),
        ("[2001:db8::1]:9094", "2001:db8::1", 9094),
        ("[2001:db8::1]", "2001:db8::1", 9092),
        ("2001:db8::1", "2001:db8::1", 9092),
    ],
)
def test_an_address_is_read_as_people_write_it(server, host, port):
    address = address_of(server)

    assert (address.host, address.port) == (host, port)


@pytest.mark.parametrize("server", ["", ":9092", "h:0", "h:65536", "h:x", "h:²"])
def test_what_is_no_address_is_refused(server):
    with pytest.raises(ValueError, match="no address of a broker"):
        address_of(server)
