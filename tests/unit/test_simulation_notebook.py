"""The notebook that shows the fit still runs."""

import os
from pathlib import Path

import nbformat
import pytest
from nbclient import NotebookClient

ROOT = Path(__file__).parents[2]
SIZES = "CUSTOMERS, JUDGED = 2000, 300"
"""Of what is shown. That it runs, fewer people show as well."""


@pytest.mark.slow
def test_the_notebook_of_believable_worlds_runs_from_top_to_bottom(tmp_path):
    notebook = nbformat.read(ROOT / "notebooks" / "believable_worlds.ipynb", as_version=4)
    first = next(cell for cell in notebook.cells if cell.cell_type == "code")
    assert SIZES in first.source
    first.source = first.source.replace(SIZES, "CUSTOMERS, JUDGED = 300, 20")
    client = NotebookClient(notebook, timeout=300, resources={"metadata": {"path": str(tmp_path)}})
    inline = {"MPLBACKEND": "module://matplotlib_inline.backend_inline", "PYTHONPATH": str(ROOT)}
    client.execute(env={**os.environ, **inline})
    pictures = [
        output
        for cell in notebook.cells
        for output in cell.get("outputs", ())
        if output["output_type"] == "display_data"
    ]
    assert len(pictures) == 5
