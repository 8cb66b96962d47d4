"""The notebooks that need no data but their own still run, and still show what they say."""

import os
from pathlib import Path

import nbformat
import pytest
from nbclient import NotebookClient

ROOT = Path(__file__).parents[2]


def ran(name, folder, **smaller):
    """Run a notebook from top to bottom, with what is ``smaller`` in place of the sizes that are shown."""
    notebook = nbformat.read(ROOT / "notebooks" / name, as_version=4)
    first = next(cell for cell in notebook.cells if cell.cell_type == "code")
    for shown, quick in smaller.values():
        assert shown in first.source
        first.source = first.source.replace(shown, quick)
    client = NotebookClient(notebook, timeout=300, resources={"metadata": {"path": str(folder)}})
    inline = {"MPLBACKEND": "module://matplotlib_inline.backend_inline", "PYTHONPATH": str(ROOT)}
    client.execute(env={**os.environ, **inline})
    return [output for cell in notebook.cells for output in cell.get("outputs", ())]


def pictures(outputs):
    return [each for each in outputs if each["output_type"] == "display_data"]


@pytest.mark.slow
def test_the_notebook_of_believable_worlds_runs_from_top_to_bottom(tmp_path):
    sizes = ("CUSTOMERS, JUDGED = 2000, 300", "CUSTOMERS, JUDGED = 300, 20")
    assert len(pictures(ran("believable_worlds.ipynb", tmp_path, sizes=sizes))) == 5


@pytest.mark.slow
def test_the_notebook_of_one_customers_value_runs_and_its_values_mean_what_they_say(tmp_path):
    outputs = ran("one_customers_value.ipynb", tmp_path)
    assert len(pictures(outputs)) == 3
    said = "".join(each.get("text", "") for each in outputs)
    slope = float(said.rsplit("slope of the truth on what is expected: ", 1)[1])
    assert 0.7 < slope < 1.3
