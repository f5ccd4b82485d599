"""Until all callers know :mod:`qyx_analysis.files`."""

from qyx_analysis.files import *  # noqa: F403
from qyx_analysis.files import project_dir, read_typed  # noqa: F401
