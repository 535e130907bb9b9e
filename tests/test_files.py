"""Files written all or nothing, on disks that are full, read-only, cut off, or laid with links."""

import errno
import os
import re
import secrets
import signal
import subprocess
import sys
from pathlib import Path

import pytest

from lrlab.errors import ResultsError
from lrlab.io import atomic


@pytest.mark.parametrize("write", [atomic.write_text, atomic.write])
def test_files_are_written_whole_into_new_folders(write, tmp_path):
    path = tmp_path / "new" / "folder" / "x.txt"
    for text in ("first", "second"):
        write(path, text if write is atomic.write_text else text.encode())
    assert path.read_text() == "second"
    assert [p.name for p in path.parent.iterdir()] == ["x.txt"]


def no_exchange(*_):
    raise OSError(errno.EINVAL, "not here")


@pytest.fixture(params=["exchange", "no exchange"])
def either_way(request, monkeypatch) -> str:
    """With the kernel's exchange of names and, as on some file systems, without."""
    if request.param == "no exchange":
        monkeypatch.setattr(atomic, "_exchange", no_exchange)
    return request.param


def content(folder: Path) -> dict[str, bytes]:
    return {str(p.relative_to(folder)): p.read_bytes() for p in folder.rglob("*") if p.is_file()}


def test_a_folder_is_replaced_whole(tmp_path, either_way):
    atomic.write_folder(tmp_path / "run", {"a": b"1", "b": b"2"})
    atomic.write_folder(tmp_path / "run", {"b": b"3"})
    assert content(tmp_path) == {"run/b": b"3"}
    assert [p.name for p in tmp_path.iterdir()] == ["run"]


def test_several_files_take_their_places_together(tmp_path):
    atomic.write_files(tmp_path / "out", {"a": b"1", "b": b"2"})
    (tmp_path / "out" / "mine").write_bytes(b"")
    atomic.write_files(tmp_path / "out", {"b": b"3"})
    assert content(tmp_path / "out") == {"a": b"1", "b": b"3", "mine": b""}
    assert len(list((tmp_path / "out").iterdir())) == 3


def test_a_folder_in_the_place_of_a_file_stays(tmp_path):
    (tmp_path / "b").mkdir()
    with pytest.raises(ResultsError, match="`b` is a directory"):
        atomic.write_files(tmp_path, {"a": b"1", "b": b"3"})
    assert [p.name for p in tmp_path.iterdir()] == ["b"]


def test_a_full_disk_keeps_the_old_files(mount_disk):
    small_disk = mount_disk("128k")
    atomic.write_folder(small_disk / "run", {"a": b"old"})
    atomic.write(small_disk / "x", b"old")
    for write in (
        lambda: atomic.write_folder(small_disk / "run", {"a": bytes(200_000)}),
        lambda: atomic.write(small_disk / "x", bytes(200_000)),
        lambda: atomic.write_files(small_disk, {"a": b"", "x": bytes(200_000)}),
    ):
        with pytest.raises(ResultsError, match="cannot be written: No space left on device"):
            write()
    assert (small_disk / "run" / "a").read_bytes() == (small_disk / "x").read_bytes() == b"old"
    assert sorted(p.name for p in small_disk.iterdir()) == ["run", "x"]


def test_a_link_laid_in_the_way_is_not_followed(tmp_path, monkeypatch):
    precious = tmp_path / "precious"
    precious.write_text("precious")
    monkeypatch.setattr(secrets, "token_hex", lambda _: "0123")
    (tmp_path / ".x.0123.part").symlink_to(precious)
    with pytest.raises(ResultsError, match="cannot be written: File exists"):
        atomic.write(tmp_path / "x", b"overwritten")
    monkeypatch.undo()
    atomic.write(tmp_path / "x", b"under a name of its own")
    assert precious.read_text() == "precious"


def test_a_folder_of_links_is_replaced_and_not_what_they_lead_to(tmp_path, either_way):
    precious = tmp_path / "precious"
    atomic.write_folder(precious, {"a": b"precious"})
    run = tmp_path / "out" / "run"
    atomic.write_folder(run, {})
    (run / "link").symlink_to(precious, target_is_directory=True)
    atomic.write_folder(run, {"a": b"new"})
    run.rename(tmp_path / "moved")
    run.symlink_to(precious, target_is_directory=True)
    atomic.write_folder(run, {"a": b"newer"})
    assert (precious / "a").read_bytes() == b"precious"
    assert content(tmp_path / "out") == {"run/a": b"newer"}


def test_what_a_killed_process_left_half_written_is_removed(tmp_path):
    atomic.write(tmp_path / ".x.1234.part", b"half")
    atomic.write_folder(tmp_path / ".seed-0.0a9f.part", {"steps.npz": b"half"})
    for kept in ("seed-0", ".hidden", "x.part", ".x.part"):
        atomic.write(tmp_path / kept, b"")
    atomic.recover(tmp_path)
    assert {p.name for p in tmp_path.iterdir()} == {"seed-0", ".hidden", "x.part", ".x.part"}
    atomic.recover(tmp_path / "none")


# --- cut off at every operation ---

# Every call of the operating system that changes a file, one after the other, ends the process.
CUT_OFF = """
import os, pathlib, shutil, signal, sys
from lrlab.io import atomic
out, exchanges, signal_number, at = pathlib.Path(sys.argv[1]), *map(int, sys.argv[2:])
def count(function):
    def counted(*args, **options):
        global at
        at -= 1
        if at == 0:
            os.kill(os.getpid(), signal_number)
        return function(*args, **options)
    return counted
if not exchanges:
    atomic._renameat2 = None
for place, name in [(os, "open"), (os, "fsync"), (os, "rename"), (os, "replace"), (os, "mkdir"),
                    (os, "unlink"), (os, "rmdir"), (atomic, "_exchange")]:
    setattr(place, name, count(getattr(place, name)))
try:
    atomic.write_folder(out / "run", {"a": b"new", "c": b"new"})
    atomic.write_files(out, {"x": b"new", "y": b"new"})
except KeyboardInterrupt:
    sys.exit(130)
print("done")
"""
OLD = {"run/a": b"old", "run/b": b"old", "x": b"old", "y": b"old"}
RUN = {"run/a": b"new", "run/c": b"new", "x": b"old", "y": b"old"}
NEW = RUN | {"x": b"new", "y": b"new"}


@pytest.mark.parametrize("number", [signal.SIGKILL, signal.SIGINT])
@pytest.mark.parametrize("exchanges", [1, 0])
def test_cut_off_at_any_operation_there_is_the_old_or_the_new_one(exchanges, number, tmp_path):
    at, seen, done = 0, [], False
    while not done:
        at += 1
        out = tmp_path / str(at)
        atomic.write_folder(out / "run", {"a": b"old", "b": b"old"})
        atomic.write_files(out, {"x": b"old", "y": b"old"})
        command = [sys.executable, "-c", CUT_OFF, str(out), str(exchanges), str(int(number))]
        ended = subprocess.run([*command, str(at)], capture_output=True, text=True, check=False)
        done = ended.stdout == "done\n"
        assert done or ended.returncode in (-number, 130), ended.stderr
        whole = any(re.search(r"\.(whole|files)$", p.name) for p in out.iterdir())
        atomic.recover(out)
        found = content(out)
        assert found in (OLD, RUN, NEW)
        assert not (whole and found == OLD), "what was complete was thrown away"
        seen.append(found)
        assert {p.name for p in out.iterdir()} == {"run", "x", "y"}
    # It goes one way, and most of the places are before the end.
    assert seen == sorted(seen, key=[OLD, RUN, NEW].index)
    assert all(each in seen for each in (OLD, RUN, NEW))


def test_a_copy_of_a_directory_that_was_cut_off_loses_nothing(tmp_path):
    atomic.write_folder(tmp_path / "run", {"a": b"one"})
    atomic.write_folder(tmp_path / ".run.1.whole", {"a": b"other"})
    atomic.recover(tmp_path)
    assert content(tmp_path) == {"run/a": b"one", "run.damaged/a": b"other"}


def test_the_lower_layer_of_an_overlay_can_be_replaced(tmp_path):
    lower, upper, work, out = (tmp_path / name for name in ("lower", "upper", "work", "out"))
    for folder in (upper, work, out):
        folder.mkdir()
    atomic.write_folder(lower / "run", {"a": b"old"})
    layers = f"lowerdir={lower},upperdir={upper},workdir={work}"
    command = ["mount", "-t", "overlay", "overlay", "-o", layers, str(out)]
    made = subprocess.run(command, capture_output=True, text=True, check=False)
    if made.returncode:
        pytest.skip(f"no overlay can be mounted here: {made.stderr.strip()}")
    try:
        atomic.write_folder(out / "run", {"a": b"new"})
        assert content(out) == {"run/a": b"new"}
        assert [p.name for p in out.iterdir()] == ["run"]
    finally:
        subprocess.run(["umount", str(out)], check=True)


# --- on the disk ---


def test_the_names_are_on_the_disk_as_well(tmp_path, monkeypatch):
    """Every folder whose names were changed is synchronised after that."""
    done: list[tuple[str, str]] = []
    fsync = os.fsync

    def synced(descriptor):
        done.append(("fsync", os.readlink(f"/proc/self/fd/{descriptor}")))
        fsync(descriptor)

    for name in ("mkdir", "rename", "replace"):
        function = getattr(os, name)

        def changed(source, *args, function=function, name=name, **options):
            target = args[0] if name != "mkdir" else source
            done.append((name, str(target)))
            return function(source, *args, **options)

        monkeypatch.setattr(os, name, changed)
    monkeypatch.setattr(os, "fsync", synced)
    atomic.write(tmp_path / "a" / "b" / "x", b"1")
    atomic.write_folder(tmp_path / "runs" / "run", {"f": b"1"})
    atomic.write_files(tmp_path / "files", {"f": b"1"})
    atomic.set_aside(tmp_path / "files" / "f")
    for number, (what, path) in enumerate(done):
        if what != "fsync" and not path.endswith(".part"):
            assert ("fsync", str(Path(path).parent)) in done[number:], (what, path)
    assert len([what for what, _ in done if what != "fsync"]) >= 10


# --- paths ---


def test_a_path_stays_within(tmp_path):
    atomic.check_within(tmp_path, tmp_path / "runs" / "not there yet")
    (tmp_path / "out").mkdir()
    alias = tmp_path / "alias"
    alias.symlink_to(tmp_path / "out", target_is_directory=True)
    atomic.check_within(alias, alias / "runs")


@pytest.mark.parametrize("leads", ["/", "..", "../other"])
def test_a_link_that_leads_out_is_refused(leads, tmp_path):
    out = tmp_path / "out"
    out.mkdir()
    (out / "runs").symlink_to(leads, target_is_directory=True)
    with pytest.raises(ResultsError, match="leads out of"):
        atomic.check_within(out, out / "runs" / "seed-0")


def test_parts_are_told_from_other_files():
    names = {
        ".a.1.part": True, ".seed-0.npz.77.part": True, ".a.0f.part": True, "a.1.part": False,
        ".a.part": False, ".lock": False,
    }  # fmt: skip
    assert {name: atomic.is_part(name) for name in names} == names
