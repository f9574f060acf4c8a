"""Who may log in to a test cluster, and the certificate its secure listener shows."""

import json
import subprocess
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path

PASSWORD = "of-the-key-store"
USERS = {"alice": 'wonder"land\\1', "mallory": "looking-glass"}  # of the shared secure broker


@dataclass(frozen=True, slots=True)
class Security:
    """A key store for 127.0.0.1 and localhost, and users with their passwords."""

    folder: Path
    users: Mapping[str, str] = field(repr=False)

    @property
    def key_store(self) -> Path:
        return self.folder / "broker.p12"

    @property
    def certificate(self) -> Path:
        """What clients trust: the broker's own certificate, as PEM."""
        return self.folder / "broker.pem"

    def make_key(self) -> None:
        store = ["-alias", "broker", "-keystore", self.key_store, "-storepass", PASSWORD]
        _keytool(
            *("-genkeypair", "-keyalg", "EC", "-groupname", "secp256r1", "-validity", "30"),
            *("-storetype", "PKCS12", "-dname", "CN=sluiceway test broker"),
            *("-ext", "san=ip:127.0.0.1,dns:localhost", "-ext", "bc:c=ca:true"),
            *("-ext", "ku:c=digitalSignature,keyCertSign"),
            *store,
        )
        _keytool("-exportcert", "-rfc", "-file", self.certificate, *store)

    def scram(self) -> list[str]:
        """Arguments that make the storage tool create the users."""
        return [
            word
            for name, password in self.users.items()
            for word in ("--add-scram", f"SCRAM-SHA-512=[name={name},password={password}]")
        ]

    def properties(self) -> dict[str, str]:
        """Server properties of the listener SECURE; plain listeners are for administrators."""
        users = " ".join(
            f"user_{name}={json.dumps(password)}" for name, password in self.users.items()
        )
        login = "org.apache.kafka.common.security"
        return {
            "ssl.keystore.type": "PKCS12",
            "ssl.keystore.location": str(self.key_store),
            "ssl.keystore.password": PASSWORD,
            "ssl.key.password": PASSWORD,
            "listener.name.secure.sasl.enabled.mechanisms": "SCRAM-SHA-512,PLAIN",
            "listener.name.secure.scram-sha-512.sasl.jaas.config": (
                f"{login}.scram.ScramLoginModule required;"
            ),
            "listener.name.secure.plain.sasl.jaas.config": (
                f"{login}.plain.PlainLoginModule required {users};"
            ),
            # Everybody may do everything until a topic gets an ACL: see Admin.forbid.
            "authorizer.class.name": "org.apache.kafka.metadata.authorizer.StandardAuthorizer",
            "allow.everyone.if.no.acl.found": "true",
            "super.users": "User:ANONYMOUS",
        }


def _keytool(*words: str | Path) -> None:
    subprocess.run(
        ["keytool", "-J-XX:TieredStopAtLevel=1", *map(str, words)],
        check=True,
        capture_output=True,
        timeout=60,
    )
