"""docs/benchmarks.md says what was measured: the same page for the same answers, with nothing left out."""

import io
import json

import pytest
from rich.console import Console

from benchmarks.page import KEPT, PAGE, keep, kept, render
from benchmarks.pictures import draw_world
from benchmarks.world.judging import judge
from benchmarks.world.showing import sections, tables
from tests.worlds.bench import POLICIES, record


@pytest.fixture(scope="module")
def answer():
    policies = {**POLICIES, "composite": ("whole", None, "free", 1.2)}
    units = [record(f, s, noise=0.01, policies=policies) for f in ("clusters", "low_effects") for s in (1, 2, 3)]
    machine = {"python": "3.11", "cores": 2, "cpu": None}
    more = {"customers": 200, "days": 60, "failed": {}, "machine": machine, "seconds": 12.3}
    return {**judge(units), **more}


def test_the_committed_page_says_what_the_kept_answers_say():
    assert PAGE.read_text(encoding="utf-8") == render(kept(KEPT)), "stale; run python -m benchmarks.page"


def test_the_page_holds_every_policy_with_its_losses_and_the_machine(answer):
    page = render({"world": answer})
    for name in ("composite", "best_offer", "send_time:random"):
        assert f"| {name} |" in page
    row = next(each for each in page.splitlines() if each.startswith("| composite |"))
    assert f"{answer['differences']['composite']['value']:.4g}" in row
    assert answer["differences"]["composite"]["value"] < 0
    assert "behind composite" in page
    assert "Python 3.11, 2 cores" in page
    assert "No answer is kept of" in page


def test_the_page_and_the_screen_show_the_same_tables_in_the_same_order(answer):
    page = render({"world": answer})
    screen = Console(width=200, record=True, file=io.StringIO())
    for drawn in tables(answer):
        screen.print(drawn)
    shown, titles = screen.export_text(), [section.title for section in sections(answer)]
    on_page, on_screen = ([text.index(title) for title in titles] for text in (page, shown))
    assert "Frontier: fewest unsubscribes first" in titles
    assert on_page == sorted(on_page)
    assert on_screen == sorted(on_screen)
    for name in answer["oracles"]:
        assert name in page
        assert name in shown


def test_the_page_admits_where_terms_are_not_the_same():
    page = render({})
    assert "features are rebuilt every 10 days, when its values are counted anew" in page
    assert "trained every 30, while rivals read every day's log" in page
    assert "neither explores nor holds back" in page


def test_the_page_counts_caps_and_all_promises(answer):
    page = render({"world": {**answer, "cap_violations": 2, "promise_violations": 5, "violations": {"caps": 2}}})
    assert "| caps violated | 2 |" in page
    assert "| promises broken, caps among them | 5 (caps 2) |" in page


def test_the_twin_is_told_above_the_table_of_its_swaps(answer):
    page = render({"world": answer})
    title, sentence = page.index("### One axis swapped"), page.index("The *twin* decides by Kairos's rule")
    assert title < sentence < page.index("| twin − it |") < page.index("| Kairos − it |")


def test_the_page_admits_in_how_many_worlds_kairos_says_that_nothing_is_to_be_gained(answer):
    none = {"value": 0.0, "interval": [-0.1, 0.1], "why": None}
    row = {"axis": "timing", "rule": "r", "prior": 1, "of": 3, "gained": none, "explored": none}
    idle = [{**row, "family": "no_send_time", "said": 0}, {**row, "family": "no_heterogeneity", "said": None}]
    page = render({"world": {**answer, "idle": idle}})
    assert "Kairos says of timing in words in 0 of 3 worlds, by never promoting a model in 1 of 3." in page
    assert "| no_send_time | timing | 0 of 3 | 1 of 3 |" in page
    assert "| no_heterogeneity | timing | – | 1 of 3 |" in page
    assert "Where choosing by person gains nothing" not in render({"world": answer})


def test_what_gates_said_is_told_without_figures_and_once(answer):
    reasons = [
        "better than champion (+0.1, +0.0 … +0.2; 9 sends); too few",
        "better than champion (+0.3, +0.2 … +0.4)",
    ]
    says = {"send_time": {"promoted": 1, "of": 2, "reasons": reasons}}
    page = render(
        {"world": {**answer, "by_family": {"clusters": {**answer["by_family"]["clusters"], "says": says}}}}
    )
    assert "| clusters | send_time | 1 of 2 | better than champion; too few |" in page


def test_a_page_without_the_worlds_says_that_they_were_not_run():
    page = render({"hillstrom": {"rows": []}})
    assert page.count("**Not run in full yet.**") == 2
    assert "## world\n" in page


def test_a_world_that_is_unlike_its_log_is_said_to_be():
    about = {"interval": [0.1, 0.3], "target": 0.5, "tolerance": 0.1}
    figures = {
        "opened": {**about, "value": 0.2, "within": False},
        "clicked": {**about, "value": 0.4, "interval": [0.3, 0.5], "within": False},
        "reach": {**about, "value": 0.2, "target": None, "tolerance": None, "within": None},
    }
    families = {"clusters": {"matched_to": "messages", "figures": figures}}
    page = render({"world-fit": {"seeds": 2, "customers": 10, "days": 30, "families": families}})
    assert "0 of 2 figures are within their tolerance; out: `opened in clusters`, `clicked in clusters`" in page
    assert "| opened | 0.2 | 0.1000 to 0.3000 | 0.5 | ± 10% | **out** |" in page
    assert "**out**, its interval reaches in |" in page
    assert "no tolerance stated" in page


def test_a_remark_is_given_once_with_every_row_it_is_about():
    row = {"measure": "m", "better": "lower", "ours": 1.0, "yardstick": "y", "theirs": 2.0, "ratio": 0.5}
    rows = [{**row, "case": case, "interval": [0.4, 0.6], "why": None, "note": "thin"} for case in "ab"]
    page = render({"hillstrom": {"rows": rows, "rates": {"first_call": 0.13}}})
    assert "- a, m; b, m: thin." in page
    assert page.count("| ahead, see below |") == 2
    assert "- rates: first call 0.13" in page


def test_the_page_and_its_pictures_are_the_same_for_the_same_answer(answer, tmp_path):
    assert render({"world": answer}) == render(json.loads(json.dumps({"world": answer})))
    for name in ("a", "b"):
        (tmp_path / name).mkdir()
        draw_world(answer, tmp_path / name, "world")
    for picture in ("world-frontier.svg", "world-gap.svg"):
        first = (tmp_path / "a" / picture).read_bytes()
        assert first == (tmp_path / "b" / picture).read_bytes()
        assert b"composite" in first


def test_the_last_object_of_an_output_is_kept(tmp_path):
    (tmp_path / "hillstrom.json").write_text('remarks\n{"rows": []}\n')
    (tmp_path / "other.json").write_text("{}")
    keep(tmp_path, tmp_path / "kept")
    assert kept(tmp_path / "kept") == {"hillstrom": {"rows": []}}


def test_a_folder_without_answers_is_refused(tmp_path):
    with pytest.raises(FileNotFoundError, match=r"holds no NAME.json"):
        keep(tmp_path, tmp_path / "kept")
