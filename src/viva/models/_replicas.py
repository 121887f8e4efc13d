"""Where the servers of a model are: addresses, proxies, and which of them rest."""

from __future__ import annotations

import ipaddress
import time
import urllib.request
from collections.abc import Iterable
from dataclasses import dataclass
from urllib.parse import urlsplit

from viva.errors import InputError

__all__ = ["Replica", "replicas_of"]

_LONGEST_REST = 30.0
_ENDINGS = ("/chat/completions", "/completions", "/models")


@dataclass(slots=True)
class Replica:
    """One server of a model."""

    shown: str
    """Its base URL for messages, without query."""
    query: str
    host: str
    local: bool
    """This machine or a private network."""
    proxy: str | None
    in_flight: int = 0
    failures: int = 0
    """Failed connections since the last that worked."""
    rests_until: float = 0.0
    """Monotonic time before which other servers are preferred."""

    def address(self, path: str) -> str:
        """The URL of an endpoint."""
        return f"{self.shown}{path}{self.query}"

    def failed(self, broken: bool) -> None:
        """Note how a call ended: a server that is down has the fewest calls in flight."""
        if not broken:
            self.failures = 0
            return
        self.failures += 1
        rest = min(_LONGEST_REST, 0.5 * 2 ** min(self.failures, 10))
        self.rests_until = time.monotonic() + rest


def _is_local(host: str) -> bool:
    """Whether a host is this machine or a private network by its name or address."""
    try:
        address = ipaddress.ip_address(host)
    except ValueError:
        name = host.lower().rstrip(".")
        return "." not in name or name.endswith((".localhost", ".local", ".internal", ".lan"))
    return address.is_private or address.is_loopback or address.is_unspecified


def _is_this_machine(host: str) -> bool:
    try:
        address = ipaddress.ip_address(host)
    except ValueError:
        return host.lower().rstrip(".") == "localhost"
    return address.is_loopback or address.is_unspecified


def _proxy(scheme: str, host: str) -> str | None:
    """The proxy of the environment for a host; none for this machine."""
    if _is_this_machine(host) or urllib.request.proxy_bypass(host):
        return None
    proxies = urllib.request.getproxies()
    found = proxies.get(scheme) or proxies.get("all")
    return found if found is None or "://" in found else f"http://{found}"


def _replica(url: str) -> Replica:
    said = url.strip()
    parts = urlsplit(said if "://" in said else f"http://{said}")
    try:
        host, _ = parts.hostname, parts.port
    except ValueError:
        host = None
    if parts.scheme not in ("http", "https") or not host or any(c.isspace() for c in said):
        raise InputError(
            f"{url.rpartition('@')[2]!r} is no base URL", mend="Write it as http://HOST:PORT/v1"
        )
    if "@" in parts.netloc:
        raise InputError(
            f"the base URL of {host} holds a user name or password",
            mend="Give the key by an environment variable (--api-key-env)",
        )
    path = parts.path.rstrip("/")
    for ending in _ENDINGS:
        path = path.removesuffix(ending)
    # Every server has its routes under /v1; a longer path is a gateway's own.
    path = path or "/v1"
    query = f"?{parts.query}" if parts.query else ""
    shown = f"{parts.scheme}://{parts.netloc}{path}"
    return Replica(shown, query, host, _is_local(host), _proxy(parts.scheme, host))


def replicas_of(urls: Iterable[str]) -> list[Replica]:
    """The servers behind base URLs.

    Parameters
    ----------
    urls : iterable of str
        With or without ``http://`` and ``/v1``; a pasted ``/chat/completions`` is cut off. The
        same server given twice counts once.

    Raises
    ------
    InputError
        Not a URL, or one that holds a password.
    """
    made: dict[str, Replica] = {}
    for url in urls:
        replica = _replica(url)
        made.setdefault(replica.shown + replica.query, replica)
    return list(made.values())
