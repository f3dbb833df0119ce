"""Many tables at once: one that fails does not stop the others."""

from __future__ import annotations

import uuid
from collections.abc import Callable, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor, as_completed
from dataclasses import dataclass

from tenacity import RetryCallState, Retrying, retry_if_exception_type, stop_after_attempt
from tenacity.wait import wait_exponential_jitter

from common import postgres, sqlserver
from common.sources import kind_of
from extraction.batch import load_table, plan_table
from extraction.drift import Drift
from extraction.engine import BatchResult, Observer, Reader, Window
from extraction.engines import open_reader, open_writer
from extraction.errors import ExtractError, TransientError, redact
from extraction.spec import TableSpec
from notifying.masking import without_data

ATTEMPTS = 4


@dataclass(frozen=True)
class Options:
    """What a run is asked for.

    `urls` are by source, `target` is the warehouse's name in dbt. Seconds: `wait` for a server that
    is starting, `backoff` before a failed batch is first tried again.
    """

    warehouse: str
    urls: Mapping[str, str]
    since: str | None = None
    full_refresh: bool = False
    threads: int = 4
    wait: float = 60.0
    backoff: float = 0.5
    target: str = "dev"


@dataclass(frozen=True)
class Plan:
    """What a run would do with one table."""

    spec: TableSpec
    drift: Drift | None = None
    window: Window | None = None
    rows: int = 0
    error: str | None = None


def extract(
    specs: Sequence[TableSpec],
    options: Options,
    observer: Observer,
    done: Callable[[BatchResult], None],
) -> list[BatchResult]:
    """Loads the tables; calls `done` as each ends. Their failures are in the results.

    Raises ExtractError only if there is no warehouse to load into, or the wrong one.
    """
    for attempt in _attempts(options):
        with attempt:
            _prepare(options)
    run_id = str(uuid.uuid4())
    pool = ThreadPoolExecutor(options.threads, thread_name_prefix="extract")
    try:
        futures = [pool.submit(_load, spec, options, observer, run_id) for spec in specs]
        for future in as_completed(futures):
            done(future.result())
        return [future.result() for future in futures]
    finally:
        # Ctrl-C ends the run, not with the last batch but now.
        pool.shutdown(wait=False, cancel_futures=True)


def never_landed(specs: Sequence[TableSpec], warehouse: str, wait: float) -> list[TableSpec]:
    """Those of the tables of which landing has nothing yet."""
    writer = open_writer(warehouse, wait)
    try:
        return [spec for spec in specs if not writer.landing_columns(spec)]
    finally:
        writer.close()


def plan(specs: Sequence[TableSpec], options: Options) -> list[Plan]:
    """What `extract` would do now. Changes nothing, at the source or in the warehouse."""
    with ThreadPoolExecutor(options.threads) as pool:
        return list(pool.map(lambda spec: _plan(spec, options), specs))


def _load(spec: TableSpec, options: Options, observer: Observer, run_id: str) -> BatchResult:
    warnings: list[str] = []

    def say_why(state: RetryCallState) -> None:
        if state.outcome and (error := state.outcome.exception()):
            warnings.append(f"tried again after: {_clean(error, spec, options)}")

    try:
        for attempt in _attempts(options, say_why):
            with attempt:
                result = _attempt(spec, options, observer, run_id)
                result.warnings = warnings + result.warnings
                return result
    except Exception as error:  # whatever it is, the other tables go on
        text = _clean(error, spec, options)
        if not isinstance(error, ExtractError):
            text = f"{spec.name}: unexpected {type(error).__name__}: {text}"
        return BatchResult(spec, status="failed", error=text, warnings=warnings)
    raise AssertionError("tenacity returns or raises")


def _attempts(
    options: Options, say_why: Callable[[RetryCallState], None] | None = None
) -> Retrying:
    """Tries again what another try may mend."""
    return Retrying(
        retry=retry_if_exception_type(TransientError),
        wait=wait_exponential_jitter(multiplier=options.backoff, max=10, jitter=options.backoff),
        stop=stop_after_attempt(ATTEMPTS),
        before_sleep=say_why,
        reraise=True,
    )


def _prepare(options: Options) -> None:
    writer = open_writer(options.warehouse, options.wait)
    try:
        writer.check_environment(options.target)
        writer.abandon_killed()
    finally:
        writer.close()


def _attempt(spec: TableSpec, options: Options, observer: Observer, run_id: str) -> BatchResult:
    writer = open_writer(options.warehouse, options.wait)
    try:
        return load_table(
            spec,
            lambda: _open_reader(spec, options),
            writer,
            observer,
            run_id=run_id,
            recorded=lambda error: _recorded(error, spec, options),
            since=options.since,
            full_refresh=options.full_refresh,
        )
    finally:
        writer.close()


def _plan(spec: TableSpec, options: Options) -> Plan:
    try:
        writer = open_writer(options.warehouse, options.wait)
        try:
            reader = _open_reader(spec, options)
            try:
                since, full_refresh = options.since, options.full_refresh
                return Plan(spec, *plan_table(spec, reader, writer, since, full_refresh))
            finally:
                reader.close()
        finally:
            writer.close()
    except ExtractError as error:
        return Plan(spec, error=_clean(error, spec, options))


def _open_reader(spec: TableSpec, options: Options) -> Reader:
    warehouse = kind_of(options.warehouse)
    return open_reader(spec, options.urls[spec.source], options.wait, warehouse)


def _clean(error: BaseException | None, spec: TableSpec, options: Options) -> str:
    url = options.urls[spec.source]
    secrets = [
        password(any_url)
        for any_url in (url, options.warehouse)
        for password in (postgres.password, sqlserver.password)
    ]
    return redact(str(error), url, *secrets)


def _recorded(error: Exception, spec: TableSpec, options: Options) -> str:
    """What is kept in ops, where other people read than at the source: no data, no secrets."""
    if not isinstance(error, ExtractError):  # its text may hold anything
        return f"unexpected {type(error).__name__}"
    return without_data(_clean(error, spec, options))
