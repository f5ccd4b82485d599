"""Long runs: ``make soak``. What is done once is done a thousand times, and nothing may pile up."""

import gc
import tracemalloc
from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from mutations import KINDS, mutations, outcome

from qyx_analysis.datapackage.building import build
from qyx_analysis.files import raw_dir

pytestmark = pytest.mark.soak
ROUNDS = 60
MUTATED = 10_000


def open_files() -> int:
    folder = Path("/proc/self/fd")
    return len(list(folder.iterdir())) if folder.is_dir() else 0


def test_building_again_and_again_leaves_nothing_behind(tmp_path: Path) -> None:
    out = tmp_path / "processed"
    for _ in range(3):  # what is cached once is not a leak
        assert build([raw_dir()], out).exit_status == 0
    before = {path.name: path.read_bytes() for path in out.iterdir()}
    files = open_files()
    gc.collect()
    tracemalloc.start()
    for _ in range(ROUNDS):
        build([raw_dir()], out)
    gc.collect()
    grown, _ = tracemalloc.get_traced_memory()
    tracemalloc.stop()

    assert [path.name for path in tmp_path.iterdir()] == ["processed"]
    assert {path.name: path.read_bytes() for path in out.iterdir()} == before
    assert open_files() == files
    assert grown < 2_000_000, f"{grown} bytes kept by {ROUNDS} builds"


@settings(max_examples=MUTATED, deadline=10_000, suppress_health_check=list(HealthCheck))
@given(data=st.sampled_from(KINDS).flatmap(mutations))
def test_mutated_documents_give_a_document_or_an_error(tmp_path_factory: pytest.TempPathFactory, data: bytes) -> None:
    assert outcome(tmp_path_factory.getbasetemp(), data) in ("read", "refused")
