"""Files written all or nothing, on disks that are full, read-only, or laid with links."""

import os
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


def test_a_folder_is_replaced_whole(tmp_path):
    atomic.write_folder(tmp_path / "run", {"a": b"1", "b": b"2"})
    atomic.write_folder(tmp_path / "run", {"b": b"3"})
    assert [(p.name, p.read_bytes()) for p in (tmp_path / "run").iterdir()] == [("b", b"3")]
    assert [p.name for p in tmp_path.iterdir()] == ["run"]


def test_checking_makes_the_folder_and_leaves_it_empty(tmp_path):
    atomic.check_writable(tmp_path / "new" / "results")
    assert list((tmp_path / "new" / "results").iterdir()) == []


def test_a_full_disk_keeps_the_old_files(mount_disk):
    small_disk = mount_disk("128k")
    atomic.write_folder(small_disk / "run", {"a": b"old"})
    atomic.write(small_disk / "x", b"old")
    for write in (
        lambda: atomic.write_folder(small_disk / "run", {"a": bytes(200_000)}),
        lambda: atomic.write(small_disk / "x", bytes(200_000)),
    ):
        with pytest.raises(ResultsError, match="cannot be written: No space left on device"):
            write()
    assert (small_disk / "run" / "a").read_bytes() == (small_disk / "x").read_bytes() == b"old"
    assert sorted(p.name for p in small_disk.iterdir()) == ["run", "x"]


def test_a_link_laid_in_the_way_is_not_followed(tmp_path):
    precious = tmp_path / "precious"
    precious.write_text("precious")
    part = tmp_path / f".x.{os.getpid()}.part"
    part.symlink_to(precious)
    with pytest.raises(ResultsError, match="cannot be written"):
        atomic.write(tmp_path / "x", b"overwritten")
    atomic.write(tmp_path / "x", b"now the link is gone")
    assert precious.read_text() == "precious"


def test_a_folder_of_links_is_replaced_and_not_what_they_lead_to(tmp_path):
    precious = tmp_path / "precious"
    atomic.write_folder(precious, {"a": b"precious"})
    run = tmp_path / "out" / "run"
    atomic.write_folder(run, {})
    (run / "link").symlink_to(precious, target_is_directory=True)
    atomic.write_folder(run, {"a": b"new"})
    assert (precious / "a").read_bytes() == b"precious"


def test_what_a_killed_process_left_half_written_is_removed(tmp_path):
    atomic.write(tmp_path / ".x.1234.part", b"half")
    atomic.write_folder(tmp_path / ".seed-0.99.part", {"steps.npz": b"half"})
    for kept in ("seed-0", ".hidden", "x.part", ".x.part"):
        atomic.write(tmp_path / kept, b"")
    atomic.remove_parts(tmp_path)
    assert {p.name for p in tmp_path.iterdir()} == {"seed-0", ".hidden", "x.part", ".x.part"}
    atomic.remove_parts(tmp_path / "none")


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
    names = {".a.1.part": True, ".seed-0.npz.77.part": True, "a.1.part": False, ".a.part": False}
    assert {name: atomic.is_part(name) for name in names} == names
    assert not atomic.is_part(Path(".lock").name)
