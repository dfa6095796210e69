import dataclasses
import json

import numpy as np
import pytest
from PIL import Image

from cleancut.apps.cli import run
from cleancut.apps.plan import measure
from cleancut.apps.plan.arithmetic import DAY, Demand, Machine, planned
from cleancut.apps.plan.units import Cost, between, read_units
from cleancut.errors import BadInput, BadSetting, ModelFailed

COST = Cost(2.0, cpu_seconds=0.2, seconds=0.15, bytes_in=5e5, bytes_out=1e6, idle_bytes=1e8, peak_bytes=2e8)
BOX = Machine(cores=10, memory=20e9, bits=10e9, load=0.5, price=2.0)


def test_processors_are_pictures_times_seconds():
    plan = planned(Demand(DAY * 100, busiest=3), BOX, COST)
    assert (plan.mean, plan.peak) == (100, 300)
    assert (plan.cores_mean, plan.cores_peak) == pytest.approx((20, 60))
    assert plan.by == {"processors": 12, "memory": 12, "network": 1}
    assert (plan.machines, plan.first, plan.workers) == (12, "processors", 10)
    assert plan.a_machine == pytest.approx(10 * 0.5 / 0.2)
    assert plan.price_day == 12 * 2 * 24


def test_bytes_are_those_of_all_requests_and_of_all_downloads():
    plan = planned(Demand(DAY, busiest=2, downloads=4, cdn=0.75, repeats=0.5, kept_days=10), BOX, COST)
    assert plan.in_day == DAY * 5e5
    assert plan.out_day == DAY * 1e6
    assert plan.saved_bytes == DAY * 3e6
    assert (plan.in_peak, plan.out_peak) == (2 * 5e5 * 8, 2 * 1e6 * 8)
    assert plan.kept == DAY * 0.5 * 10 * 1e6


def test_the_result_cache_saves_processors_and_not_bytes():
    every, half = (planned(Demand(DAY * 100, repeats=share), BOX, COST) for share in (0.0, 0.5))
    assert half.cores_peak == every.cores_peak / 2 == half.saved_cores
    assert half.in_day == every.in_day
    assert planned(Demand(DAY * 100, repeats=1.0), BOX, COST).machines == 1


@pytest.mark.parametrize(
    ("machine", "first"),
    [
        (BOX, "processors"),
        (dataclasses.replace(BOX, memory=1e9), "memory"),
        (dataclasses.replace(BOX, bits=1e8), "network"),
    ],
)
def test_what_runs_out_first_is_said(machine, first):
    plan = planned(Demand(DAY * 100), machine, COST)
    assert plan.first == first
    assert plan.machines == plan.by[first] == max(plan.by.values())


def test_a_machine_too_small_for_one_picture_is_no_plan():
    plan = planned(Demand(DAY), dataclasses.replace(BOX, memory=3e8), COST)
    assert (plan.workers, plan.machines) == (0, 0)


def test_sizes_between_lie_on_a_line_and_beyond_it_goes_on():
    costs = [dataclasses.replace(COST, megapixels=m, cpu_seconds=c) for m, c in ((1.0, 0.1), (2.0, 0.2), (4.0, 0.6))]
    found = [between(costs, size).cpu_seconds for size in (0.1, 1.0, 1.5, 3.0, 4.0, 6.0)]
    assert found == pytest.approx([0.1, 0.1, 0.15, 0.4, 0.6, 1.0])


def test_the_figures_that_come_along_are_whole_and_name_their_machine():
    units = read_units()
    assert "processors" in units.machine
    for (model, refine), costs in units.costs.items():
        sizes = [cost.megapixels for cost in costs]
        assert sizes == sorted(set(sizes)), (model, refine)
        assert sizes[0] < 1
        assert sizes[-1] > 20
        for cost in costs:
            assert all(value > 0 for value in dataclasses.astuple(cost))
            assert cost.peak_bytes > cost.idle_bytes
    with pytest.raises(BadSetting, match="was not measured; add --measure, or ask for one of: cleancut-small"):
        units.cost("nix", "auto", 1.0)


def test_the_command_says_what_it_takes(capsys):
    assert run(["plan", "--pictures", "1e8", "--megapixels", "12", "--repeats", "0.3", "--cdn", "0.9", "--price", "1",
                "--days", "30"]) == 0  # fmt: skip
    said = capsys.readouterr().out
    for word in ("100,000,000 pictures a day of 12.0 MP", "measured on", "processors", "coming in", "going out", "kept",
                 "cache       saves", "CDN         saves", "first to run out, processors", "price"):  # fmt: skip
        assert word in said


def test_json_holds_all_of_the_arithmetic(capsys):
    assert run(["plan", "--pictures", "86400", "--kb-in", "100", "--kb-out", "200", "--json"]) == 0
    told = json.loads(capsys.readouterr().out)
    assert told["plan"]["mean"] == 1
    assert (told["cost"]["bytes_in"], told["cost"]["bytes_out"]) == (1e5, 2e5)
    assert told["plan"]["machines"] == 1


def test_a_size_beyond_what_was_measured_is_said(capsys):
    assert run(["plan", "--pictures", "1000", "--megapixels", "200"]) == 0
    assert "lies beyond" in capsys.readouterr().out
    assert run(["plan", "--pictures", "1000", "--megapixels", "2", "--memory", "0.1"]) == 0
    assert "not one picture fits" in capsys.readouterr().out


@pytest.mark.parametrize("flags", [["--pictures", "0"], ["--pictures", "nan"], ["--pictures", "1", "--repeats", "2"],
                                   ["--pictures", "1", "--cores", "0"], []])  # fmt: skip
def test_wrong_flags_are_refused(flags):
    assert run(["plan", *flags]) == 2


def test_this_machine_is_measured_in_a_process_of_its_own(tmp_path, capsys):
    Image.fromarray(np.full((90, 120, 3), 200, np.uint8)).save(tmp_path / "photo.png")
    assert run(["plan", "--pictures", "1000", "--photo", str(tmp_path / "photo.png"), "--json"]) == 0
    told = json.loads(capsys.readouterr().out)
    assert told["measured_on"].endswith("(now)")
    assert told["cost"]["megapixels"] == pytest.approx(0.0108)
    assert told["cost"]["bytes_in"] == (tmp_path / "photo.png").stat().st_size
    assert 0 < told["cost"]["cpu_seconds"] < 60
    assert told["cost"]["idle_bytes"] > 2e7


def test_a_drawn_picture_is_as_large_as_was_asked_for():
    cost = measure.measured("cleancut-small", "auto", measure.size_of(0.05), 1)
    assert cost.megapixels == pytest.approx(0.05, rel=0.02)


@pytest.mark.parametrize(
    ("model", "picture", "kind", "said"),
    [("cleancut-small", "/nonexistent.jpg", BadInput, "does not exist"), ("nix", "64x64", BadInput, "no model 'nix'"),
     ("cleancut-small", "0x0", ModelFailed, "ended its process")],
)  # fmt: skip
def test_what_cannot_be_measured_says_why(model, picture, kind, said):
    with pytest.raises(kind, match=said):
        measure.measured(model, "auto", picture, 1)
