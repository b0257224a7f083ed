"""Users' own Optuna scripts, with Optuna's own client classes, through the storage proxy."""

import grpc
import optuna
import pytest
from optuna.storages import GrpcStorageProxy
from optuna.storages._grpc.auto_generated import api_pb2
from optuna.trial import TrialState
from optuna_service.storage_proxy.server import ALLOWED
from proxy_site import CODE, EXPERIMENT, demo, refused, site

# Fixtures are found by their names in the module.
__all__ = ["demo", "site"]


def square(trial):
    return trial.suggest_float("x", -1, 1) ** 2


def test_every_call_of_optunas_protocol_was_considered():
    service = api_pb2.DESCRIPTOR.services_by_name["StorageService"]
    assert [each.name for each in service.methods] == list(ALLOWED)


def test_a_call_that_was_not_considered_is_not_answered(site):
    with grpc.insecure_channel(f"localhost:{site.proxy.port}") as channel:
        for path in ("/optuna.StorageService/GetEverything", "/grpc.health.v1.Health/Check"):
            code, _ = refused(channel.unary_unary(path), b"")
            assert code is CODE.UNIMPLEMENTED


@pytest.mark.postgres
def test_a_study_of_ones_own_is_made_searched_and_deleted(site, demo):
    study = optuna.create_study(study_name="demo/mine", storage=demo, direction="minimize")
    study.enqueue_trial({"x": 0.25})
    study.optimize(square, n_trials=12, n_jobs=2)
    assert [trial.state for trial in study.trials] == [TrialState.COMPLETE] * 12
    assert study.trials[0].params == {"x": 0.25}
    assert study.best_value <= 0.0625
    study.set_user_attr("who", "me")
    again = optuna.load_study(study_name="demo/mine", storage=site.client("of.demo"))
    assert again.user_attrs == {"who": "me"}
    assert again.best_value == study.best_value
    optuna.delete_study(study_name="demo/mine", storage=demo)
    assert optuna.get_all_study_names(demo) == []


def test_pruners_and_samplers_that_keep_notes_work_on_a_study_of_ones_own(demo):
    study = optuna.create_study(
        study_name="demo/noted",
        storage=demo,
        sampler=optuna.samplers.CmaEsSampler(seed=1, n_startup_trials=2),
        pruner=optuna.pruners.SuccessiveHalvingPruner(min_resource=1, reduction_factor=2),
    )

    def objective(trial):
        x, y = trial.suggest_float("x", -1, 1), trial.suggest_float("y", -1, 1)
        for step in range(1, 5):
            trial.report(x**2 + y**2 + 1 / step, step)
            if trial.should_prune():
                raise optuna.TrialPruned
        return x**2 + y**2

    study.optimize(objective, n_trials=12)
    states = {trial.state for trial in study.trials}
    assert states == {TrialState.COMPLETE, TrialState.PRUNED}


@pytest.mark.postgres
def test_a_study_of_an_experiment_is_read_as_it_is(site, demo):
    study = site.experiment(directions=["maximize"])
    site.studies.report(study, 0, [(1, 0.5)])
    site.studies.tell(study, 0, TrialState.COMPLETE, [0.75])
    read = optuna.load_study(study_name=EXPERIMENT, storage=demo)
    theirs = site.studies.open(EXPERIMENT)
    assert read.trials == theirs.trials
    assert read.best_value == 0.75
    assert read.direction == optuna.study.StudyDirection.MAXIMIZE
    assert [each.study_name for each in optuna.get_all_study_summaries(demo)] == [EXPERIMENT]
    made = optuna.create_study(study_name=EXPERIMENT, storage=demo, load_if_exists=True)
    assert made.trials == theirs.trials


@pytest.mark.postgres
def test_a_running_trial_takes_values_and_attributes_through_optunas_own_trial(site, demo):
    study = site.experiment(
        earlyStopping={"name": "median", "settings": {"n_startup_trials": "0"}}
    )
    read = optuna.load_study(
        study_name=EXPERIMENT, storage=demo, pruner=optuna.pruners.NopPruner()
    )
    trial = optuna.trial.Trial(read, read.trials[0]._trial_id)
    drawn = dict(site.studies.ask(study, 0))
    assert trial.suggest_float("x", -5, 10) == float(drawn["x"])
    trial.report(0.5, 3)
    assert trial.should_prune() is False
    trial.set_user_attr("machine", "gpu-1")
    read.set_user_attr("note", "the first one")
    theirs = site.studies.open(EXPERIMENT)
    assert theirs.trials[0].intermediate_values == {3: 0.5}
    assert theirs.trials[0].user_attrs["machine"] == "gpu-1"
    assert theirs.user_attrs["note"] == "the first one"
    # The operator goes on with the trial as before.
    site.studies.report(study, 0, [(3, 9.0), (4, 0.4)])
    site.studies.tell(study, 0, TrialState.COMPLETE, [0.4])
    assert site.studies.open(EXPERIMENT).trials[0].intermediate_values == {3: 0.5, 4: 0.4}


@pytest.mark.parametrize(
    ("token", "code", "words"),
    [
        ("wrong.token", CODE.UNAUTHENTICATED, "does not accept this token"),
        ("user.jane", CODE.PERMISSION_DENIED, "jane is no service account"),
        ("of.nobody", CODE.UNAVAILABLE, "it is down"),
        ("of.demo two", CODE.UNAUTHENTICATED, 'must be one "Bearer <token>"'),
        ("x" * 9000, CODE.UNAUTHENTICATED, "at most 8192 letters"),
        ("", CODE.UNAUTHENTICATED, 'must be one "Bearer <token>"'),
    ],
)
def test_tokens_that_do_not_count_are_refused(site, token, code, words):
    answered, said = refused(site.client(token).get_all_studies)
    assert (answered, words in said) == (code, True)


def test_optunas_own_client_as_it_is_has_no_token_and_is_told_so(site):
    plain = GrpcStorageProxy(host="localhost", port=site.proxy.port)
    code, said = refused(plain.get_all_studies)
    assert (code, "does not do so by itself" in said) == (CODE.UNAUTHENTICATED, True)
    plain.close()


@pytest.mark.postgres
@pytest.mark.parametrize(
    ("words", "deed"),
    [
        ("step", lambda c, study, trial: c.set_trial_intermediate_value(trial, 2**31, 0.5)),
        ("step", lambda c, study, trial: c.set_trial_intermediate_value(trial, -1, 0.5)),
        ("letters", lambda c, study, trial: c.set_study_user_attr(study, "k" * 513, 1)),
        ("letters", lambda c, study, trial: c.set_trial_user_attr(trial, "a\0b", 1)),
        ("letters", lambda c, study, trial: c.create_new_study([], "demo/a\0b")),
        ("letters", lambda c, study, trial: c.create_new_study([], "demo/" + "a" * 512)),
    ],
)
def test_what_the_database_cant_keep_is_an_invalid_argument(site, demo, words, deed):
    trial = optuna.create_study(study_name="demo/mine", storage=demo).ask()
    code, said = refused(deed, demo, trial.study._study_id, trial._trial_id)
    assert (code, words in said) == (CODE.INVALID_ARGUMENT, True)


@pytest.mark.postgres
def test_a_step_out_of_the_databases_range_is_not_its_fault(site, demo):
    study = optuna.create_study(study_name="demo/mine", storage=demo)
    trial = optuna.trial.create_trial(value=0.5, intermediate_values={2**40: 1.0})
    if site.studies._storage.backend().engine.dialect.name == "sqlite":
        # Keeps whole numbers of 64 bits.
        study.add_trial(trial)
        assert study.trials[0].intermediate_values == {2**40: 1.0}
    else:
        code, said = refused(study.add_trial, trial)
        assert code is CODE.INVALID_ARGUMENT
        assert said == (
            """the database can't keep it: value "1099511627776" is out of range for type integer"""
        )
        assert study.trials == []


@pytest.mark.postgres
def test_ids_that_no_database_gives_out_are_not_found(demo):
    for unknown in (-1, 0, 2**31, 2**63 - 1):
        with pytest.raises(KeyError):
            demo.get_study_name_from_id(unknown)
        with pytest.raises(KeyError):
            demo.get_trial(unknown)


def test_requests_that_are_no_json_are_invalid(site, demo):
    trial = optuna.create_study(study_name="demo/mine", storage=demo).ask()
    ids = {"trial_id": trial._trial_id}
    broken = api_pb2.SetTrialUserAttributeRequest(**ids, key="a", value="{")
    code, _ = refused(demo._stub.SetTrialUserAttribute, broken)
    assert code is CODE.INVALID_ARGUMENT
    broken = api_pb2.SetTrialParameterRequest(**ids, param_name="a", distribution='{"name": "x"}')
    code, _ = refused(demo._stub.SetTrialParameter, broken)
    assert code is CODE.INVALID_ARGUMENT


def test_a_request_that_is_too_large_is_not_taken_in(site, demo):
    optuna.create_study(study_name="demo/mine", storage=demo)
    code, _ = refused(demo.set_study_user_attr, 1, "a", "x" * 1024 * 1024)
    assert code is CODE.RESOURCE_EXHAUSTED


def test_a_storage_whose_tables_are_not_ready_is_unavailable(site, demo):
    site.studies._storage._backend = None
    code, said = refused(demo.get_all_studies)
    assert (code, "not ready" in said) == (CODE.UNAVAILABLE, True)
