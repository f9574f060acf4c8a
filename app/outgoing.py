"""The http client for what we fetch: servers that send without end may not fill our memory."""

import socket
import ssl
from urllib.request import getproxies

import httpx

RECEIVE_BUFFER = 64 * 1024
"""Bytes that a connection may hold before we have looked at them.

The system lets buffers of fast connections grow to megabytes, and the event loop takes in all that
is there before anybody can say that it was enough: sixteen endless documents at once took 120 MB.
"""


def client(*, timeout: float, verify: ssl.SSLContext | bool = True) -> httpx.AsyncClient:
    """Return a client with small buffers; to be closed by the caller."""
    if getproxies():
        # Proxies that the environment names are only heeded where httpx makes the connections.
        return httpx.AsyncClient(verify=verify, timeout=timeout)
    options = [(socket.SOL_SOCKET, socket.SO_RCVBUF, RECEIVE_BUFFER)]
    transport = httpx.AsyncHTTPTransport(verify=verify, socket_options=options)
    return httpx.AsyncClient(transport=transport, timeout=timeout)
