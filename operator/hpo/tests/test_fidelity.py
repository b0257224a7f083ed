"""The plumbing loses nothing: what comes out is what Optuna run by hand gives."""

import os
import statistics
from importlib.util import find_spec

import optuna
import pytest
from conftest import definition, double
from objectives import BRANIN, FUNCTIONS, suggest
from optuna.trial import TrialState
from optuna_service.algorithms import seed_of_draw

# 20 for the figures of a release, which take some minutes; fewer say nothing about medians.
SEEDS = int(os.environ.get("HPO_TEST_SEEDS", "0"))
TRIALS = 50


def through_the_service(studies, function, algorithm, seed, trials):
    space, value_of = FUNCTIONS[function]
    study = definition(algorithm, parameters=space, seed=seed, name=f"{function}/{algorithm}/{seed}")
    values = []
    for number in range(trials):
        asked = {name: float(text) for name, text in studies.ask(study, number)}
        values.append(value_of(**asked))
        studies.tell(study, number, TrialState.COMPLETE, [values[-1]])
    return values


SAMPLERS = {
    "random": lambda seed: optuna.samplers.RandomSampler(seed=seed),
    "tpe": lambda seed: optuna.samplers.TPESampler(seed=seed),
    "cmaes": lambda seed: optuna.samplers.CmaEsSampler(seed=seed, warn_independent_sampling=False),
    "nsgaii": lambda seed: optuna.samplers.NSGAIISampler(seed=seed),
}


def by_hand(function, trials, sampler_of):
    space, value_of = FUNCTIONS[function]
    study = optuna.create_study()
    values = []
    for number in range(trials):
        sampler = sampler_of(number)
        if sampler is not None:
            study.sampler = sampler
        trial = study.ask()
        values.append(value_of(**suggest(trial, space)))
        study.tell(trial, values[-1])
    return values


@pytest.mark.parametrize("function", FUNCTIONS)
@pytest.mark.parametrize("algorithm", SAMPLERS)
def test_values_are_those_of_optuna_with_the_same_seeds(studies, function, algorithm):
    ours = through_the_service(studies, function, algorithm, 7, 30)
    theirs = by_hand(function, 30, lambda n: SAMPLERS[algorithm](seed_of_draw(7, n)))
    assert ours == theirs


@pytest.mark.parametrize("function", FUNCTIONS)
def test_a_whole_search_is_that_of_optuna_with_the_same_seeds(studies, function):
    """So their best are equal; neither a trial nor a value gets lost on the way."""
    for seed in range(SEEDS or 1):
        ours = through_the_service(studies, function, "tpe", seed, TRIALS)
        theirs = by_hand(
            function, TRIALS, lambda n, seed=seed: SAMPLERS["tpe"](seed_of_draw(seed, n))
        )
        assert ours == theirs


@pytest.mark.skipif(SEEDS == 0, reason="by hand: HPO_TEST_SEEDS=20")
@pytest.mark.parametrize("function", FUNCTIONS)
def test_the_median_best_is_no_worse_than_with_one_sampler_throughout(studies, function):
    """One sampler with one seed for the whole study, as in Optuna's own documentation."""
    ours, theirs = [], []
    for seed in range(SEEDS):
        ours.append(min(through_the_service(studies, function, "tpe", seed, TRIALS)))
        sampler = SAMPLERS["tpe"](seed)
        theirs.append(min(by_hand(function, TRIALS, lambda _, sampler=sampler: sampler)))
    # Both are draws of one distribution, so the median of one lies within the other's quartiles.
    low, median, high = statistics.quantiles(theirs, n=4)
    print(f"{function}: ours {statistics.median(ours):.4f}, by hand {median:.4f} [{low:.4f}, {high:.4f}]")
    assert statistics.median(ours) <= high


@pytest.mark.skipif(find_spec("torch") is None, reason="the image variant with torch: WITH_GP=true")
@pytest.mark.parametrize("function", ["branin", "hartmann6"])
def test_gp_gives_what_optuna_gives_with_the_same_seeds(studies, function):
    ours = through_the_service(studies, function, "gp", 7, 15)
    theirs = by_hand(
        function, 15, lambda n: optuna.samplers.GPSampler(seed=seed_of_draw(7, n))
    )
    assert ours == theirs


def test_qmc_is_the_scrambled_sobol_sequence_point_by_point(studies):
    from scipy.stats import qmc

    study = definition("qmc", parameters=BRANIN, seed=7)
    asked = [dict(studies.ask(study, number)) for number in range(16)]
    points = qmc.Sobol(2, scramble=True, seed=7).random(16)
    assert [float(each["x"]) for each in asked] == pytest.approx(-5 + 15 * points[:, 0])
    assert [float(each["y"]) for each in asked] == pytest.approx(15 * points[:, 1])


def test_several_objectives_give_a_pareto_front_as_by_hand(studies):
    space = [double("x", 0, 5), double("y", 0, 3)]
    study = definition("nsgaii", {"population_size": "10"}, space, directions=["minimize"] * 2)
    hand = optuna.create_study(directions=["minimize"] * 2)
    for number in range(40):
        ours = {name: float(text) for name, text in studies.ask(study, number)}
        hand.sampler = optuna.samplers.NSGAIISampler(
            population_size=10, seed=seed_of_draw(7, number)
        )
        trial = hand.ask()
        theirs = {"x": trial.suggest_float("x", 0, 5), "y": trial.suggest_float("y", 0, 3)}
        assert ours == theirs
        x, y = ours["x"], ours["y"]
        # Binh and Korn, 1997.
        values = [4 * x**2 + 4 * y**2, (x - 5) ** 2 + (y - 5) ** 2]
        studies.tell(study, number, TrialState.COMPLETE, values)
        hand.tell(trial, values)
    front = [trial.number for trial in studies.open(study.name).best_trials]
    assert front == [trial.number for trial in hand.best_trials]
    assert len(front) > 5
