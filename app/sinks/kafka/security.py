"""How to connect safely: TLS and SASL from settings, with every mistake told at start."""

import ssl
from dataclasses import dataclass
from pathlib import Path
from typing import Literal

from app.core.errors import ConfigError

Protocol = Literal["PLAINTEXT", "SSL", "SASL_PLAINTEXT", "SASL_SSL"]
Mechanism = Literal["PLAIN", "SCRAM-SHA-256", "SCRAM-SHA-512"]


@dataclass(frozen=True, slots=True)
class Security:
    """What is configured; paths are of PEM files."""

    protocol: Protocol = "PLAINTEXT"
    ca_file: str | None = None
    certificate_file: str | None = None
    key_file: str | None = None
    key_password: str | None = None
    check_hostname: bool = True
    mechanism: Mechanism | None = None
    username: str | None = None
    password: str | None = None

    def context(self) -> ssl.SSLContext | None:
        """Return the TLS context, None without TLS; raises ConfigError with all that is wrong."""
        problems = self._problems()
        if problems:
            raise ConfigError(*problems)
        if not self.protocol.endswith("SSL"):
            return None
        try:
            context = ssl.create_default_context(cafile=self.ca_file)
            context.check_hostname = self.check_hostname
            if self.certificate_file:
                context.load_cert_chain(self.certificate_file, self.key_file, self.key_password)
        except (OSError, ssl.SSLError) as error:
            raise ConfigError(
                f"sink.tls: the certificates or the key cannot be used: {error}. They must be "
                "readable PEM files, and the key must belong to the certificate."
            ) from error
        return context

    def _problems(self) -> list[str]:
        problems = []
        if self.protocol.startswith("SASL") and not (
            self.mechanism and self.username and self.password
        ):
            problems.append(
                "sink.sasl: security_protocol "
                f"{self.protocol} needs sasl.mechanism, sasl.username and sasl.password."
            )
        if not self.protocol.startswith("SASL") and self.mechanism:
            problems.append(
                f"sink.sasl is set, but security_protocol is {self.protocol}; SASL_SSL uses it."
            )
        for name in ("ca_file", "certificate_file", "key_file"):
            path = getattr(self, name)
            if path is not None and not Path(path).is_file():
                problems.append(f"sink.tls.{name}: there is no file {path}.")
        if self.key_file and not self.certificate_file:
            problems.append("sink.tls.key_file needs sink.tls.certificate_file.")
        return problems
