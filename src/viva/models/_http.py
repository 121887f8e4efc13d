"""HTTP to the servers of a model: one session, no key in what comes out of it."""

from __future__ import annotations

import asyncio
import contextlib
import itertools
import os
import time
from typing import TYPE_CHECKING

from viva.models._refusals import one_line, redacted
from viva.models._replicas import Replica
from viva.models.failures import CallFailed, Failure

if TYPE_CHECKING:
    import aiohttp

__all__ = ["LARGEST_REPLY", "NO_TLS", "UNTRUSTED", "Http"]

LARGEST_REPLY = 64 * 2**20
"""Bytes of a reply, decompressed, that are read at most."""

UNTRUSTED = "its certificate is not trusted"
NO_TLS = "no TLS connection"
"""Words of failures for which starting a server is no remedy."""

_CONNECT_SECONDS = 10.0

_IDLE_SECONDS = 4.0
"""An idle connection is given up before uvicorn (vLLM, SGLang) closes it, after 5 seconds."""

_SHORTEST_KEY = 8
"""Shorter keys are placeholders such as ``EMPTY``, a word that a model may write."""

_HEADERS = ("Content-Type", "Date", "Location", "Retry-After", "retry-after-ms")
_BUSY = (502, 503, 504)


_RESENDS = 4
"""Connections that may turn out to be closed, one after another, before a try has failed."""


class _UnsentError(Exception):
    """The server had closed the connection before anything was sent: nothing was asked."""


class Http:
    """Exchanges with several servers over one lazily opened session.

    Parameters
    ----------
    replicas : list of Replica
        Servers of the same model.
    key : str, optional
        Sent in the Authorization header and struck out of whatever comes back.
    """

    def __init__(self, replicas: list[Replica], key: str | None) -> None:
        self._replicas = replicas
        self._key = key
        self._turn = itertools.count()
        self._session: aiohttp.ClientSession | None = None
        self._loop: asyncio.AbstractEventLoop | None = None

    @property
    def has_key(self) -> bool:
        """Whether requests carry a key."""
        return self._key is not None

    def least_busy(self) -> Replica:
        """The server with the fewest calls in flight, of those that do not rest after failures."""
        if len(self._replicas) == 1:
            return self._replicas[0]
        now = time.monotonic()
        awake = [r for r in self._replicas if r.rests_until <= now]
        if not awake:
            return min(self._replicas, key=lambda r: r.rests_until)
        start = next(self._turn) % len(awake)  # equals take turns
        return min(awake[start:] + awake[:start], key=lambda r: r.in_flight)

    async def exchange(
        self, method: str, replica: Replica, path: str, *, data: bytes | None, seconds: float
    ) -> tuple[int, dict[str, str], bytes]:
        """One request and its whole reply.

        Parameters
        ----------
        method : str
            ``GET`` or ``POST``.
        replica : Replica
            The server; its load and failures are noted.
        path : str
            Below the base URL.
        data : bytes or None
            JSON.
        seconds : float
            Most time until the last byte.

        Returns
        -------
        status, headers, body
            Of headers those that are read; the key is struck out of headers and body.

        Raises
        ------
        CallFailed
            CONNECTION, TIME_OUT or MALFORMED.
        """
        replica.in_flight += 1
        try:
            for _ in range(_RESENDS):
                with contextlib.suppress(_UnsentError):
                    status, headers, body = await self._exchange(
                        method, replica, path, data, seconds
                    )
                    break
            else:
                raise CallFailed(Failure.CONNECTION, f"{replica.shown} closes its connections")
        except CallFailed as failure:
            replica.failed(failure.failure is Failure.CONNECTION)
            raise
        finally:
            replica.in_flight -= 1
        replica.failed(status in _BUSY)
        return status, headers, body

    async def _exchange(
        self, method: str, replica: Replica, path: str, data: bytes | None, seconds: float
    ) -> tuple[int, dict[str, str], bytes]:
        import aiohttp

        session = self._open()
        headers = {"Content-Type": "application/json"}
        if self._key:
            headers["Authorization"] = f"Bearer {self._key}"
        try:
            async with session.request(
                method,
                replica.address(path),
                data=data,
                headers=headers,
                proxy=replica.proxy,
                allow_redirects=False,
                timeout=aiohttp.ClientTimeout(total=seconds, sock_connect=_CONNECT_SECONDS),
            ) as reply:
                parts, size = [], 0
                async for part in reply.content.iter_any():
                    size += len(part)
                    if size > LARGEST_REPLY:
                        reply.close()
                        raise CallFailed(Failure.MALFORMED, f"more than {LARGEST_REPLY} bytes")
                    parts.append(part)
                body = b"".join(parts)
                if self._key and (reply.status >= 300 or len(self._key) >= _SHORTEST_KEY):
                    body = body.replace(self._key.encode(), b"***")
                said = {n: redacted(reply.headers[n], self._key) for n in _HEADERS
                        if n in reply.headers}  # fmt: skip
                if reply.status >= 500:
                    # uvicorn closes a connection after an error: the next call would be lost.
                    reply.close()
                return reply.status, said, body
        except (aiohttp.ClientPayloadError, aiohttp.ClientResponseError) as error:
            broken = self._broken(Failure.MALFORMED, "the reply broke off", error)
        except aiohttp.ClientConnectorCertificateError as error:
            why = getattr(error.certificate_error, "verify_message", "") or "not verified"
            broken = CallFailed(
                Failure.CONNECTION, one_line(f"{replica.shown}: {UNTRUSTED}: {why}")
            )
        except aiohttp.ClientConnectorSSLError as error:
            why = getattr(error.os_error, "reason", None) or "refused"
            broken = CallFailed(Failure.CONNECTION, one_line(f"{replica.shown}: {NO_TLS}: {why}"))
        except (aiohttp.ConnectionTimeoutError, aiohttp.ClientConnectorError) as error:
            broken = self._broken(Failure.CONNECTION, f"{replica.shown} not reached", error)
        except TimeoutError:
            broken = CallFailed(Failure.TIME_OUT, f"no reply within {seconds:g} s")
        except (aiohttp.ClientError, OSError) as error:
            closed = aiohttp.ClientConnectionResetError
            if isinstance(error, closed) or isinstance(error.__cause__, closed):
                raise _UnsentError from None
            broken = self._broken(Failure.CONNECTION, f"{replica.shown} broke off", error)
        # Outside the handlers: aiohttp's errors hold the request's headers, and so the key.
        raise broken

    def _broken(self, failure: Failure, what: str, error: BaseException) -> CallFailed:
        """A failure in the system's words; other errors may quote requests: their names only."""
        cause = getattr(error, "os_error", error)
        timed_out = isinstance(error, TimeoutError)
        said = f"no connection in {_CONNECT_SECONDS:g} s" if timed_out else type(error).__name__
        if isinstance(cause, OSError):
            known = cause.errno is not None and cause.errno > 0
            said = os.strerror(cause.errno or 0) if known else cause.strerror or said
        return CallFailed(failure, one_line(redacted(f"{what}: {said}", self._key)))

    def _open(self) -> aiohttp.ClientSession:
        """The session of the running loop, made when first needed."""
        import aiohttp

        loop = asyncio.get_running_loop()
        if self._session is None or self._session.closed or self._loop is not loop:
            self._let_go()
            connector = aiohttp.TCPConnector(limit=0, keepalive_timeout=_IDLE_SECONDS)
            # Proxies are looked up by server, never for this machine; ~/.netrc is not read.
            self._session = aiohttp.ClientSession(connector=connector, trust_env=False)
            self._loop = loop
        return self._session

    def _let_go(self) -> None:
        """Drop a session whose loop is gone: its sockets cannot be closed politely."""
        session, self._session = self._session, None
        if session is None or session.closed:
            return
        connector = session.connector
        session.detach()
        if connector is not None:
            # Its public close() would wait on the loop that is gone.
            with contextlib.suppress(RuntimeError):
                connector._close()

    async def close(self) -> None:
        """Close the connections; a later exchange opens new ones."""
        session, self._session = self._session, None
        if session is None:
            return
        if self._loop is asyncio.get_running_loop():
            await session.close()
        else:
            self._session = session
            self._let_go()
