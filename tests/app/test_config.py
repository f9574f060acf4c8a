import pytest
import yaml

from app.config import described, load_settings, masked
from app.core.errors import ConfigError
from app.settings import JsonlSinkSettings, Settings, SqliteSinkSettings

JWT = {"issuer": "https://login.example.org", "audience": ["sluiceway"]}


@pytest.fixture(autouse=True)
def clean(monkeypatch):
    monkeypatch.delenv("SLUICEWAY_CONFIG", raising=False)


@pytest.fixture
def write(tmp_path):
    def write(value):
        path = tmp_path / "settings.yaml"
        path.write_text(value if isinstance(value, str) else yaml.safe_dump(value))
        return path

    return write


def test_the_defaults_run_the_demo_on_the_embedded_log():
    settings = load_settings()

    assert settings.demo
    assert settings.sink == SqliteSinkSettings(type="sqlite", path="./sluiceway.db")
    assert (settings.http.host, settings.http.port) == ("127.0.0.1", 8192)


def test_the_environment_wins_over_the_file_and_the_file_over_defaults(write, monkeypatch):
    path = write({"http": {"port": 1, "workers": 3}, "service_name": "file"})
    monkeypatch.setenv("SLUICEWAY_CONFIG", str(path))
    monkeypatch.setenv("SLUICEWAY_HTTP__PORT", "2")

    settings = load_settings()

    assert (settings.http.port, settings.http.workers) == (2, 3)
    assert settings.service_name == "file"


def test_every_problem_is_said_at_once_in_the_operators_words(write, monkeypatch):
    path = write({"http": {"port": 99999, "prot": 1}, "sink": {"type": "kafak"}, "htpt": {}})
    monkeypatch.setenv("SLUICEWAY_HTPT__PORT", "1")

    with pytest.raises(ConfigError) as caught:
        load_settings(path)

    text = str(caught.value)
    for part in ("http.port", "http.prot: there is no such setting", "sink", "htpt"):
        assert part in text
    assert "SLUICEWAY_HTPT__PORT in the environment is no setting" in text


@pytest.mark.parametrize("text", ["a: [", "[1]", "7"])
def test_a_file_that_is_no_mapping_is_refused(write, text):
    with pytest.raises(ConfigError, match=r"settings\.yaml"):
        load_settings(write(text))


def test_a_file_that_is_not_there_is_refused(tmp_path):
    with pytest.raises(ConfigError, match="cannot be read"):
        load_settings(tmp_path / "nothing.yaml")


@pytest.mark.parametrize(
    "value",
    [
        {"schemas": {"base_uris": ["./schemas"]}},
        {"streams": {"uri": "./streams.yaml"}},
        {"http": {"max_body_size": 4_000_000}},
        {"http": {"trusted_proxies": ["example.org"]}},
        {"http": {"cors_origins": ["www.example.org"]}},
        {"http": {"cors_origins": ["https://www.example.org/"]}},
        {"http": {"drain_delay": 20, "grace_period": 20}},
        {"topic_prefix": "no blanks"},
        {"auth": {"api_keys": {"a": "a key itself"}}},
        {"auth": {"api_keys": {"a": []}}},
        {"auth": {"api_keys": {"": f"sha256:{'0' * 64}"}}},
        {"auth": {"jwt": {"jwks": "./jwks.json"}}},
        {"auth": {"jwt": {"jwks": "./jwks.json", "issuer": "i", "audience": []}}},
        {"auth": {"jwt": {"algorithms": ["none"]}}},
        {"auth": {"jwt": {"algorithms": ["RS256", "HS256"]}}},
        {"auth": {"jwt": {"algorithms": []}}},
        {"auth": {"jwt": JWT | {"jwks": "http://login.example.org/jwks"}}},
        {"auth": {"jwt": JWT | {"jwks": "http://localhost:80@login.example.org/jwks"}}},
        {"auth": {"jwt": JWT | {"jwks": "http://localhost.example.org/jwks"}}},
        {"auth": {"jwt": JWT | {"jwks": "ftp://login.example.org/jwks"}}},
        {"auth": {"jwt": JWT | {"jwks": "https:///jwks"}}},
        {"auth": {"jwt": JWT | {"jwks": "https://login.example.org:99999/jwks"}}},
        {"limits": {"requests_per_second": 0}},
        {"limits": {"event_burst": 0}},
        {"limits": {"event_burst": 1}},
        {"limits": {"events_per_second": 1, "request_burst": 1}},
        {"enrich_fields_from_http_headers": {"x": "Authorization"}},
    ],
)
def test_what_cannot_work_is_refused(write, value):
    with pytest.raises(ConfigError):
        load_settings(write(value))


@pytest.mark.parametrize(
    ("variable", "value"),
    [
        ("SLUICEWAY_SCHEMAS__BASE_URIS", "./schemas"),
        ("SLUICEWAY_HTTP__TRUSTED_PROXIES", "10.0.0.1"),
        ("SLUICEWAY_TOPIC_PREFIX__X", "1"),
        ("SLUICEWAY_HTTP__PROT", "1"),
    ],
)
def test_mistakes_in_the_environment_are_told_as_such(monkeypatch, variable, value):
    monkeypatch.setenv(variable, value)

    with pytest.raises(ConfigError) as caught:
        load_settings()

    assert variable.rsplit("__")[-1].lower() in str(caught.value).lower() or (
        "schemas" in str(caught.value)
    )


def test_a_sink_is_chosen_by_its_type():
    assert isinstance(Settings(sink={"type": "jsonl"}).sink, JsonlSinkSettings)
    assert isinstance(Settings(sink={"path": "x.db"}).sink, SqliteSinkSettings)


def test_secrets_are_not_shown():
    settings = Settings(
        schemas={"base_uris": ["https://me:secret1@schema.example.org/x?access_token=secret3&a=b"]},
        streams={
            "uri": "https://api.example.org",
            "headers": {"Authorization": "Bearer secret2", "Host": "meta.example.org"},
        },
    )

    shown = yaml.safe_dump(masked(settings))

    assert "secret" not in shown
    assert "meta.example.org" in shown


def test_every_setting_is_described():
    names = described()

    assert "http.port" in names
    assert "sink.path" in names
    assert all(text.endswith(".") for text in names.values())


def test_a_sink_of_another_type_in_the_environment_replaces_that_of_the_file(write, monkeypatch):
    path = write({"sink": {"type": "sqlite", "path": "x.db"}})
    monkeypatch.setenv("SLUICEWAY_SINK__TYPE", "kafka")
    monkeypatch.setenv("SLUICEWAY_SINK__BOOTSTRAP_SERVERS", '["k:9092"]')

    sink = load_settings(path).sink

    assert (sink.type, sink.bootstrap_servers) == ("kafka", ["k:9092"])


def test_hasty_requests_keep_their_own_defaults_when_one_is_set(write):
    path = write(
        {"sink": {"type": "kafka", "bootstrap_servers": ["k:1"], "hasty": {"linger": 0.5}}}
    )

    hasty = load_settings(path).sink.hasty

    assert (hasty.acks, hasty.idempotence, hasty.linger) == ("leader", False, 0.5)


@pytest.mark.parametrize(
    ("sink", "words"),
    [
        ({"type": "kafka"}, "sink.kafka.bootstrap_servers"),
        ({"type": "kafka", "bootstrap_servers": []}, "bootstrap_servers"),
        ({"type": "kafka", "bootstrap_servers": ["http://k:1"]}, "no broker's address"),
        ({"type": "kafka", "bootstrap_servers": ["k:99999"]}, "no broker's address"),
        (
            {"type": "kafka", "bootstrap_servers": ["k"], "guaranteed": {"acks": "leader"}},
            "idempotence needs acks: all",
        ),
    ],
)
def test_mistakes_in_a_kafka_sink_are_told(write, sink, words):
    with pytest.raises(ConfigError) as caught:
        load_settings(write({"sink": sink}))

    assert words in str(caught.value)


def test_secrets_of_kafka_are_masked(write):
    sink = {
        "type": "kafka",
        "bootstrap_servers": ["k:1"],
        "sasl": {"password": "hunter2"},
        "tls": {"key_password": "hunter3"},
    }

    shown = str(masked(load_settings(write({"sink": sink}))))

    assert "hunter" not in shown


def test_the_variables_of_our_tests_are_no_mistake(monkeypatch):
    monkeypatch.setenv("SLUICEWAY_TEST_KAFKA", "localhost:9092")
    monkeypatch.setenv("SLUICEWAY_REQUIRE_KAFKA", "1")

    assert load_settings().demo


def test_an_api_key_put_where_its_hash_belongs_is_not_repeated(write, monkeypatch):
    path = write({"auth": {"api_keys": {"a": "slw_not-for-logs", "b": {"c": "slw_not-for-logs"}}}})
    monkeypatch.setenv("SLUICEWAY_AUTH__API_KEYS__D", "slw_not-for-logs")

    with pytest.raises(ConfigError) as caught:
        load_settings(path)

    assert "auth.api_keys" in str(caught.value)
    assert "not-for-logs" not in str(caught.value)


def test_hashes_of_keys_are_masked_and_their_owners_are_not():
    hashes = [f"sha256:{digit * 64}" for digit in "012"]
    settings = Settings(
        auth={
            "api_keys": {"importer": hashes[0], "reader": hashes[1:]},
            "api_keys_file": "/etc/keys.yaml",
            "jwt": JWT | {"jwks": "https://user:hidden@login.example.org/jwks?token=hidden"},
        }
    )

    shown = yaml.safe_dump(masked(settings))

    for text in ("importer", "reader", "/etc/keys.yaml", "login.example.org"):
        assert text in shown
    for text in (*hashes, "hidden"):
        assert text not in shown


@pytest.mark.parametrize("url", ["http://127.0.0.1:1/a", "http://[::1]/a", "https://a.example/a"])
def test_the_keys_of_an_issuer_come_by_https_or_from_this_machine(url):
    assert Settings(auth={"jwt": JWT | {"jwks": url}}).auth.jwt.jwks == url
