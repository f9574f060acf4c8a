"""Which headers of a request hold secrets: they are never put into events, logs or answers."""

SECRET_HEADERS = frozenset(("authorization", "proxy-authorization", "x-api-key"))
