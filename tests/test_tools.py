"""`make bench`: what it writes, and that it can fail."""

import pytest

import bench


def test_bench_row():
    calls = []
    row = bench.measure("c", "p", lambda: calls.append("us"), lambda: calls.append("them"), 3)
    assert calls == ["us", "them"] * 3
    assert {"case", "peer", "metric", "ours", "theirs", "ratio", "runs"} <= set(row)
    assert row["ratio"] == pytest.approx(row["theirs"] / row["ours"]) and row["runs"] == 3
    assert "| c |" in bench.table([row])
