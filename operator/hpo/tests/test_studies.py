"""Trials are neither lost nor doubled, whatever is repeated, cut off or done at the same time."""

import math
import os
from concurrent.futures import ThreadPoolExecutor

import optuna
import pytest
from conftest import NAME, categorical, definition, double, when, whole
from optuna.trial import TrialState
from optuna_service.problems import BadRequest, Conflict, NotFound, Refused, Unavailable
from optuna_service.studies import Studies

COMPLETE, FAIL, PRUNED = TrialState.COMPLETE, TrialState.FAIL, TrialState.PRUNED
MIXED = [
    double("lr", "0.0001", "1", distribution="logUniform"),
    whole("layers", 1, 4),
    categorical("optimizer", "sgd", "adam"),
    double("momentum", 0, 1, **when("optimizer", "sgd")),
]


def loss(assignments):
    return sum(len(value) for value in dict(assignments).values()) / 7


def run(studies, study, numbers):
    asked = []
    for number in numbers:
        asked.append(studies.ask(study, number))
        studies.tell(study, number, COMPLETE, [loss(asked[-1])])
    return asked


def test_asking_again_gives_what_was_drawn(studies):
    study = definition("tpe", parameters=MIXED)
    first = studies.ask(study, 0)
    assert studies.ask(study, 0) == first
    assert len(studies.open(NAME).trials) == 1


def test_a_gap_is_an_error_that_names_the_next_trial(studies):
    study = definition()
    studies.ask(study, 0)
    with pytest.raises(Conflict, match="the next of study demo/digits/6f1e is 1") as conflict:
        studies.ask(study, 2)
    assert conflict.value.body()["reason"] == "StudyBehind"
    assert conflict.value.body()["next"] == 1


@pytest.mark.parametrize("algorithm", ["random", "tpe", "cmaes", "nsgaii", "qmc"])
def test_the_same_seed_gives_the_same_trials_restarts_included(new_storage, algorithm):
    one = definition(algorithm, parameters=MIXED)
    straight = run(Studies(new_storage()), one, range(8))
    other = definition(algorithm, parameters=MIXED, name="demo/digits/again")
    # Another process, with a cache of its own, for every trial.
    restarted = [run(Studies(new_storage()), other, [number])[0] for number in range(8)]
    assert restarted == straight
    assert len({str(each) for each in straight}) == 8


@pytest.mark.parametrize("algorithm", ["random", "qmc"])
def test_draws_that_learn_nothing_are_the_same_in_parallel(studies, algorithm):
    one = definition(algorithm, parameters=MIXED)
    straight = run(studies, one, range(8))
    other = definition(algorithm, parameters=MIXED, name="demo/digits/parallel")
    asked = [studies.ask(other, number) for number in range(8)]
    assert asked == straight


def test_another_seed_gives_other_trials(studies):
    one = run(studies, definition(), range(3))
    other = run(studies, definition(name="demo/digits/other", seed=8), range(3))
    assert not {str(each) for each in one} & {str(each) for each in other}


@pytest.mark.postgres
@pytest.mark.skipif("HPO_TEST_DATABASE_URL" not in os.environ, reason="SQLite locks no study")
def test_two_at_once_make_one_trial(new_storage):
    study = definition("tpe", parameters=MIXED)
    services = [Studies(new_storage()) for _ in range(4)]
    with ThreadPoolExecutor(8) as threads:
        for number in range(5):
            asked = list(threads.map(lambda each: each.ask(study, number), services * 2))
            assert asked == [asked[0]] * 8
    assert len(services[0].open(NAME).trials) == 5


@pytest.mark.postgres
def test_a_kill_before_a_draw_is_written_leaves_nothing(studies, monkeypatch):
    study = definition("tpe", parameters=MIXED)
    studies.ask(study, 0)
    straight = studies.ask(definition("tpe", parameters=MIXED, name="demo/digits/b"), 0)
    backend = type(studies._storage.backend())
    monkeypatch.setattr(backend, "_create_new_trial", killed)
    with pytest.raises(KeyboardInterrupt):
        studies.ask(study, 1)
    monkeypatch.undo()
    assert len(studies.open(NAME).trials) == 1
    assert studies.ask(study, 1) != straight
    assert studies.ask(study, 1) == studies.ask(study, 1)


def killed(*_, **__):
    raise KeyboardInterrupt


@pytest.mark.postgres
def test_without_its_lock_a_second_trial_of_a_number_is_refused_by_the_storage(new_storage):
    study = definition()
    one, other = new_storage(), new_storage()
    Studies(one).ask(study, 0)
    cache = other.cache_of(NAME)
    template = optuna.trial.create_trial(state=TrialState.RUNNING, system_attrs={"mlops:number": 0})
    with pytest.raises(Unavailable, match="drawn by another request"):
        cache.create_new_trial(cache.get_study_id_from_name(NAME), template)


@pytest.mark.postgres
def test_trials_of_a_users_own_script_take_no_number_of_ours(studies):
    study = definition("tpe")
    studies.ask(study, 0)
    own = studies.open(NAME)
    own.add_trial(
        optuna.trial.create_trial(
            params={"x": 1.0},
            distributions={"x": optuna.distributions.FloatDistribution(-5, 10)},
            value=0.5,
        )
    )
    studies.ask(study, 1)
    studies.tell(study, 1, COMPLETE, [3.0])
    assert [trial.value for trial in own.trials] == [None, 0.5, 3.0]


@pytest.mark.postgres
def test_telling_again_is_fine_and_telling_something_else_is_a_conflict(studies):
    study = definition()
    for number, (state, values) in enumerate([(COMPLETE, [1.5]), (FAIL, None), (PRUNED, None)]):
        studies.ask(study, number)
        studies.tell(study, number, state, values)
        studies.tell(study, number, state, values)
    with pytest.raises(Conflict, match=r"told complete with \[1.5\] before") as conflict:
        studies.tell(study, 0, COMPLETE, [2.5])
    assert conflict.value.reason == "EngineConflict"
    with pytest.raises(Conflict):
        studies.tell(study, 0, FAIL)
    with pytest.raises(Conflict):
        studies.tell(study, 1, PRUNED)
    states = [trial.state for trial in studies.open(NAME).trials]
    assert states == [COMPLETE, FAIL, PRUNED]


@pytest.mark.postgres
def test_nan_is_a_failed_trial_and_infinity_a_value(studies):
    study = definition()
    for number, value in enumerate([math.nan, math.inf, -math.inf]):
        studies.ask(study, number)
        studies.tell(study, number, COMPLETE, [value])
        studies.tell(study, number, COMPLETE, [value])
    assert [(t.state, t.values) for t in studies.open(NAME).trials] == [
        (FAIL, None),
        (COMPLETE, [math.inf]),
        (COMPLETE, [-math.inf]),
    ]
    assert dict(studies.ask(study, 3)).keys() == {"x", "y"}


def test_as_many_values_as_objectives(studies):
    study = definition("nsgaii", directions=["minimize", "maximize"])
    studies.ask(study, 0)
    with pytest.raises(BadRequest, match="2 objectives"):
        studies.tell(study, 0, COMPLETE, [1.0])
    studies.tell(study, 0, COMPLETE, [1.0, 2.0])
    assert studies.open(NAME).trials[0].values == [1.0, 2.0]


def test_trials_nobody_asked_for_can_neither_be_told_nor_report(studies):
    study = definition()
    with pytest.raises(NotFound) as unknown:
        studies.tell(study, 0, FAIL)
    assert unknown.value.body()["next"] == 0
    studies.ask(study, 0)
    with pytest.raises(NotFound) as unknown:
        studies.report(study, 1, [(0, 1.0)])
    assert unknown.value.body()["next"] == 1
    assert unknown.value.reason == "StudyBehind"


@pytest.mark.postgres
def test_a_lost_study_is_built_anew_from_what_was_drawn(studies):
    study = definition("tpe", parameters=MIXED)
    asked = run(studies, study, range(12))
    before = [trial.params for trial in studies.open(NAME).trials]
    following = studies.ask(study, 12)
    studies.delete(NAME)
    with pytest.raises(NotFound):
        studies.open(NAME)
    for number, given in enumerate(asked):
        assert studies.ask(study, number, dict(given)) == given
        studies.tell(study, number, COMPLETE, [loss(given)])
    assert [trial.params for trial in studies.open(NAME).trials] == before
    assert studies.ask(study, 12) == following


def test_assignments_that_cannot_be_are_a_bad_request(studies):
    with pytest.raises(BadRequest, match="no parameter 'z'"):
        studies.ask(definition(), 0, {"z": "1"})
    with pytest.raises(BadRequest, match="x is never 11"):
        studies.ask(definition(), 0, {"x": "11", "y": "1"})


def test_a_study_keeps_its_definition(studies):
    studies.ask(definition(), 0)
    with pytest.raises(Conflict, match="another definition") as conflict:
        studies.ask(definition("tpe"), 1)
    assert conflict.value.reason == "StudyChanged"
    studies.delete(NAME)
    studies.ask(definition("tpe"), 0)


@pytest.mark.postgres
def test_deleting_twice_is_fine(studies):
    studies.ask(definition(), 0)
    studies.delete(NAME)
    studies.delete(NAME)
    studies.delete("demo/never/was")


def test_a_refused_definition_makes_no_study(studies):
    with pytest.raises(Refused):
        studies.ask(definition("grid"), 0)
    with pytest.raises(NotFound):
        studies.open(NAME)


def test_a_cache_that_made_way_for_others_is_read_again(new_storage):
    storage = new_storage()
    storage._most_studies = 2
    studies = Studies(storage)
    for name in "abcd":
        run(studies, definition("tpe", name=name), range(3))
    assert list(storage._caches) == ["c", "d"]
    assert run(studies, definition("tpe", name="a"), [3])
    assert [trial.number for trial in studies.open("a").trials] == [0, 1, 2, 3]


@pytest.mark.postgres
def test_names_with_every_kind_of_letter(studies):
    name = "demo/größe 日本'\"; DROP TABLE studies --/%2F"
    study = definition(name=name, parameters=[categorical("k'\"", "a'", "b\\", "é")])
    asked = studies.ask(study, 0)
    assert dict(studies.ask(study, 0)) == dict(asked)
    studies.tell(study, 0, COMPLETE, [1.0])
    assert studies.open(name).best_value == 1.0


def test_only_studies_that_were_asked_for_are_listed(studies):
    studies.ask(definition(), 0)
    optuna.create_study(storage=studies._storage.backend(), study_name="a user's own")
    assert NAME in studies.names()
    assert "a user's own" not in studies.names()
    studies.delete(NAME)
    assert NAME not in studies.names()
