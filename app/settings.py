"""Every setting: its name, default and meaning. Only `app.service` reads them.

Precedence: `SLUICEWAY_A__B` in the environment, the YAML file (`--config`, `SLUICEWAY_CONFIG`), the
defaults below. Names are those of EventGate where it has the same thing.
"""

import re
from ipaddress import ip_network
from typing import Annotated, Any, Literal, Self
from urllib.parse import urlsplit

from pydantic import (
    BaseModel,
    ConfigDict,
    Discriminator,
    Field,
    Tag,
    field_validator,
    model_validator,
)
from pydantic_settings import (
    BaseSettings,
    PydanticBaseSettingsSource,
    SettingsConfigDict,
)

from app.core.secrets import SECRET_HEADERS

ENV_PREFIX = "SLUICEWAY_"
KIB = 1024
MIB = 1024 * KIB
MAX_PORT = 65535
MAX_NAME = 200
LOOPBACK = frozenset(("localhost", "127.0.0.1", "::1"))
KEY_HASH = re.compile(r"sha256:[0-9a-f]{64}")


class Section(BaseModel):
    """A group of settings; a name that it does not know is an error."""

    model_config = ConfigDict(extra="forbid", frozen=True)


class HttpSettings(Section):
    """Where the service listens, and what it takes from a request."""

    host: str = Field("127.0.0.1", description="Address to listen on.")
    port: int = Field(8192, ge=0, le=MAX_PORT, description="Port to listen on; 0 takes a free one.")
    internal_host: str = Field(
        "127.0.0.1", description="Address of the internal listener, if there is one."
    )
    internal_port: int | None = Field(
        None,
        ge=1,
        le=MAX_PORT,
        description="Port of a second listener for operators: /metrics, /v1/_test/events and the "
        "details of /readyz are then had there only. null: no second one, and all is had on the "
        "first.",
    )
    workers: int = Field(1, ge=1, le=256, description="Processes that serve requests.")
    max_body_size: int = Field(
        10 * MIB,
        ge=4 * MIB,
        description="Largest request body in bytes, after inflation. At least 4 MiB: MediaWiki's "
        "EventBus sends bodies of exactly that size.",
    )
    max_event_size: int = Field(
        MIB, ge=KIB, description="Largest event in bytes, as it would be stored."
    )
    max_events: int = Field(10_000, ge=1, description="Most events in one request.")
    max_pending_size: int = Field(
        256 * MIB,
        ge=4 * MIB,
        description="Bytes of request bodies in work at once, per process; beyond it requests are "
        "answered 503 with Retry-After.",
    )
    max_queue_time: float = Field(
        0.5,
        ge=0,
        description="Seconds for which requests may wait for their turn before some are answered "
        "503 with Retry-After, unread, so that the others are done in time. 0: never.",
    )
    body_timeout: float = Field(
        30.0, gt=0, description="Seconds within which a request body must have arrived; then 408."
    )
    min_body_rate: float = Field(
        500.0,
        ge=0,
        description="Bytes per second that a client must at least send of a body, after five "
        "seconds, and take in of an answer; then 408, or the connection is cut. 0: no least rate.",
    )
    header_timeout: float = Field(
        20.0,
        gt=0,
        description="Seconds within which the head of a request must have arrived; then 408.",
    )
    idle_timeout: float = Field(
        75.0,
        gt=0,
        description="Seconds for which a connection may be idle between two requests. Longer than "
        "proxies keep theirs, so that they close first.",
    )
    write_timeout: float = Field(
        30.0,
        gt=0,
        description="Seconds that a client may take to take in an answer, beside those that "
        "min_body_rate allows; then the connection is cut.",
    )
    produce_timeout: float = Field(
        8.0,
        gt=0,
        description="Seconds that the sink may take for the events of a request; then 504. "
        "MediaWiki's client gives up after 10.",
    )
    grace_period: float = Field(
        20.0,
        ge=1,
        description="Seconds from SIGTERM until the process has ended, whatever happens; requests "
        "in flight finish meanwhile.",
    )
    drain_delay: float = Field(
        1.0,
        ge=0,
        description="Seconds after SIGTERM during which the service still takes requests while "
        "/readyz already says no, so that load balancers notice first.",
    )
    trusted_proxies: list[str] = Field(
        default_factory=list,
        description="Addresses or networks whose X-Client-IP and X-Forwarded-For are believed.",
    )
    client_address_headers: list[Literal["x-client-ip", "x-forwarded-for"]] = Field(
        default=["x-client-ip", "x-forwarded-for"],
        description="Which of the two the trusted proxies write. Leave out one that they pass on "
        "as they got it: it would be the client's own word.",
    )
    cors_origins: list[str] = Field(
        default_factory=list,
        description='Origins that may read our answers from a browser, spelled exactly; "*" for '
        "all. sendBeacon with text/plain needs none.",
    )
    schema_uri_query_param: str | None = Field(
        None, description="Query parameter taken as $schema where an event has none."
    )
    stream_query_param: str | None = Field(
        None, description="Query parameter taken as meta.stream where an event has none."
    )

    @model_validator(mode="after")
    def _drains_in_time(self) -> Self:
        if self.drain_delay >= self.grace_period:
            message = "drain_delay must be shorter than grace_period"
            raise ValueError(message)
        return self

    @property
    def believes_both(self) -> bool:
        """Whether trusted proxies are believed by more headers than one can write."""
        return bool(self.trusted_proxies) and len(self.client_address_headers) > 1

    @model_validator(mode="after")
    def _listens_twice(self) -> Self:
        if self.internal_port == self.port:
            message = "internal_port must be another than port: the port tells the two apart"
            raise ValueError(message)
        return self

    @field_validator("trusted_proxies")
    @classmethod
    def _are_networks(cls, value: list[str]) -> list[str]:
        for entry in value:
            ip_network(entry, strict=False)  # its ValueError says what is wrong
        return value

    @field_validator("cors_origins")
    @classmethod
    def _are_origins(cls, value: list[str]) -> list[str]:
        for origin in value:
            if origin != "*" and not re.fullmatch(r"https?://[A-Za-z0-9.-]+(:\d+)?", origin):
                message = f"{origin!r} is no origin; write it like https://www.example.org"
                raise ValueError(message)
        return value


class SchemaSettings(Section):
    """Where schemas come from."""

    base_uris: list[str] = Field(
        default_factory=list,
        description="Schema repositories, tried in order: folders, file:// or http(s):// URIs.",
    )
    precache_uris: list[str] = Field(
        default_factory=list, description="Schemas to load before the first request."
    )
    allow_absolute_uris: bool = Field(
        False, description="Let events name schemas by http(s) URIs. Off: they are refused."
    )
    allow_insecure: bool = Field(
        False,
        description="Take schemas whose pattern, format, patternProperties or uniqueItems have no "
        "bound, and so could make validation slow.",
    )
    cache_size: int = Field(5000, ge=1, description="Compiled schemas kept.")
    negative_ttl: float = Field(
        10.0, ge=0, description="Seconds for which an unknown schema URI is remembered as unknown."
    )
    latest_ttl: float = Field(
        60.0, ge=0, description="Seconds for which `latest` is remembered to mean a version."
    )
    fetch_timeout: float = Field(
        5.0,
        gt=0,
        description="Seconds that a repository may take for one schema. All schemas of a request "
        "together may take http.produce_timeout.",
    )
    max_size: int = Field(MIB, ge=KIB, description="Largest schema document in bytes.")


class StreamSettings(Section):
    """Where the stream configuration comes from."""

    uri: str | None = Field(
        None, description="Stream configuration: a file (YAML or JSON) or an http(s) URI."
    )
    object_path: str | list[str] | None = Field(
        None,
        description="Where the streams are in the document, such as `streams` for MediaWiki's "
        "action=streamconfigs; a list if a key has dots.",
    )
    headers: dict[str, str] = Field(
        default_factory=dict, description="Headers of the request for a remote configuration."
    )
    ttl: float = Field(
        0.0, ge=0, description="Seconds after which the configuration is read again; 0: never."
    )
    retries: int = Field(3, ge=0, description="Further tries when a remote source fails.")
    timeout: float = Field(5.0, gt=0, description="Seconds that a remote source may take.")
    max_shrink: float = Field(
        0.5,
        ge=0,
        le=1,
        description="Share of the streams that may disappear in one refresh; a configuration that "
        "lost more is not taken.",
    )


class SqliteSinkSettings(Section):
    """The embedded log: a 201 means committed to disk."""

    type: Literal["sqlite"] = "sqlite"
    path: str = Field("./sluiceway.db", description="The log's file.")


class JsonlSinkSettings(Section):
    """Events as lines in a file, or on standard output."""

    type: Literal["jsonl"]
    path: str = Field("-", description='A file that lines are appended to; "-": standard output.')
    fsync: bool = Field(True, description="Wait for the disk before events count as stored.")
    envelope: bool = Field(False, description="Wrap each event with its topic, key and timestamp.")


class MemorySinkSettings(Section):
    """Nowhere: for trials and tests."""

    type: Literal["memory"]


class TlsSettings(Section):
    """How the brokers prove who they are, and we to them. Files are PEM."""

    ca_file: str | None = Field(
        None, description="Certificates that brokers are trusted by; null: those of the system."
    )
    certificate_file: str | None = Field(None, description="Certificate of this client, if any.")
    key_file: str | None = Field(None, description="Key of that certificate.")
    key_password: str | None = Field(None, description="Password of that key.")
    check_hostname: bool = Field(
        True, description="Whether a broker's certificate must name the host we connect to."
    )


class SaslSettings(Section):
    """Who we are to the brokers."""

    mechanism: Literal["PLAIN", "SCRAM-SHA-256", "SCRAM-SHA-512"] | None = Field(
        None, description="PLAIN, SCRAM-SHA-256 or SCRAM-SHA-512."
    )
    username: str | None = Field(None, description="User name.")
    password: str | None = Field(None, description="Password.")


class ProducerSettings(Section):
    """How events of one kind of request are produced."""

    acks: Literal["all", "leader"] = Field(
        "all", description="Whose copy makes an event acknowledged: all in-sync replicas', or one."
    )
    idempotence: bool = Field(
        True,
        description="Number batches, so that one which is sent again is not stored twice. Needs "
        "acks: all.",
    )
    linger: float = Field(
        0.005, ge=0, le=5, description="Seconds that the first event of a batch waits for others."
    )
    batch_size: int = Field(512 * KIB, ge=KIB, description="Bytes of a batch, before compression.")
    compression: Literal["none", "gzip", "snappy", "lz4", "zstd"] = Field(
        "zstd", description="none, gzip, snappy, lz4 or zstd."
    )
    max_pending_size: int = Field(
        64 * MIB,
        ge=MIB,
        description="Bytes of events that may wait for Kafka, per process; beyond it requests are "
        "answered 503 with Retry-After.",
    )

    @model_validator(mode="after")
    def _numbers_what_all_acknowledge(self) -> Self:
        if self.idempotence and self.acks != "all":
            message = "idempotence needs acks: all; set idempotence: false, or acks: all"
            raise ValueError(message)
        return self


class HastyProducerSettings(ProducerSettings):
    """The same for requests that do not wait: nothing is promised, so more is risked for less."""

    acks: Literal["all", "leader"] = Field(
        "leader", description="The same for hasty requests, to which nothing is promised."
    )
    idempotence: bool = Field(False, description="The same; needs acks: all.")
    linger: float = Field(0.1, ge=0, le=5, description="The same; longer makes larger batches.")
    max_pending_size: int = Field(
        32 * MIB, ge=MIB, description="The same; beyond it hasty events are lost, and counted."
    )


class KafkaSinkSettings(Section):
    """Apache Kafka: a 201 means acknowledged by all in-sync replicas."""

    type: Literal["kafka"]
    bootstrap_servers: list[str] = Field(
        min_length=1, description="Brokers to find the cluster by, as host:port."
    )
    client_id: str = Field(
        "sluiceway",
        description="Name of this client in the brokers' logs; with -hasty for hasty requests.",
    )
    security_protocol: Literal["PLAINTEXT", "SSL", "SASL_PLAINTEXT", "SASL_SSL"] = Field(
        "PLAINTEXT", description="PLAINTEXT, SSL, SASL_PLAINTEXT or SASL_SSL."
    )
    tls: TlsSettings = Field(default_factory=lambda: TlsSettings.model_validate({}))
    sasl: SaslSettings = Field(default_factory=lambda: SaslSettings.model_validate({}))
    create_topics: bool = Field(
        False,
        description="Let brokers create topics that do not exist, as they are configured to "
        "(auto.create.topics.enable). Off: such events are refused with a clear answer.",
    )
    request_timeout: float = Field(
        5.0, ge=1, le=60, description="Seconds that a broker may take for one request."
    )
    silence: float = Field(
        4.0,
        ge=0.5,
        le=60,
        description="Seconds without an answer from any broker after which Kafka counts as away: "
        "events are then spooled or refused at once.",
    )
    guaranteed: ProducerSettings = Field(
        default_factory=lambda: ProducerSettings.model_validate({}),
        description="For requests that wait for their answer.",
    )
    hasty: HastyProducerSettings = Field(
        default_factory=lambda: HastyProducerSettings.model_validate({}),
        description="For requests with ?hasty=true.",
    )

    @field_validator("bootstrap_servers")
    @classmethod
    def _are_addresses(cls, value: list[str]) -> list[str]:
        for server in value:
            found = re.fullmatch(r"(\[[0-9A-Fa-f:]+\]|[A-Za-z0-9._-]+)(?::([0-9]{1,5}))?", server)
            if not found or not 0 < int(found[2] or 9092) <= MAX_PORT:
                message = f"{server!r} is no broker's address; write kafka1.example.org:9092"
                raise ValueError(message)
        return value


def _sink_type(value: Any) -> str:
    # A sink of which only the path is said is the one that is the default.
    given = value.get("type") if isinstance(value, dict) else getattr(value, "type", None)
    return str(given or "sqlite")


SinkSettings = Annotated[
    Annotated[SqliteSinkSettings, Tag("sqlite")]
    | Annotated[JsonlSinkSettings, Tag("jsonl")]
    | Annotated[MemorySinkSettings, Tag("memory")]
    | Annotated[KafkaSinkSettings, Tag("kafka")],
    Discriminator(_sink_type),
]


class SpoolSettings(Section):
    """Where events wait, on this machine's disk, that the sink cannot take now."""

    folder: str | None = Field(
        None,
        description="Folder for the spool, one file per process; null: no spool, and such events "
        "are answered 503 or 504.",
    )
    max_size: int = Field(
        1024 * MIB,
        ge=MIB,
        description="Bytes that may wait, per process; beyond it events are answered 503.",
    )
    max_age: float = Field(
        7 * 86400.0,
        gt=0,
        description="Seconds that a stream's oldest event may wait; a stream that waits longer "
        "takes no more until it has drained. Nothing is thrown away for its age.",
    )
    min_free: int = Field(
        64 * MIB, ge=0, description="Bytes of the disk that the spool leaves free."
    )


class ErrorStreamSettings(Section):
    """Where events are told about that were refused for their own fault."""

    name: str | None = Field(
        "sluiceway.error", description="The stream; null: no error events are made."
    )
    schema_uri: str = Field(
        "/sluiceway/error/1.0.0", description="Schema of error events; the default is built in."
    )
    max_raw_event: int = Field(
        64 * KIB, ge=0, description="Characters of the refused event that are kept."
    )


class LegacySettings(Section):
    """The old EventLogging wire."""

    mapping: str | None = Field(
        None, description="File that says which schema and stream old schema names mean."
    )
    recv_from: str | None = Field(
        None, description="Own host name for the field recvFrom; null: this machine's."
    )


class JwtSettings(Section):
    """Tokens of one issuer, which prove who sends."""

    jwks: str | None = Field(
        None,
        description="The issuer's public keys (JWKS): a file, or an https URI; null: tokens are "
        "refused.",
    )
    issuer: str | None = Field(None, description="What a token's claim `iss` must be.")
    audience: list[str] = Field(
        default_factory=list, description="A token's claim `aud` must have one of these."
    )
    algorithms: list[
        Literal[
            "RS256",
            "RS384",
            "RS512",
            "PS256",
            "PS384",
            "PS512",
            "ES256",
            "ES384",
            "ES512",
            "EdDSA",
        ]
    ] = Field(
        default=["RS256", "ES256"],
        min_length=1,
        description="Signatures that count: RS256, RS384, RS512, PS256, PS384, PS512, ES256, "
        "ES384, ES512 or EdDSA.",
    )
    subject_claim: str = Field(
        "sub", min_length=1, description="The claim that says who the token's owner is."
    )
    subject_prefix: str = Field(
        "",
        description="Put before that claim's value, so that no token can name an API key's owner.",
    )
    leeway: float = Field(
        30.0, ge=0, le=300, description="Seconds that the issuer's clock may be off."
    )
    ttl: float = Field(
        300.0, ge=1, description="Seconds after which the keys are fetched again, or read."
    )
    interval: float = Field(
        10.0,
        ge=1,
        description="Seconds that lie at least between two fetches, however many tokens name keys "
        "that are not known.",
    )
    timeout: float = Field(5.0, gt=0, le=30, description="Seconds that one fetch may take.")

    @model_validator(mode="after")
    def _is_whole(self) -> Self:
        if self.jwks is None:
            return self
        if not self.issuer or not self.audience:
            message = (
                "jwks needs issuer and audience: without them a token that was made for anybody "
                "else would be taken here"
            )
            raise ValueError(message)
        if "://" not in self.jwks:
            return self
        url = urlsplit(self.jwks)  # its ValueError, or that of the port, says what is wrong
        if url.scheme not in {"http", "https"} or not url.hostname or url.port == 0:
            message = "jwks is neither a file's path nor an https URI"
            raise ValueError(message)
        if url.scheme == "http" and url.hostname not in LOOPBACK:
            message = "jwks must be fetched by https: on the way, http lets anybody change the keys"
            raise ValueError(message)
        return self


class AuthSettings(Section):
    """Who may be believed to be who. Without any of it, credentials are not looked at."""

    api_keys: dict[str, str | list[str]] = Field(
        default_factory=dict,
        description="Owners of API keys, each with the hash of the key, or hashes of several; "
        "`sluiceway keys new NAME` makes both.",
    )
    api_keys_file: str | None = Field(
        None, description="File (YAML or JSON) with further owners and hashes, in the same form."
    )
    jwt: JwtSettings = Field(default_factory=lambda: JwtSettings.model_validate({}))

    @field_validator("api_keys")
    @classmethod
    def _are_hashes(cls, value: dict[str, str | list[str]]) -> dict[str, str | list[str]]:
        for owner, hashes in value.items():
            if problem := hash_problem(owner, hashes):
                raise ValueError(problem)
        return value


def hash_problem(owner: Any, hashes: Any) -> str | None:
    """Say what is wrong with the hashes of an owner's API keys, without showing them."""
    if not isinstance(owner, str) or not 0 < len(owner) <= MAX_NAME or not owner.isprintable():
        return f"an owner's name is 1 to {MAX_NAME} visible characters"
    several = hashes if isinstance(hashes, list) else [hashes]
    if not several or not all(isinstance(h, str) and KEY_HASH.fullmatch(h) for h in several):
        return (
            f"{owner} has something that is no hash like sha256:0f3c..., of 64 hexadecimal digits; "
            "keys themselves are never kept here. `sluiceway keys new NAME` makes both."
        )
    return None


class LimitSettings(Section):
    """How much each client may send, in each process: one that is identified, or an address."""

    requests_per_second: float | None = Field(
        None, gt=0, description="Requests that a client may send over time; null: any number."
    )
    request_burst: int | None = Field(
        None, ge=1, description="Requests at once; null: those of one second."
    )
    events_per_second: float | None = Field(
        None, gt=0, description="Events that a client may send over time; null: any number."
    )
    event_burst: int | None = Field(
        None,
        ge=1,
        description="Events at once; null: those of one second. The last batch may exceed it.",
    )
    max_clients: int = Field(
        10_000, ge=1, description="Clients remembered; the one heard of longest ago is forgotten."
    )

    @model_validator(mode="after")
    def _have_rates(self) -> Self:
        if self.request_burst and self.requests_per_second is None:
            message = "request_burst needs requests_per_second"
            raise ValueError(message)
        if self.event_burst and self.events_per_second is None:
            message = "event_burst needs events_per_second"
            raise ValueError(message)
        return self


class AccessLogSettings(Section):
    """Lines about requests, for those who need them; metrics count every request anyway."""

    enabled: bool = Field(False, description="Write a line about each request.")
    sample: float = Field(
        1.0,
        ge=0,
        le=1,
        description="Share of the requests that went well of which a line is written; those that "
        "did not are all written.",
    )
    client_ip: Literal["drop", "truncate", "keep"] = Field(
        "drop",
        description="What a line says of the client's address: nothing (drop), its network "
        "(truncate: 24 bits of IPv4, 48 of IPv6), or all of it (keep).",
    )


class LogSettings(Section):
    """What the service says about itself, on standard error."""

    format: Literal["text", "json"] = Field("text", description="Lines for people or machines.")
    level: Literal["debug", "info", "warning", "error"] = Field(
        "info",
        description="Least severity that is shown. At debug, exceptions are shown with what they "
        "say, which may repeat what a client sent.",
    )
    access: AccessLogSettings = Field(default_factory=lambda: AccessLogSettings.model_validate({}))


class Settings(BaseSettings):
    """All settings of a Sluiceway service."""

    model_config = SettingsConfigDict(
        env_prefix=ENV_PREFIX, env_nested_delimiter="__", extra="forbid", frozen=True
    )

    service_name: str = Field(
        "sluiceway", description="Name in /_info and `emitter_id` of error events."
    )
    http: HttpSettings = Field(default_factory=lambda: HttpSettings.model_validate({}))
    schemas: SchemaSettings = Field(default_factory=lambda: SchemaSettings.model_validate({}))
    streams: StreamSettings = Field(default_factory=lambda: StreamSettings.model_validate({}))
    sink: SinkSettings = Field(
        default_factory=lambda: SqliteSinkSettings.model_validate({}),
        description="Where events go.",
    )
    spool: SpoolSettings = Field(default_factory=lambda: SpoolSettings.model_validate({}))
    error_stream: ErrorStreamSettings = Field(
        default_factory=lambda: ErrorStreamSettings.model_validate({})
    )
    legacy: LegacySettings = Field(default_factory=lambda: LegacySettings.model_validate({}))
    auth: AuthSettings = Field(default_factory=lambda: AuthSettings.model_validate({}))
    limits: LimitSettings = Field(default_factory=lambda: LimitSettings.model_validate({}))
    log: LogSettings = Field(default_factory=lambda: LogSettings.model_validate({}))
    topic_prefix: str = Field(
        "",
        pattern=r"^[A-Za-z0-9._-]{0,100}$",
        description="Put before a stream's name to make its topic, except for eventlogging_*.",
    )
    meta_dt: Literal["receive_time", "client"] = Field(
        "receive_time",
        description="What meta.dt is: always the time of receipt, or the client's if it sent one.",
    )
    enrich_fields_from_http_headers: dict[str, str | Literal[False]] = Field(
        default={"meta.request_id": "x-request-id"},
        description="Fields filled from request headers on every stream that does not say "
        "otherwise: {field: header, or false for never}.",
    )
    test_events: str | None = Field(
        None,
        description="File with events (a list, or an object with a list named good) that GET "
        "/v1/_test/events sends through the service; null: that route is off.",
    )

    @field_validator("enrich_fields_from_http_headers")
    @classmethod
    def _hold_no_secrets(
        cls, value: dict[str, str | Literal[False]]
    ) -> dict[str, str | Literal[False]]:
        for field, header in value.items():
            if header and header.lower() in SECRET_HEADERS:
                message = f"{field}: credentials are never stored in events"
                raise ValueError(message)
        return value

    @classmethod
    def settings_customise_sources(
        cls,
        settings_cls: type[BaseSettings],  # noqa: ARG003 (pydantic-settings names it)
        init_settings: PydanticBaseSettingsSource,
        env_settings: PydanticBaseSettingsSource,
        dotenv_settings: PydanticBaseSettingsSource,  # noqa: ARG003 (the same)
        file_secret_settings: PydanticBaseSettingsSource,  # noqa: ARG003 (the same)
    ) -> tuple[PydanticBaseSettingsSource, ...]:
        # The YAML file arrives as init values (`load_settings`), below the environment.
        return (env_settings, init_settings)

    @model_validator(mode="after")
    def _is_whole(self) -> Self:
        if self.schemas.base_uris and not self.streams.uri:
            message = (
                "schemas.base_uris is set but streams.uri is not: say where the stream "
                "configuration is (or set neither, to run the demo)"
            )
            raise ValueError(message)
        if self.streams.uri and not self.schemas.base_uris:
            message = (
                "streams.uri is set but schemas.base_uris is not: say where the schemas are "
                "(or set neither, to run the demo)"
            )
            raise ValueError(message)
        return self

    @property
    def demo(self) -> bool:
        """Whether the demo schemas and streams are in force: nothing else was configured."""
        return not self.schemas.base_uris and not self.streams.uri
