"""`./dev bench` as a command: what it takes, what it prints, what it leaves out, how it counts."""

import json
from pathlib import Path

import pytest

from devstack.errors import StackError
from tools.bench import command
from tools.bench.figures import RATE, Figures, percentile
from tools.bench.rig import Rig
from tools.bench.scenarios import SCENARIOS, Scenario


class Measured(Scenario):
    """Three runs' values of a rate and its floor, and of a time without one."""

    def measure(self, rig: Rig, figures: Figures) -> None:
        for number in rig.each_run(self.name):
            figures.add("events", [100.0, 50.0, 80.0][number], RATE, floor="floor: bare events")
            figures.add("floor: bare events", 400.0, RATE)
            figures.add("delay", 2.0 + number, "ms", floor="floor: bare delay")
            figures.add("floor: bare delay", 1.5, "ms")
        figures.remark("a remark")


class Failing(Scenario):
    def measure(self, rig: Rig, figures: Figures) -> None:
        raise StackError("the callbacks did not come.")


class NotAble(Scenario):
    def measure(self, rig: Rig, figures: Figures) -> None:
        raise AssertionError("measured without the Kafka that it needs")


@pytest.fixture(autouse=True)
def scenarios(monkeypatch: pytest.MonkeyPatch) -> dict[str, Scenario]:
    made: dict[str, Scenario] = {
        "able": Measured("able", "what it does", "none"),
        "heavy": NotAble("heavy", "load", "none", needs_kafka=True),
    }
    monkeypatch.setattr(command, "SCENARIOS", made)
    return made


def test_the_json_holds_median_spread_floor_and_machine(
    capsys: pytest.CaptureFixture[str], tmp_path: Path
) -> None:
    assert command.main(["able", "--json", "--output", str(tmp_path / "figures.json")]) == 0

    results = json.loads(capsys.readouterr().out)
    assert json.loads((tmp_path / "figures.json").read_text()) == results
    able = results["scenarios"]["able"]
    events, floor, delay, _ = able["figures"]
    assert events == {
        "name": "events",
        "unit": "1/s",
        "median": 80,
        "min": 50,
        "max": 100,
        "values": [100, 50, 80],
        "floor": "floor: bare events",
        "times_floor": 5,
        "detail": False,
    }
    assert floor["times_floor"] is None
    assert delay["times_floor"] == 2  # a time is worse when it is longer
    assert able["runs"] == 3
    assert able["remarks"] == ["a remark"]
    assert {"cores", "load_average", "commit", "date"} <= results["machine"].keys()
    assert {"load_before", "load_after", "seconds"} <= able.keys()


def test_what_needs_a_real_kafka_is_named_in_one_sentence_when_there_is_none(
    capsys: pytest.CaptureFixture[str],
) -> None:
    assert command.main([]) == 0

    shown = capsys.readouterr().out
    (sentence,) = [line for line in shown.splitlines() if "Left out" in line]
    assert "--kafka=real" in sentence
    assert "heavy" in sentence
    assert "able: what it does" in shown


def test_a_scenario_that_fails_leaves_the_others_and_the_status_tells(
    capsys: pytest.CaptureFixture[str], scenarios: dict[str, Scenario]
) -> None:
    scenarios["able"] = Failing("able", "fails", "none")
    scenarios["after"] = Measured("after", "what it does", "none")

    assert command.main(["able", "after", "--json"]) == 1

    results = json.loads(capsys.readouterr().out)
    assert results["failed"] == {"able": "the callbacks did not come."}
    assert list(results["scenarios"]) == ["after"]


def test_figures_of_an_earlier_run_are_shown_again(
    capsys: pytest.CaptureFixture[str], tmp_path: Path, scenarios: dict[str, Scenario]
) -> None:
    file = tmp_path / "figures.json"
    command.main(["able", "--markdown", "--output", str(file)])
    measured = capsys.readouterr().out
    scenarios["able"] = NotAble("able", "is not measured again", "none")

    assert command.main(["--figures", str(file), "--markdown"]) == 0
    assert capsys.readouterr().out == measured


def test_the_markdown_is_tables_as_they_stand_in_the_document(
    capsys: pytest.CaptureFixture[str],
) -> None:
    assert command.main(["able", "--markdown"]) == 0

    lines = capsys.readouterr().out.splitlines()
    assert "### able: what it does" in lines
    assert "| events | 80 | 50 to 100 | 1/s | 5 |" in lines
    assert "| floor: bare events | 400 | 400 to 400 | 1/s |  |" in lines
    assert "- a remark" in lines


@pytest.mark.parametrize(
    ("arguments", "complaint"),
    [
        (["nothing-like-it"], "there is no scenario 'nothing-like-it'; there are able, heavy"),
        (["--runs", "0"], "at least 1"),
        (["--json", "--markdown"], "not allowed with"),
    ],
)
def test_wrong_arguments_are_refused_with_a_sentence(
    capsys: pytest.CaptureFixture[str], arguments: list[str], complaint: str
) -> None:
    with pytest.raises(SystemExit) as stopped:
        command.main(arguments)

    assert stopped.value.code == 2
    assert complaint in capsys.readouterr().err


def test_the_help_lists_every_scenario(
    capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(command, "SCENARIOS", SCENARIOS)
    with pytest.raises(SystemExit):
        command.main(["--help"])

    shown = capsys.readouterr().out
    for scenario in SCENARIOS.values():
        assert f"  {scenario.name} " in shown
        assert scenario.does in shown


@pytest.mark.parametrize(
    ("samples", "percent", "value"),
    [
        ([7.0], 99, 7.0),
        ([1.0, 2.0, 3.0], 50, 2.0),
        ([float(n) for n in range(101)], 99, 99.0),
        ([0.0, 10.0], 50, 5.0),
    ],
)
def test_percentiles(samples: list[float], percent: int, value: float) -> None:
    assert percentile(samples, percent) == pytest.approx(value)
