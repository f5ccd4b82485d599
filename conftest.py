"""The examples in docstrings that load data find a build of the four published tables."""

import pytest
from _pytest.doctest import DoctestItem


@pytest.fixture(scope="session")
def four_plans_built(tmp_path_factory):
    from qyx_analysis.datapackage import building
    from qyx_analysis.files import raw_dir

    return building.build([raw_dir()], tmp_path_factory.mktemp("examples") / "processed").out


@pytest.fixture(autouse=True)
def _data_for_examples(request, monkeypatch):
    if isinstance(request.node, DoctestItem):
        monkeypatch.setenv("QYX_DATA", str(request.getfixturevalue("four_plans_built")))
