"""Which algorithms, ways to stop early and settings there are."""

from importlib.util import find_spec

import optuna
import pytest
from conftest import definition
from optuna_service.algorithms import make_sampler, read_algorithm
from optuna_service.early_stopping import make_pruner
from optuna_service.problems import Refused


def stopping(name, **settings):
    return definition(earlyStopping={"name": name, "settings": settings})


@pytest.mark.parametrize(
    ("name", "kind"),
    [
        ("random", optuna.samplers.RandomSampler),
        ("tpe", optuna.samplers.TPESampler),
        ("cmaes", optuna.samplers.CmaEsSampler),
        ("nsgaii", optuna.samplers.NSGAIISampler),
        ("qmc", optuna.samplers.QMCSampler),
    ],
)
def test_algorithms_are_samplers_of_optuna(name, kind):
    assert isinstance(make_sampler(definition(name), 0), kind)


def test_settings_reach_the_sampler_by_optunas_and_by_katibs_names():
    sampler = make_sampler(
        definition("tpe", {"n_startup_trials": "3", "n_EI_candidates": "99", "gamma": "0.5"}), 0
    )
    assert (sampler._n_startup_trials, sampler._n_ei_candidates) == (3, 99)
    assert [sampler._gamma(n) for n in (0, 1, 10, 1000)] == [0, 1, 5, 25]
    sampler = make_sampler(definition("cmaes", {"sigma": "0.3", "restart_strategy": "none"}), 0)
    assert sampler._sigma0 == 0.3


@pytest.mark.parametrize(
    ("algorithm", "settings", "reason", "words"),
    [
        ("darts", {}, "AlgorithmNotInstalled", "there is no algorithm 'darts'; there are: random"),
        pytest.param(
            *("gp", {}, "AlgorithmNotInstalled", "gp needs torch"),
            marks=pytest.mark.skipif(find_spec("torch") is not None, reason="torch is installed"),
        ),
        ("random", {"gamma": "1"}, "InvalidAlgorithmSetting", "has no setting 'gamma'"),
        ("tpe", {"n_startup": "1"}, "InvalidAlgorithmSetting", "it has: constant_liar, gamma"),
        ("tpe", {"n_startup_trials": "-1"}, "InvalidAlgorithmSetting", "at least 0"),
        ("tpe", {"n_startup_trials": "many"}, "InvalidAlgorithmSetting", "a whole number"),
        ("tpe", {"gamma": "nan"}, "InvalidAlgorithmSetting", "a number from"),
        ("tpe", {"multivariate": "maybe"}, "InvalidAlgorithmSetting", "true or false"),
        ("tpe", {"group": "true", "multivariate": "false"}, "InvalidAlgorithmSetting", "group"),
        ("cmaes", {"restart_strategy": "ipop"}, "InvalidAlgorithmSetting", "must be none"),
        ("nsgaii", {"population_size": "1"}, "InvalidAlgorithmSetting", "at least 2"),
        ("qmc", {"qmc_type": "lattice"}, "InvalidAlgorithmSetting", "sobol or halton"),
    ],
)
def test_what_cannot_be_run_is_refused(algorithm, settings, reason, words):
    with pytest.raises(Refused) as refused:
        make_sampler(definition(algorithm, settings), 0)
    assert refused.value.reason == reason
    assert words in refused.value.detail


def test_cmaes_of_several_objectives_is_refused():
    with pytest.raises(Refused, match="nsgaii or tpe"):
        read_algorithm(definition("cmaes", directions=["minimize", "maximize"]))


def test_the_seed_comes_from_the_settings_and_else_from_the_name():
    assert definition("tpe", {"random_state": "3"}, seed=None).seed == 3
    # CRC-32 of demo/digits/6f1e, as gzip has it.
    assert definition(seed=None).seed == definition(seed=None).seed == 2260068696
    with pytest.raises(Refused, match="whole number"):
        definition("tpe", {"seed": "x"}, seed=None)


def test_katibs_medianstop_is_the_median_pruner():
    pruner = make_pruner(stopping("median", min_trials_required="3", start_step="4"))
    assert isinstance(pruner, optuna.pruners.MedianPruner)
    assert (pruner._n_startup_trials, pruner._n_warmup_steps) == (3, 4)


def test_patience_wraps_another_pruner_with_its_settings():
    pruner = make_pruner(stopping("patient", patience="2", wrapped="asha", eta="3"))
    assert pruner._patience == 2
    assert pruner._wrapped_pruner._reduction_factor == 3
    assert make_pruner(stopping("patient", patience="2"))._wrapped_pruner is None


@pytest.mark.parametrize(
    ("name", "settings", "reason", "words"),
    [
        ("envelope", {}, "AlgorithmNotInstalled", "there are: median"),
        ("median", {"eta": "3"}, "InvalidAlgorithmSetting", "min_trials_required"),
        ("percentile", {}, "InvalidAlgorithmSetting", "needs the setting percentile"),
        ("percentile", {"percentile": "101"}, "InvalidAlgorithmSetting", "from 0 to 100"),
        ("asha", {"reduction_factor": "1"}, "InvalidAlgorithmSetting", "at least 2"),
        ("asha", {"eta": "2", "reduction_factor": "3"}, "InvalidAlgorithmSetting", "both set"),
        ("asha", {"bootstrap_count": "1"}, "InvalidAlgorithmSetting", "incompatible"),
        ("hyperband", {"max_resource": "0"}, "InvalidAlgorithmSetting", "auto, or"),
        ("patient", {}, "InvalidAlgorithmSetting", "needs the setting patience"),
        ("patient", {"patience": "1", "wrapped": "patient"}, "InvalidAlgorithmSetting", "median or"),
        ("wilcoxon", {"p_threshold": "2"}, "InvalidAlgorithmSetting", "from 0 to 1"),
    ],
)
def test_early_stopping_that_cannot_be_is_refused(name, settings, reason, words):
    with pytest.raises(Refused) as refused:
        make_pruner(stopping(name, **settings))
    assert refused.value.reason == reason
    assert words in refused.value.detail
