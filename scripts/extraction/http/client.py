"""One JSON answer after the other from an API, politely, and in the end for sure."""

from __future__ import annotations

import json
import threading
import time
import urllib.parse
import urllib.request
from datetime import datetime, timezone
from email.utils import parsedate_to_datetime
from typing import Any

import urllib3
from tenacity import (
    RetryCallState,
    Retrying,
    retry_if_exception_type,
    sleep_using_event,
    stop_after_attempt,
    stop_after_delay,
    stop_all,
    stop_when_event_set,
    wait_exponential_jitter,
)
from urllib3.exceptions import HTTPError, LocationParseError, NameResolutionError, SSLError
from urllib3.util import Url, make_headers, parse_url

from common.sources import EXAMPLES
from extraction.errors import ExtractError
from extraction.http.settings import HttpSettings

# Statuses that may be another one in a moment.
TRANSIENT = {408, 425, 429, 500, 502, 503, 504}
# Seconds. Whoever asks for a longer pause is asked again by the next run.
LONGEST_PAUSE = 300.0
LONGEST_BACKOFF = 30.0
CHUNK_BYTES = 64 * 1024


class StoppedError(Exception):
    """Somebody called `stop`."""


class _TryAgainError(Exception):
    """The same request may succeed; not before `after` seconds, if the server says so."""

    def __init__(self, message: str, after: float = 0.0) -> None:
        super().__init__(message)
        self.after = after


class Pace:
    """Lets requests through one by one, at most so many a second, none during a pause."""

    def __init__(self, per_second: float) -> None:
        self._interval = 1 / per_second
        self._next = self._paused_until = 0.0
        self._lock = threading.Lock()

    def wait(self, stopped: threading.Event) -> None:
        """Returns when it is the caller's turn, or when `stopped` is set."""
        turn = 0.0
        while not stopped.is_set() and turn <= self._paused_until:
            with self._lock:
                # A turn that nobody took is not made up for by a burst.
                turn = max(self._next, time.monotonic())
                self._next = turn + self._interval
            stopped.wait(max(0.0, turn - time.monotonic()))

    def pause(self, seconds: float) -> None:
        """Nobody's turn comes in the next so many seconds."""
        with self._lock:
            self._paused_until = max(self._paused_until, time.monotonic() + seconds)
            self._next = max(self._next, self._paused_until + self._interval)


class JsonClient:
    """Asks for the JSON documents below a URL; many threads may use it at once.

    Connections are kept alive, at most `concurrency` of them. Proxies and certificate authorities
    are those of the machine (`HTTPS_PROXY`, `SSL_CERT_FILE`).
    """

    def __init__(self, name: str, url: str, settings: HttpSettings) -> None:
        self._name = name
        self._settings = settings
        self._pace = Pace(settings.requests_per_second)
        self._stopped = threading.Event()
        parts = _parsed(name, url)
        self._base = parts._replace(auth=None).url.rstrip("/")
        self._headers = {
            "Accept": "application/json",
            "User-Agent": "medallion",
            **make_headers(keep_alive=True, basic_auth=_unquoted(parts.auth)),
        }
        self._pool = _pool(parts.scheme or "https", parts.host or "", settings.concurrency)

    def get(self, path: str, patience: float = 0.0) -> Any:  # noqa: ANN401  # whatever JSON holds
        """The document at a path.

        What may pass is tried again: `attempts` times, and for at least `patience` seconds. Raises
        ExtractError that names the path when that was in vain, and StoppedError after `stop`.
        """
        backoff = wait_exponential_jitter(multiplier=0.25, max=LONGEST_BACKOFF, jitter=0.25)

        def wait(state: RetryCallState) -> float:
            error = state.outcome.exception() if state.outcome else None
            return max(backoff(state), getattr(error, "after", 0.0))

        attempts = 0
        try:
            for attempt in Retrying(
                retry=retry_if_exception_type(_TryAgainError),
                wait=wait,
                sleep=sleep_using_event(self._stopped),
                stop=stop_when_event_set(self._stopped)
                | stop_all(stop_after_attempt(self._settings.attempts), stop_after_delay(patience)),
                reraise=True,
            ):
                attempts = attempt.retry_state.attempt_number
                with attempt:
                    return self._ask(path)
        except _TryAgainError as error:
            if self._stopped.is_set():
                raise StoppedError from None
            raise ExtractError(
                f"{self._name}: {path}: {error} (tried {attempts} times). "
                "Nothing of this batch has landed; run again."
            ) from None
        raise AssertionError("tenacity returns or raises")

    def stop(self) -> None:
        """Ends all requests soon, those that wait for their turn or for another try included."""
        self._stopped.set()

    def close(self) -> None:
        self.stop()
        self._pool.clear()

    def _ask(self, path: str) -> Any:  # noqa: ANN401
        self._pace.wait(self._stopped)
        if self._stopped.is_set():
            raise StoppedError
        body = self._body(path)
        try:
            return json.loads(body, parse_constant=_no_json)
        except (ValueError, RecursionError):
            raise _TryAgainError(f"the answer is not JSON. DETAIL: {body[:60]!r}") from None

    def _body(self, path: str) -> bytes:
        deadline = time.monotonic() + self._settings.timeout
        try:
            response = self._pool.request(
                "GET",
                f"{self._base}/{path}",
                headers=self._headers,
                timeout=urllib3.Timeout(self._settings.timeout),
                retries=False,
                redirect=False,
                preload_content=False,
            )
            try:
                self._check_status(path, response)
                return self._read(path, response, deadline)
            except BaseException:
                response.close()  # what is left of this answer must not begin the next
                raise
            finally:
                response.release_conn()
        except (NameResolutionError, SSLError) as error:
            raise ExtractError(f"{self._name}: {path}: {_reason(error)}") from None
        except HTTPError as error:
            raise _TryAgainError(_reason(error)) from None

    def _check_status(self, path: str, response: urllib3.BaseHTTPResponse) -> None:
        status = response.status
        if status == 200:
            return
        if status not in TRANSIENT:
            moved = ", it points elsewhere" if 300 <= status < 400 else ""
            raise ExtractError(
                f"{self._name}: {path}: HTTP {status} {response.reason or ''}{moved}: check the "
                "URL in the source's variable, and what it lets this machine do."
            )
        after = _retry_after(response.headers.get("Retry-After"))
        if after > LONGEST_PAUSE:
            raise ExtractError(
                f"{self._name}: {path}: HTTP {status}, the server asks to come back in {after:g} "
                "seconds. Nothing of this batch has landed; run again then, with fewer "
                "`requests_per_second`."
            )
        self._pace.pause(after)
        raise _TryAgainError(f"HTTP {status} {response.reason or ''}".rstrip(), after)

    def _read(self, path: str, response: urllib3.BaseHTTPResponse, deadline: float) -> bytes:
        body = b""
        while chunk := response.read1(CHUNK_BYTES):
            body += chunk
            if len(body) > self._settings.max_response_bytes:
                raise ExtractError(
                    f"{self._name}: {path}: the answer is larger than `max_response_bytes` "
                    f"({self._settings.max_response_bytes:,})."
                )
            if time.monotonic() > deadline:
                raise _TryAgainError(f"no whole answer in {self._settings.timeout:g} s")
        expected = response.headers.get("Content-Length")
        if expected is not None and int(expected) != len(body):
            raise _TryAgainError(f"the answer was cut after {len(body)} of {expected} bytes")
        return body


def _parsed(name: str, url: str) -> Url:
    """Raises ExtractError without the URL's content, which may hold a password."""
    try:
        parts = parse_url(url)
    except LocationParseError:
        parts = Url()
    # A bare /, ? or # ends a password early: the rest would be taken for a port and a path.
    if not parts.host or "@" in parts.request_uri + (parts.fragment or ""):
        raise ExtractError(
            f"{name}: is not an HTTP URL ({EXAMPLES['http']}; write special characters as %xx)"
        )
    return parts


def _pool(scheme: str, host: str, connections: int) -> urllib3.PoolManager:
    options: dict[str, Any] = {"num_pools": 1, "maxsize": connections, "block": True}
    proxy = urllib.request.getproxies().get(scheme)
    if proxy and not urllib.request.proxy_bypass(host):
        auth = _unquoted(_parsed(f"{scheme.upper()}_PROXY", proxy).auth)
        headers = make_headers(proxy_basic_auth=auth)
        return urllib3.ProxyManager(proxy, proxy_headers=headers, **options)
    return urllib3.PoolManager(**options)


def _unquoted(auth: str | None) -> str | None:
    """User and password of a URL as they are, where `@` is not `%40` any more."""
    return None if auth is None else urllib.parse.unquote(auth)


def _no_json(constant: str) -> None:
    """Python takes NaN and Infinity, JSON and databases don't."""
    raise ValueError(constant)


def _reason(error: BaseException) -> str:
    """What happened, without the URL that urllib3 likes to repeat."""
    return f"{type(error).__name__}: {str(error).rpartition('): ')[2] or error}"


def _retry_after(value: str | None) -> float:
    """Seconds of a Retry-After header: a number, or a date."""
    if not value:
        return 0.0
    try:
        return max(0.0, float(value))
    except ValueError:
        pass
    try:
        moment = parsedate_to_datetime(value)
    except ValueError:
        return 0.0
    if moment.tzinfo is None:  # such a date is in UTC
        moment = moment.replace(tzinfo=timezone.utc)
    return max(0.0, (moment - datetime.now(timezone.utc)).total_seconds())
