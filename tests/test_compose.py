"""compose.yaml: it must parse, fit the settings that there are, and be closed to other machines."""

import pytest
import yaml

from app.config import load_settings
from tests.support import ROOT

COMPOSE = yaml.safe_load((ROOT / "compose.yaml").read_text())
SERVICES = COMPOSE["services"]


@pytest.fixture
def settings(monkeypatch):
    """The settings of the service in its container."""
    for name, value in SERVICES["sluiceway"]["environment"].items():
        monkeypatch.setenv(name, value)
    return load_settings()


def test_the_service_produces_to_the_broker_where_that_advertises_to_be(settings):
    kafka = SERVICES["kafka"]["environment"]
    advertised = dict(each.split("://") for each in kafka["KAFKA_ADVERTISED_LISTENERS"].split(","))

    assert settings.sink.type == "kafka"
    assert settings.sink.bootstrap_servers == [advertised["INSIDE"]]


def test_topics_are_created_by_both_sides(settings):
    assert settings.sink.create_topics
    assert SERVICES["kafka"]["environment"]["KAFKA_AUTO_CREATE_TOPICS_ENABLE"] == "true"


def test_the_spool_is_on_a_volume(settings):
    (volume,) = SERVICES["sluiceway"]["volumes"]
    name, _, folder = volume.partition(":")

    assert name in COMPOSE["volumes"]
    assert settings.spool.folder.startswith(f"{folder}/")


def test_the_container_outlives_the_grace_period(settings):
    assert SERVICES["sluiceway"]["stop_grace_period"] == "30s"
    assert settings.http.grace_period < 30


@pytest.mark.parametrize("name", SERVICES)
def test_ports_are_open_to_this_machine_only(name):
    for port in SERVICES[name]["ports"]:
        assert port.startswith("127.0.0.1:")


def test_the_broker_is_of_one_exact_version():
    image, _, version = SERVICES["kafka"]["image"].partition(":")

    assert image == "apache/kafka"
    assert version.split(".")[0] == "4"
    assert len(version.split(".")) == 3


def test_every_listener_has_a_protocol():
    kafka = SERVICES["kafka"]["environment"]
    listeners = {each.split("://")[0] for each in kafka["KAFKA_LISTENERS"].split(",")}
    protocols = kafka["KAFKA_LISTENER_SECURITY_PROTOCOL_MAP"]

    assert listeners == {each.split(":")[0] for each in protocols.split(",")}


@pytest.mark.parametrize("name", SERVICES)
def test_every_service_says_whether_it_is_well(name):
    assert SERVICES[name]["healthcheck"]["test"]
