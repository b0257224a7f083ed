"""Optuna's samplers by our names. One is made for each draw, seeded from (seed, trial number)."""

import importlib.util
import math
import warnings

import numpy as np
import optuna

from .problems import Refused
from .settings import number, read_settings, truth, whole, word

samplers = optuna.samplers


def seed_of_draw(seed, trial):
    """32 bits for draw `trial` of a study; SeedSequence keeps neighbours independent."""
    return int(np.random.SeedSequence((seed, trial)).generate_state(1)[0])


def random(settings, study_seed, trial):
    return samplers.RandomSampler(seed=seed_of_draw(study_seed, trial))


def tpe(settings, study_seed, trial):
    gamma = settings.pop("gamma", None)
    if gamma is not None:
        # Optuna's own rule with another fraction than a tenth.
        settings["gamma"] = lambda finished: min(math.ceil(gamma * finished), 25)
    return samplers.TPESampler(seed=seed_of_draw(study_seed, trial), **settings)


def cmaes(settings, study_seed, trial):
    settings.pop("restart_strategy", None)
    return samplers.CmaEsSampler(
        seed=seed_of_draw(study_seed, trial), warn_independent_sampling=False, **settings
    )


def nsgaii(settings, study_seed, trial):
    return samplers.NSGAIISampler(seed=seed_of_draw(study_seed, trial), **settings)


def gp(settings, study_seed, trial):
    settings.pop("base_estimator", None)
    return samplers.GPSampler(
        seed=seed_of_draw(study_seed, trial), warn_independent_sampling=False, **settings
    )


class NumberedQMCSampler(samplers.QMCSampler):
    """Point n of the sequence for trial n, instead of a counter that a crash would skip ahead."""

    def __init__(self, space, study_seed, trial, settings):
        super().__init__(
            seed=study_seed % 2**32,
            independent_sampler=samplers.RandomSampler(seed=seed_of_draw(study_seed, trial)),
            warn_independent_sampling=False,
            **settings,
        )
        self._trial = trial
        self._space = {p.name: p.distribution() for p in space.parameters}

    def infer_relative_search_space(self, study, trial):
        return {name: each for name, each in self._space.items() if not each.single()}

    def _find_sample_id(self, study, search_space):
        return self._trial


SEED = {"seed": whole(), "random_state": whole()}

# What each takes; the second map holds Katib's names for the same.
ALLOWED = {
    "random": ({}, {}),
    "grid": ({}, {}),
    "tpe": (
        {
            "n_startup_trials": whole(),
            "n_ei_candidates": whole(1),
            "gamma": number(1e-6, 1),
            "prior_weight": number(1e-9, 1e9),
            "multivariate": truth,
            "group": truth,
            "constant_liar": truth,
        },
        {"n_EI_candidates": "n_ei_candidates"},
    ),
    "cmaes": (
        {
            "n_startup_trials": whole(),
            "sigma0": number(1e-12, 1e12),
            "popsize": whole(2),
            "restart_strategy": word("none"),
            "use_separable_cma": truth,
            "with_margin": truth,
            "lr_adapt": truth,
            "consider_pruned_trials": truth,
        },
        {"sigma": "sigma0", "population_size": "popsize"},
    ),
    "nsgaii": (
        {
            "population_size": whole(2),
            "mutation_prob": number(0, 1),
            "crossover_prob": number(0, 1),
            "swapping_prob": number(0, 1),
        },
        {},
    ),
    "qmc": ({"qmc_type": word("sobol", "halton"), "scramble": truth}, {}),
    "gp": (
        {
            "n_startup_trials": whole(),
            "deterministic_objective": truth,
            "base_estimator": word("GP"),
        },
        {"n_initial_points": "n_startup_trials"},
    ),
}
MAKERS = {"random": random, "tpe": tpe, "cmaes": cmaes, "nsgaii": nsgaii, "gp": gp}
NEEDS = {"cmaes": "cmaes", "gp": "torch"}


def read_algorithm(definition):
    """The settings as Optuna takes them; raises Refused for what can't be."""
    method = definition.algorithm
    if method.name not in ALLOWED:
        raise Refused.missing(
            f"there is no algorithm {method.name!r}; there are: {', '.join(ALLOWED)}"
        )
    needed = NEEDS.get(method.name)
    if needed is not None and importlib.util.find_spec(needed) is None:
        raise Refused.missing(
            f"{method.name} needs {needed}, which is not in this image of the search service; "
            "take another algorithm, or an image that has it"
        )
    allowed, aliases = ALLOWED[method.name]
    settings = read_settings(method, {**SEED, **allowed}, aliases)
    if method.name == "cmaes" and len(definition.directions) > 1:
        raise Refused.setting("cmaes has a single objective; for several take nsgaii or tpe")
    return {name: value for name, value in settings.items() if name not in SEED}


def make_sampler(definition, trial):
    """The sampler of draw `trial`; raises Refused for settings that Optuna itself refuses."""
    settings = read_algorithm(definition)
    name = definition.algorithm.name
    with warnings.catch_warnings():
        # Deprecated settings still work in this version of Optuna, which is pinned.
        warnings.simplefilter("ignore")
        try:
            if name == "qmc":
                settings.setdefault("scramble", True)
                return NumberedQMCSampler(definition.space, definition.seed, trial, settings)
            return MAKERS[name](settings, definition.seed, trial)
        except ValueError as error:
            raise Refused.setting(f"{name}: {error}") from error
