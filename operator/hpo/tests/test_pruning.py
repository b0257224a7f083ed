"""Trials are stopped where Optuna's pruners, run by hand on the same curves, stop them."""

import json
import math
import random
import warnings
from pathlib import Path

import optuna
import pytest
from conftest import definition
from optuna.trial import TrialState
from optuna_service.early_stopping import make_pruner
from optuna_service.studies import Studies

STEPS = 27


def made_up(count=24):
    """Losses over steps as trainings have them: falling at different speeds, noisy, some broken."""
    source = random.Random(11)
    for number in range(count):
        end, speed = source.uniform(0.1, 1.0), source.uniform(0.05, 0.6)
        curve = [
            end + 2 * math.exp(-speed * step) + source.gauss(0, 0.05) for step in range(STEPS)
        ]
        if number % 13 == 5:
            curve[4:] = [math.nan] * (STEPS - 4)
        yield curve


def recorded():
    """Validation errors of 40 real trainings; recorded/record_curves.py says which."""
    path = Path(__file__).parent / "recorded" / "curves.json"
    return [each["errors"] for each in json.loads(path.read_text(encoding="utf-8"))["curves"]]


STOPPING = {
    "median": {"n_startup_trials": "3", "n_warmup_steps": "2"},
    "percentile": {"percentile": "25", "interval_steps": "3"},
    "asha": {"reduction_factor": "3"},
    "asha-fixed": {"min_resource": "1", "reduction_factor": "2"},
    "hyperband": {"min_resource": "1", "max_resource": "27", "reduction_factor": "3"},
    "hyperband-auto": {},
    "patient": {"patience": "3", "wrapped": "median", "n_startup_trials": "2"},
    "patient-alone": {"patience": "2", "min_delta": "0.001"},
    "wilcoxon": {"p_threshold": "0.1"},
}


def study_of(stopping, direction="minimize"):
    early = {"name": stopping.split("-")[0], "settings": STOPPING[stopping]}
    return definition("random", earlyStopping=early, directions=[direction], name="pruned")


def by_hand(study, sign, curves=made_up):
    """Steps after which each trial was stopped, or None."""
    hand = optuna.create_study(
        study_name="pruned",
        direction=study.directions[0],
        sampler=optuna.samplers.RandomSampler(seed=1),
        pruner=make_pruner(study),
    )
    stops = []
    for curve in curves():
        trial = hand.ask()
        stops.append(None)
        for step, value in enumerate(curve):
            trial.report(sign * value, step)
            if trial.should_prune():
                stops[-1] = step
                break
        if stops[-1] is None:
            hand.tell(trial, values=sign * curve[-1] if math.isfinite(curve[-1]) else math.nan)
        else:
            hand.tell(trial, state=TrialState.PRUNED)
    return stops


def through(study, sign, service_of):
    stops = []
    for number, curve in enumerate(made_up()):
        service_of().ask(study, number)
        stops.append(None)
        for step, value in enumerate(curve):
            if service_of().report(study, number, [(step, sign * value)]):
                stops[-1] = step
                break
        if stops[-1] is None:
            service_of().tell(study, number, TrialState.COMPLETE, [sign * curve[-1]])
        else:
            service_of().tell(study, number, TrialState.PRUNED)
    return stops


DIRECTIONS = ("minimize", "maximize")


WITH_DIRECTIONS = [(each, DIRECTIONS[place % 2]) for place, each in enumerate(STOPPING)]


@pytest.mark.parametrize(("stopping", "direction"), WITH_DIRECTIONS)
def test_the_same_trials_stop_at_the_same_steps(studies, stopping, direction):
    study = study_of(stopping, direction)
    sign = 1 if direction == "minimize" else -1
    with warnings.catch_warnings(action="ignore"):
        theirs = by_hand(study, sign)
    ours = through(study, sign, lambda: studies)
    assert ours == theirs
    assert any(each is not None for each in ours)
    assert any(each is None for each in ours)


@pytest.mark.parametrize(("stopping", "direction"), WITH_DIRECTIONS)
def test_recorded_trainings_stop_at_the_same_steps(studies, stopping, direction):
    """Nine epochs at a time, as they come when somebody reads a log; by hand one by one."""
    study = study_of(stopping, direction)
    sign = 1 if direction == "minimize" else -1
    with warnings.catch_warnings(action="ignore"):
        theirs = by_hand(study, sign, recorded)
    ours = []
    for number, curve in enumerate(recorded()):
        studies.ask(study, number)
        values = [(step, sign * value) for step, value in enumerate(curve)]
        parts = (values[at : at + 9] for at in range(0, STEPS, 9))
        if any(studies.report(study, number, part) for part in parts):
            ours.append(max(studies.open("pruned").trials[number].intermediate_values))
            studies.tell(study, number, TrialState.PRUNED)
        else:
            ours.append(None)
            studies.tell(study, number, TrialState.COMPLETE, [sign * curve[-1]])
    assert ours == theirs
    assert any(each is not None for each in ours)
    assert any(each is None for each in ours)


@pytest.mark.postgres
def test_restarts_between_reports_change_nothing(new_storage):
    study = study_of("hyperband-auto")
    services = [Studies(new_storage()) for _ in range(3)]
    turn = iter(range(10**6))
    ours = through(study, 1, lambda: services[next(turn) % 3])
    assert ours == by_hand(study, 1)


def test_a_whole_curve_at_once_stops_at_the_same_step(studies):
    study = study_of("median")
    stopped = []
    for number, curve in enumerate(made_up()):
        studies.ask(study, number)
        if studies.report(study, number, list(enumerate(curve))):
            last = max(studies.open("pruned").trials[number].intermediate_values)
            stopped.append(last)
            studies.tell(study, number, TrialState.PRUNED)
        else:
            stopped.append(None)
            studies.tell(study, number, TrialState.COMPLETE, [curve[-1]])
    assert stopped == by_hand(study, 1)


@pytest.mark.postgres
def test_a_verdict_stays_and_steps_are_taken_once(studies):
    study = study_of("asha-fixed")
    for number, value in enumerate([0.1, 0.2, 0.9]):
        studies.ask(study, number)
        for _ in range(2):
            stop = studies.report(study, number, [(0, value), (1, value)])
    assert stop is True
    assert studies.report(study, 2, [(0, 0.0), (1, 0.0), (2, 0.0)]) is True
    assert studies.open("pruned").trials[2].intermediate_values == {0: 0.9, 1: 0.9}


@pytest.mark.postgres
@pytest.mark.parametrize("cut_before", ["set_trial_system_attr", "set_trial_intermediate_value"])
def test_a_kill_while_a_report_is_written_changes_no_verdict(studies, monkeypatch, cut_before):
    study = study_of("asha-fixed")
    for number, value in enumerate([0.1, 0.2]):
        studies.ask(study, number)
        assert studies.report(study, number, [(1, value)]) is (number == 1)
    studies.ask(study, 2)
    backend = type(studies._storage.backend())

    def killed(*_, **__):
        raise KeyboardInterrupt

    monkeypatch.setattr(backend, cut_before, killed)
    with pytest.raises(KeyboardInterrupt):
        studies.report(study, 2, [(1, 0.9)])
    monkeypatch.undo()
    assert studies.report(study, 2, [(1, 0.9)]) is True


@pytest.mark.postgres
def test_several_objectives_keep_values_and_stop_nothing(studies):
    study = definition("nsgaii", directions=["minimize", "minimize"])
    studies.ask(study, 0)
    assert studies.report(study, 0, [(0, 1.0), (1, math.inf)]) is False
    assert studies.open(study.name).trials[0].intermediate_values == {0: 1.0, 1: math.inf}


def test_a_finished_trial_takes_no_reports(studies):
    study = study_of("median")
    studies.ask(study, 0)
    studies.tell(study, 0, TrialState.COMPLETE, [1.0])
    assert studies.report(study, 0, [(0, 1.0)]) is False
    assert studies.open("pruned").trials[0].intermediate_values == {}
