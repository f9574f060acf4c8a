"""Privacy of a stream: how much of a client's address is kept, and what a wish for privacy does."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from functools import lru_cache
from ipaddress import ip_network
from typing import Any, Literal, Self, get_args

AddressRule = Literal["keep", "truncate", "drop"]
OptOutRule = Literal["ignore", "withhold"]

KEPT_BITS = {4: 24, 6: 48}
"""Bits of an address that a truncated one keeps: about a company's or a household's network."""


_CHOICES: Mapping[str, tuple[str, ...]] = {
    "client_ip": get_args(AddressRule),
    "opt_out": get_args(OptOutRule),
}


class PrivacyError(ValueError):
    """The setting cannot be used; the message says why."""


@dataclass(frozen=True, slots=True)
class Privacy:
    """What a stream does for privacy.

    `client_ip` says what becomes of `http.client_ip`. `opt_out` says what `Sec-GPC: 1` and `DNT: 1`
    do: nothing, or nothing that tells of the person is taken from the request.
    """

    client_ip: AddressRule = "keep"
    opt_out: OptOutRule = "ignore"

    @classmethod
    def parse(cls, table: Mapping[str, Any]) -> Self:
        """Read the setting `privacy` of a stream; raises PrivacyError."""
        for name, value in table.items():
            choices = _CHOICES.get(name)
            if choices is None:
                raise PrivacyError(
                    f"privacy.{name[:100]!r} is unknown; there are {_listed(_CHOICES)}"
                )
            if value not in choices:
                raise PrivacyError(f"privacy.{name} is none of {_listed(choices)}")
        return cls(**table)


NO_PRIVACY = Privacy()


@lru_cache(4_096)
def truncated(address: str) -> str | None:
    """Return an address with its last bits zero, None for what is no address."""
    try:
        whole = ip_network(address)
    except ValueError:
        return None
    if whole.num_addresses > 1:
        return None
    return str(whole.supernet(new_prefix=KEPT_BITS[whole.version]).network_address)


def _listed(names: Iterable[str]) -> str:
    return ", ".join(names)
