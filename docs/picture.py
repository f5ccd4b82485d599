"""Draws the picture of the README anew: ``.venv/bin/python docs/picture.py``."""

from pathlib import Path

import qyx_analysis as qyx
from qyx_analysis.files import raw_dir
from qyx_analysis.tidy import reading

targets = reading.read_plans([raw_dir()]).targets
picture, _ = qyx.plot_trajectory(targets, "330213", lang="en")._repr_mimebundle_()
Path(__file__).with_name("paths.png").write_bytes(picture["image/png"])
