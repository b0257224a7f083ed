"""What parameters are accepted, and what is drawn for them."""

from decimal import Decimal

import optuna
import pytest
from conftest import categorical, definition, double, study_body, when, whole
from optuna_service.definition import parse_definition
from optuna_service.parameters import parse_parameter
from optuna_service.problems import BadRequest, Refused
from optuna_service.space import parse_space


def drawn(parameter, count=300):
    """Values that Optuna's random sampler draws for a parameter of the definition."""
    study = optuna.create_study(sampler=optuna.samplers.RandomSampler(seed=1))
    read = parse_parameter(parameter)
    return [read.draw(study.ask()) for _ in range(count)]


def test_a_uniform_double_stays_within_and_reads_back_as_the_same_number():
    texts = drawn(double("x", "0.1", "0.3"))
    assert all(0.1 <= float(text) <= 0.3 and repr(float(text)) == text for text in texts)
    assert min(map(float, texts)) < 0.11
    assert max(map(float, texts)) > 0.29


def test_a_step_gives_exact_decimals_and_ends_below_max():
    texts = drawn(double("x", "0.1", "0.95", step="0.1"))
    assert sorted(set(texts)) == ["0.1", "0.2", "0.3", "0.4", "0.5", "0.6", "0.7", "0.8", "0.9"]


def test_whole_numbers_have_no_point_and_keep_their_step():
    assert sorted(set(drawn(whole("n", 16, 130, step="32")))) == ["112", "16", "48", "80"]


def test_a_logarithm_gives_each_decade_its_share():
    texts = drawn(double("lr", "0.00001", "0.1", distribution="logUniform"), 1000)
    decades = [sum(1 for each in texts if float(each) < limit) for limit in (1e-4, 1e-3, 1e-2)]
    # A quarter of 1000 in each of four decades; three deviations of a binomial are 41.
    assert decades == [pytest.approx(250, abs=41), pytest.approx(500, abs=48), pytest.approx(750, abs=41)]


def test_a_normal_has_its_mean_in_the_middle_and_the_limits_three_deviations_away():
    values = [float(each) for each in drawn(double("x", 1, 3, distribution="normal"), 1000)]
    assert all(1 <= each <= 3 for each in values)
    within = sum(1 for each in values if abs(each - 2) <= 1 / 3)
    # 0.6827 within one deviation, 0.6845 after cutting the tails.
    assert within == pytest.approx(684, abs=45)


def test_a_log_normal_has_its_median_at_the_geometric_mean():
    values = [float(each) for each in drawn(double("x", 1, 100, distribution="logNormal"), 1000)]
    assert sum(1 for each in values if each < 10) == pytest.approx(500, abs=48)
    assert all(1 <= each <= 100 for each in values)


def test_steps_go_with_every_distribution():
    for kind in ("logUniform", "normal", "logNormal"):
        texts = drawn(double("x", "0.5", "3", step="0.05", distribution=kind))
        assert all(0.5 <= float(text) <= 3 for text in texts)
        assert all(Decimal(text) % Decimal("0.05") == 0 for text in texts)
        assert all(len(text) <= 4 for text in texts)


def test_values_of_lists_come_back_letter_for_letter():
    assert set(drawn(categorical("k", "1e-3", "0.10", "adam"))) == {"1e-3", "0.10", "adam"}
    assert set(drawn({"name": "d", "type": "discrete", "list": ["0.50", "1"]})) == {"0.50", "1"}


def test_what_was_drawn_is_read_back_to_what_optuna_held():
    study = optuna.create_study(sampler=optuna.samplers.RandomSampler(seed=3))
    space = parse_space(
        [
            double("a", 0, 1),
            double("b", 1, 100, distribution="logUniform"),
            double("c", 1, 3, distribution="normal"),
            whole("d", 1, 9),
            categorical("e", "p", "q"),
        ]
    )
    for _ in range(50):
        trial = study.ask()
        internal = space.read(space.draw(trial))
        assert internal == {
            name: pytest.approx(value, abs=1e-9) if isinstance(value, float) else value
            for name, value in trial.params.items()
        }


def test_a_parameter_is_drawn_only_where_its_condition_holds():
    study = optuna.create_study(sampler=optuna.samplers.RandomSampler(seed=5))
    space = parse_space(
        [
            double("momentum", 0, 1, **when("optimizer", "sgd")),
            categorical("optimizer", "sgd", "adam"),
            double("nesterov", 0, 1, **when("schedule", "on")),
            categorical("schedule", "on", "off", **when("optimizer", "sgd")),
        ]
    )
    seen = {tuple(sorted(space.draw(study.ask()))) for _ in range(60)}
    assert seen == {
        ("optimizer",),
        ("momentum", "optimizer", "schedule"),
        ("momentum", "nesterov", "optimizer", "schedule"),
    }


@pytest.mark.parametrize(
    ("parameters", "words"),
    [
        ([], "there are no parameters"),
        ([double("x", 3, 1)], "min 3 is above max 1"),
        ([double("x", "NaN", 1)], "'NaN' is no finite number"),
        ([double("x", 0, "inf")], "'inf' is no finite number"),
        ([double("x", 0, "1e999")], "'1e999' is no finite number"),
        ([double("x", 0, "ten")], "'ten' is no finite number"),
        ([double("x", 0, 1, step="0")], "step 0 must be above 0"),
        ([double("x", 0, 1, step="1e-300")], "too small"),
        ([double("x", 0, 1, distribution="logUniform")], "must be above 0"),
        ([whole("n", 1, "2.5")], "2.5 is no whole number"),
        ([whole("n", 1, 2**54)], "beyond 2^53"),
        ([double("x", 0, 1), double("x", 0, 1)], "there twice"),
        ([categorical("k")], "list is empty"),
        ([categorical("k", "a", "a")], "a value twice"),
        ([{"name": "d", "type": "discrete", "list": ["a"]}], "'a' is no finite number"),
        ([{"name": "x", "type": "double", "min": "1"}], "max is missing"),
        ([double("x", 0, 1, **when("y", "a"))], "names y, which is no parameter"),
        ([double("x", 0, 1, **when("y", "1")), double("y", 0, 1)], "has no list of values"),
        ([double("x", 0, 1, **when("k", "c")), categorical("k", "a")], "asks for 'c'"),
        (
            [categorical("j", "a", **when("k", "a")), categorical("k", "a", **when("j", "a"))],
            "round in a circle",
        ),
        ([double(f"x{n}", 0, 1) for n in range(10_000)], "10000 parameters are too many"),
    ],
)
def test_a_space_that_cannot_be_searched_is_refused_with_a_reason(parameters, words):
    with pytest.raises(Refused) as refused:
        parse_space(parameters)
    assert refused.value.reason == "InvalidSearchSpace"
    assert words in refused.value.detail


@pytest.mark.parametrize(
    "parameters",
    [
        None,
        "x",
        [1],
        [{}],
        [{"name": "", "type": "int"}],
        [{"name": "x", "type": "float"}],
        [{**double("x", 0, 1), "distribution": "cauchy"}],
        [{"name": "k", "type": "categorical", "list": [1]}],
        [{**double("x", 0, 1), "when": "always"}],
        [{**double("x", 0, 1), "when": {"parameter": "k", "in": []}}],
    ],
)
def test_what_is_no_space_at_all_is_a_bad_request(parameters):
    with pytest.raises(BadRequest):
        parse_space(parameters)


def test_a_definition_for_another_study_is_a_bad_request():
    with pytest.raises(BadRequest, match="the address says"):
        parse_definition(study_body(), "other")


def test_early_stopping_of_several_objectives_is_refused():
    with pytest.raises(Refused, match="single objective"):
        definition(
            directions=["minimize", "maximize"], earlyStopping={"name": "median", "settings": {}}
        )
