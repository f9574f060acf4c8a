import ssl

import pytest

from app.core.errors import ConfigError
from app.sinks.kafka.security import Security


def test_without_tls_there_is_no_context():
    assert Security().context() is None


def test_tls_trusts_the_system_and_checks_host_names_by_default():
    context = Security(protocol="SSL").context()

    assert context.check_hostname
    assert context.verify_mode == ssl.CERT_REQUIRED


def test_every_mistake_is_told_at_once(tmp_path):
    security = Security(
        protocol="SASL_SSL", ca_file=str(tmp_path / "none.pem"), key_file=str(tmp_path / "k.pem")
    )

    with pytest.raises(ConfigError) as caught:
        security.context()

    text = str(caught.value)
    assert "sasl.mechanism, sasl.username and sasl.password" in text
    assert "sink.tls.ca_file: there is no file" in text
    assert "sink.tls.key_file needs sink.tls.certificate_file" in text


def test_a_file_that_holds_no_certificate_is_refused(tmp_path):
    path = tmp_path / "ca.pem"
    path.write_text("hello")

    with pytest.raises(ConfigError, match="readable PEM files"):
        Security(protocol="SSL", ca_file=str(path)).context()


def test_credentials_that_would_not_be_used_are_a_mistake():
    security = Security(protocol="SSL", mechanism="PLAIN", username="u", password="p")

    with pytest.raises(ConfigError, match="SASL_SSL uses it"):
        security.context()
