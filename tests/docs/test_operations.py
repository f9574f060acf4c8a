"""The proxies of docs/operations.md: their own programs, or types, read the examples."""

import re
import shutil
import socket
import ssl
import subprocess
import time
import urllib.error
import urllib.request
from datetime import UTC, datetime, timedelta

import crossplane
import pytest
import yaml
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import NameOID
from envoy.config.bootstrap.v3.bootstrap_pb2 import Bootstrap
from envoy.extensions.filters.http.buffer.v3 import buffer_pb2
from envoy.extensions.filters.http.router.v3 import router_pb2
from envoy.extensions.filters.network.http_connection_manager.v3 import (
    http_connection_manager_pb2 as manager_pb2,
)
from envoy.extensions.resource_monitors.downstream_connections.v3 import downstream_connections_pb2
from envoy.extensions.retry.host.previous_hosts.v3 import previous_hosts_pb2
from envoy.extensions.transport_sockets.tls.v3 import tls_pb2
from envoy.extensions.upstreams.http.v3 import http_protocol_options_pb2
from google.protobuf import json_format

from app.metrics import Metrics
from app.settings import HttpSettings
from tests.support import ROOT, served

# A type that is named in the example must have been imported to be known.
KNOWN = (
    buffer_pb2,
    router_pb2,
    manager_pb2,
    downstream_connections_pb2,
    previous_hosts_pb2,
    tls_pb2,
    http_protocol_options_pb2,
)
PAGE = (ROOT / "docs" / "operations.md").read_text()
WIRES = ("/v1/events", "/beacon/event", "/beacon/event.gif", "/event.gif")
EVENT = (
    b'{"$schema": "/demo/button/click/1.0.0", "meta": {"stream": "demo.button.click"},'
    b' "button": "save"}'
)


def block(language, holding):
    found = [
        text
        for text in re.findall(rf"^```{language}\n(.*?)^```$", PAGE, re.MULTILINE | re.DOTALL)
        if holding in text
    ]
    assert len(found) == 1
    return found[0]


@pytest.fixture
def certificate(tmp_path):
    """A certificate for the name of the example, and its key."""
    key = ec.generate_private_key(ec.SECP256R1())
    name = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, "events.example.org")])
    now = datetime.now(UTC)
    made = (
        x509.CertificateBuilder()
        .subject_name(name)
        .issuer_name(name)
        .public_key(key.public_key())
        .serial_number(1)
        .not_valid_before(now - timedelta(hours=1))
        .not_valid_after(now + timedelta(hours=1))
        .sign(key, hashes.SHA256())
    )
    pem = serialization.Encoding.PEM
    (tmp_path / "events.pem").write_bytes(made.public_bytes(pem))
    (tmp_path / "events.key").write_bytes(
        key.private_bytes(pem, serialization.PrivateFormat.PKCS8, serialization.NoEncryption())
    )
    return tmp_path


def nginx_or_skip():
    found = shutil.which("nginx", path="/usr/sbin:/usr/local/sbin:/usr/bin:/usr/local/bin")
    if found is None:
        pytest.skip("NGINX IS NOT INSTALLED: its example is read by crossplane only")
    return found


def free_port():
    with socket.create_server(("127.0.0.1", 0)) as sock:
        return sock.getsockname()[1]


def test_nginx_knows_every_directive_of_the_example_in_its_place(tmp_path):
    file = tmp_path / "nginx.conf"
    file.write_text(block("nginx", "upstream"))

    read = crossplane.parse(str(file), strict=True, check_ctx=True, check_args=True)

    assert read["status"] == "ok", read["errors"]
    paths = re.search(r"location ~ (\S+) \{", file.read_text())[1]
    assert all(re.search(paths, wire) for wire in WIRES)
    assert not re.search(paths, "/metrics")


@pytest.mark.slow
def test_nginx_passes_events_on_and_says_who_the_client_is(tmp_path, certificate):
    nginx = nginx_or_skip()
    port = free_port()
    trusting = {
        "SLUICEWAY_HTTP__TRUSTED_PROXIES": '["127.0.0.1"]',
        "SLUICEWAY_HTTP__CLIENT_ADDRESS_HEADERS": '["x-client-ip"]',
    }
    (tmp_path / "service").mkdir()
    with served(tmp_path / "service", **trusting) as service:
        temporary = "".join(
            f"    {kind}_temp_path {tmp_path}/{kind};\n"
            for kind in ("client_body", "proxy", "fastcgi", "uwsgi", "scgi")
        )
        text = (
            block("nginx", "upstream")
            .replace("listen 443 ssl", f"listen 127.0.0.1:{port} ssl")
            .replace("/etc/nginx/tls", str(certificate))
            .replace("server 127.0.0.1:8192", f"server {service.url.removeprefix('http://')}")
            .replace("http {\n", f"http {{\n    access_log off;\n{temporary}")
        )
        file = tmp_path / "nginx.conf"
        file.write_text(f"daemon off;\nmaster_process off;\npid {tmp_path}/pid;\n{text}")
        command = [nginx, "-p", str(tmp_path), "-c", str(file), "-e", str(tmp_path / "error.log")]
        checked = subprocess.run([*command, "-t"], capture_output=True, text=True, check=False)
        assert checked.returncode == 0, checked.stderr

        running = subprocess.Popen(command, stderr=subprocess.DEVNULL)
        try:
            answers = [
                _ask(port, "/v1/events", EVENT, {"X-Client-IP": "192.0.2.1"}),
                _ask(port, "/v1/events", b"x" * 11 * 1024 * 1024),
                _ask(port, "/v1/events", b"{}"),
                _ask(port, "/metrics"),
                _ask(port, "/readyz"),
            ]
        finally:
            running.terminate()
            running.wait(10)
        rows = service.log("--stream", "demo.button.click")

    assert [status for status, _ in answers] == [201, 413, 400, 404, 404]
    assert re.fullmatch("[0-9a-f]{32}", answers[0][1]["x-request-id"])
    (row,) = rows
    assert row["event"]["meta"]["request_id"] == answers[0][1]["x-request-id"]


def _ask(port, path, body=None, headers=None):
    """Ask the proxy, once it listens, as a client who does not look at its certificate."""
    anybody = ssl.create_default_context()
    anybody.check_hostname = False
    anybody.verify_mode = ssl.CERT_NONE
    request = urllib.request.Request(
        f"https://127.0.0.1:{port}{path}",
        body,
        {"content-type": "application/json", "host": "events.example.org"} | (headers or {}),
    )
    for _ in range(100):
        try:
            with urllib.request.urlopen(request, timeout=10, context=anybody) as answer:
                return answer.status, answer.headers
        except urllib.error.HTTPError as error:
            with error:
                return error.code, error.headers
        except urllib.error.URLError as error:
            if not isinstance(error.reason, ConnectionRefusedError):
                raise
            time.sleep(0.05)
    pytest.fail("the proxy does not listen")


def test_envoy_knows_every_field_of_the_example():
    example = yaml.safe_load(block("yaml", "static_resources"))

    read = json_format.ParseDict(example, Bootstrap())

    assert KNOWN  # whose types the example names
    (listener,) = read.static_resources.listeners
    manager = manager_pb2.HttpConnectionManager()
    assert listener.filter_chains[0].filters[0].typed_config.Unpack(manager)
    (route,) = manager.route_config.virtual_hosts[0].routes
    assert all(re.fullmatch(route.match.safe_regex.regex, wire) for wire in WIRES)
    assert not re.fullmatch(route.match.safe_regex.regex, "/metrics")


def test_the_examples_agree_with_the_limits_of_the_service():
    service = HttpSettings()
    nginx = block("nginx", "upstream")
    envoy = json_format.ParseDict(yaml.safe_load(block("yaml", "static_resources")), Bootstrap())
    (cluster,) = envoy.static_resources.clusters
    options = http_protocol_options_pb2.HttpProtocolOptions()
    (packed,) = cluster.typed_extension_protocol_options.values()
    assert packed.Unpack(options)

    kept = int(re.search(r"keepalive_timeout (\d+)s", nginx)[1])
    assert kept < service.idle_timeout
    assert options.common_http_protocol_options.idle_timeout.seconds < service.idle_timeout
    assert int(re.search(r"proxy_read_timeout (\d+)s", nginx)[1]) > service.produce_timeout
    assert f"client_max_body_size {service.max_body_size // 2**20}m" in nginx


def test_every_limit_on_the_page_is_the_default():
    service = HttpSettings()
    table = PAGE.partition("## What a proxy has to do")[0]

    for said, value in (
        (r"\| time for a head \| (\d+) s", service.header_timeout),
        (r"its rate after 5 s \| (\d+) s", service.body_timeout),
        (r"its rate after 5 s \| \d+ s, (\d+) bytes/s", service.min_body_rate),
        (r"in work at once \| (\d+) MiB", service.max_pending_size / 2**20),
        (r"wait for their turn \| ([\d.]+) s", service.max_queue_time),
        (r"requests of a connection \| (\d+) s", service.idle_timeout),
        (r"take in an answer \| (\d+) s", service.write_timeout),
        (r"\| stopping \| (\d+) s", service.grace_period),
    ):
        assert float(re.search(said, table)[1]) == value, said


def test_every_metric_on_the_page_exists():
    text = Metrics().rendered().decode()
    exist = set(re.findall(r"^# TYPE (\S+)", text, re.MULTILINE))

    named = set(re.findall(r"sluiceway_[a-z_]+", PAGE))

    assert named <= exist
    assert len(named) > 8
