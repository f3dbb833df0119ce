"""The embedded server survives what happens to servers on laptops."""

from __future__ import annotations

import os
import shutil
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import closing
from pathlib import Path

import psycopg2
import pytest

from common.embedded_postgres import Cluster, EmbeddedPostgresError, _is_postgres
from common.project import ROOT

IDENTITY = {"fsync": "off"}


def answer(cluster: Cluster) -> int:
    with closing(psycopg2.connect(cluster.url())) as connection, connection.cursor() as cursor:
        cursor.execute("select 42")
        row = cursor.fetchone()
        assert row
        return int(row[0])


def postmaster(cluster: Cluster) -> int:
    return int((cluster.data / "postmaster.pid").read_text().splitlines()[0])


def eventually(happens: Callable[[], bool]) -> None:
    deadline = time.monotonic() + 10
    while not happens():
        assert time.monotonic() < deadline, "it did not happen within 10 s"
        time.sleep(0.02)


def place(below: Path) -> Cluster:
    """A cluster in a folder that the server's user can reach."""
    return Cluster(below, below / "socket")


@pytest.fixture
def cluster() -> Iterator[Cluster]:
    cluster = Cluster.temporary()
    yield cluster
    cluster.remove()


@pytest.fixture
def running(cluster: Cluster) -> Cluster:
    cluster.start(IDENTITY)
    return cluster


def test_starts_once_and_stops(cluster: Cluster) -> None:
    assert not cluster.is_running()
    assert cluster.start(IDENTITY)
    assert not cluster.start(IDENTITY)
    assert answer(cluster) == 42
    cluster.stop()
    assert not cluster.is_running()
    cluster.stop()
    assert cluster.start(IDENTITY)
    assert answer(cluster) == 42


def test_two_processes_start_it_at_once(cluster: Cluster) -> None:
    program = (
        "import sys; from pathlib import Path; from common.embedded_postgres import Cluster; "
        "print(Cluster(Path(sys.argv[1]), Path(sys.argv[2])).start({'fsync': 'off'}))"
    )
    arguments = [sys.executable, "-c", program, str(cluster.home), str(cluster.socket_dir)]
    starts = [
        subprocess.Popen(arguments, cwd=ROOT / "scripts", stdout=subprocess.PIPE, text=True)
        for _ in range(2)
    ]
    outputs = [start.communicate()[0].strip() for start in starts]
    assert sorted(outputs) == ["False", "True"]
    assert answer(cluster) == 42


def test_starts_again_after_kill_9_with_a_client_at_work(running: Cluster) -> None:
    with closing(psycopg2.connect(running.url())) as client, client.cursor() as cursor:
        cursor.execute("create table kept as select 1 as value")
        client.commit()
        cursor.execute("checkpoint")
        os.kill(postmaster(running), signal.SIGKILL)
        eventually(lambda: not running.is_running())
        assert running.start(IDENTITY)
    with closing(psycopg2.connect(running.url())) as client, client.cursor() as cursor:
        cursor.execute("select value from kept")
        assert cursor.fetchone() == (1,)


def test_a_pid_file_that_names_somebody_else_is_no_server(running: Cluster) -> None:
    running.stop()
    bystander = subprocess.Popen([sys.executable, "-c", "import time; time.sleep(60)"])
    try:
        (running.data / "postmaster.pid").write_text(f"{bystander.pid}\n{running.data}\n")
        assert not running.is_running()
        assert running.start(IDENTITY)
        assert answer(running) == 42
        assert bystander.poll() is None
    finally:
        bystander.kill()
        bystander.wait()


def test_an_interrupted_initdb_is_begun_again(cluster: Cluster) -> None:
    left = cluster.home / "data.new"
    left.mkdir(parents=True)
    (left / "PG_VERSION").write_text("18\n")
    assert cluster.start(IDENTITY)
    assert answer(cluster) == 42
    assert not left.exists()


def test_a_deleted_socket_is_made_again(running: Cluster) -> None:
    (running.socket_dir / ".s.PGSQL.5432").unlink()
    assert running.start(IDENTITY)
    assert answer(running) == 42


def test_runs_in_a_folder_with_a_space_and_a_quote(cluster: Cluster) -> None:
    elsewhere = Cluster(cluster.home / "it's a place", cluster.socket_dir)
    cluster.home.chmod(0o755)
    try:
        assert elsewhere.start(IDENTITY)
        assert answer(elsewhere) == 42
    finally:
        elsewhere.remove()


def test_a_folder_that_postgres_cannot_use_is_refused(cluster: Cluster) -> None:
    with pytest.raises(EmbeddedPostgresError, match="move the clone"):
        Cluster(cluster.home / 'say "hello"', cluster.socket_dir).start()


def test_a_clone_that_was_moved_takes_its_server_along(running: Cluster) -> None:
    before = postmaster(running)
    moved_home = running.home.with_name(running.home.name + "-moved")
    running.home.rename(moved_home)
    moved = place(moved_home)
    try:
        assert moved.is_running()
        assert not moved.start(IDENTITY)
        assert postmaster(moved) == before
        assert answer(moved) == 42
        moved.stop()
        assert moved.start(IDENTITY)
        assert answer(moved) == 42
    finally:
        moved.remove()


@pytest.mark.parametrize("moved_before", [False, True])
def test_a_copy_of_a_running_server_is_told_apart(running: Cluster, moved_before: bool) -> None:
    original = running
    if moved_before:
        original = place(running.home.with_name(running.home.name + "-moved"))
        running.home.rename(original.home)
    copy = place(running.home.with_name(running.home.name + "-copy"))
    try:
        subprocess.run(["cp", "-Rp", original.home, copy.home], check=True)
        assert not copy.is_running()
        with pytest.raises(EmbeddedPostgresError, match="was copied from"):
            copy.start()
        copy.remove()
        assert not copy.home.exists()
        assert answer(original) == 42
    finally:
        copy.remove()
        original.remove()


def test_a_failed_start_shows_the_servers_own_words(cluster: Cluster) -> None:
    with pytest.raises(EmbeddedPostgresError, match="no_such_setting"):
        cluster.start({"no_such_setting": "1"})
    assert cluster.start(IDENTITY)


def test_nobody_else_can_enter_the_socket_folder(running: Cluster) -> None:
    assert running.socket_dir.stat().st_mode & 0o077 == 0


def test_remove_leaves_no_process_and_no_file(running: Cluster) -> None:
    process = postmaster(running)
    running.remove()
    assert not running.home.exists()
    assert not running.socket_dir.exists()
    eventually(lambda: not _is_postgres(process))


def test_make_clean_leaves_nothing_even_without_a_venv(tmp_path: Path) -> None:
    root = tmp_path / "a clone"
    shutil.copytree(ROOT / "scripts" / "common", root / "scripts" / "common")
    shutil.copy(ROOT / "scripts" / "clean.py", root / "scripts")
    cluster = Cluster.of_clone(root)
    try:
        cluster.start(IDENTITY)
        process = postmaster(cluster)
        for made in (".venv/bin", "target/compiled", "logs", "scripts/__pycache__"):
            (root / made).mkdir(parents=True)
        clean = [sys.executable, "-S", "-B", str(root / "scripts" / "clean.py")]
        subprocess.run(clean, check=True)
    finally:
        cluster.remove()
    assert sorted(path.name for path in root.iterdir()) == ["scripts"]
    assert not (root / "scripts" / "__pycache__").exists()
    assert not cluster.home.exists()
    assert not _is_postgres(process)


@pytest.mark.parametrize("name", ["a clone", "it's", "café", "x" * 100, "a,b"])
def test_the_socket_of_any_clone_fits(name: str, tmp_path: Path) -> None:
    socket = Cluster.of_clone(tmp_path / name).socket_dir / ".s.PGSQL.5432"
    assert len(os.fsencode(socket)) <= 103  # macOS has the shortest
    assert not set("',\\\"$") & set(str(socket))
