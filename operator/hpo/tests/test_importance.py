"""Which parameters matter."""

import json

import optuna
import pytest
from optuna.distributions import FloatDistribution

from optuna_service.importance import importance_view
from optuna_service.problems import BadRequest, NotFound


def study_of(count, directions=("minimize",)):
    """Objective 0 is x alone, objective 1 is y alone."""
    study = optuna.create_study(directions=directions)
    space = {"x": FloatDistribution(0, 1), "y": FloatDistribution(0, 1)}
    for number in range(count):
        params = {"x": number / count, "y": (number * 37 % count) / count}
        values = [params["x"], params["y"]][: len(directions)]
        study.add_trial(
            optuna.trial.create_trial(params=params, distributions=space, values=values)
        )
    return study


def shares(study, *rest):
    status, _, body = importance_view(study, list(rest))
    assert status == 200
    return {each["parameter"]: each["importance"] for each in json.loads(body)["importances"]}


def test_the_parameter_that_decides_matters_most():
    found = shares(study_of(100))
    assert list(found) == ["x", "y"]
    assert found["x"] > 0.9
    assert sum(found.values()) == pytest.approx(1)


def test_each_objective_has_its_own_in_its_direction():
    study = study_of(100, ("minimize", "maximize"))
    assert shares(study, "0")["x"] > 0.9
    assert shares(study, "1")["y"] > 0.9


def test_too_few_trials_say_nothing():
    assert shares(study_of(9)) == {}
    assert shares(study_of(0)) == {}


def test_objectives_that_are_not_there_are_refused():
    for text in ("1", "x", "-1", "%31"):
        with pytest.raises(BadRequest):
            importance_view(study_of(1), [text])
    with pytest.raises(NotFound):
        importance_view(study_of(1), ["0", "1"])
