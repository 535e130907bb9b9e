"""How many runs are trained side by side where a container has a share of the processors."""

import os

import pytest

from lrlab.experiment.executors import cores, threads

V2, V1 = "0::/pod/box\n", "12:memory:/pod/box\n3:cpu,cpuacct:/pod/box\n0::/\n"
V2_FOLDER, V1_FOLDER = "sys/fs/cgroup/", "sys/fs/cgroup/cpu,cpuacct/"


def v1(quota, period=100_000, group="pod/box/", folder=V1_FOLDER):
    return {
        f"{folder}{group}cpu.cfs_quota_us": f"{quota}\n",
        f"{folder}{group}cpu.cfs_period_us": f"{period}\n",
    }


def v2(text, group="pod/box/"):
    return {f"{V2_FOLDER}{group}cpu.max": text}


CASES = {
    "no control groups": ("", {}, 8),
    "v2 without a quota": (V2, v2("max 100000\n"), 8),
    "v2 with a quota": (V2, v2("300000 100000\n"), 3),
    "v2 with part of a core": (V2, v2("150000 100000\n"), 2),
    "v2 with less than a core": (V2, v2("5000 100000\n"), 1),
    "v2 with the quota of a group around": (V2, v2("max 100000") | v2("200000 100000", "pod/"), 2),
    "v2 with two quotas": (V2, v2("400000 100000") | v2("200000 100000", ""), 2),
    "v2 in a container": ("0::/\n", v2("300000 100000\n", ""), 3),
    "v2 with a path of the host": ("0::/../../else\n", v2("300000 100000\n", ""), 3),
    "v2 more than there are": (V2, v2("6400000 100000\n"), 8),
    "v2 beside v1": (V1, {"sys/fs/cgroup/unified/cpu.max": "500000 100000"}, 5),
    "v1 without a quota": (V1, v1(-1), 8),
    "v1 with a quota": (V1, v1(250_000, 50_000), 5),
    "v1 with the quota of a group around": (V1, v1(-1) | v1(200_000, group="pod/"), 2),
    "v1 in a container that sees the host's path": (V1, v1(400_000, group=""), 4),
    "v1 called cpu": (V1, v1(400_000, folder="sys/fs/cgroup/cpu/"), 4),
    "other words": (V2, v2("all of them\n"), 8),
    "no period": (V2, v2("100000 0\n"), 8),
    "one word": (V2, v2("100000\n"), 8),
    "not text": (V2, v2(b"\xff\xfe \x00"), 8),
    "a nonsense list": ("cpu\n::::\n\0\n" + V2, v2("300000 100000"), 3),
}


@pytest.fixture
def eight_cores(monkeypatch):
    monkeypatch.setattr(os, "sched_getaffinity", lambda _: set(range(8)), raising=False)


@pytest.mark.parametrize("case", CASES)
def test_a_quota_of_the_processors_counts(case, tmp_path, eight_cores):
    listed, files, expected = CASES[case]
    for name, text in {"proc/self/cgroup": listed, **files}.items():
        path = tmp_path / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(text if isinstance(text, bytes) else text.encode())
    assert cores.available(tmp_path) == expected


def test_the_affinity_counts(monkeypatch, tmp_path):
    monkeypatch.setattr(os, "sched_getaffinity", lambda _: {3}, raising=False)
    assert cores.available(tmp_path) == 1


def test_where_there_is_no_affinity_all_cores_count(monkeypatch, tmp_path):
    monkeypatch.delattr(os, "sched_getaffinity", raising=False)
    monkeypatch.setattr(os, "cpu_count", lambda: 6)
    assert cores.available(tmp_path) == 6


def test_workers_are_one_per_core(monkeypatch):
    monkeypatch.setattr(cores, "available", lambda: 3)
    assert [threads.default_workers(jobs) for jobs in (1, 3, 20)] == [1, 3, 3]
    assert threads.most_workers() == 24
