"""What one namespace sees and changes through the storage proxy, and what it does not."""

import optuna
import pytest
from optuna.storages import GrpcStorageProxy
from optuna.trial import TrialState
from optuna_service.storage_proxy.server import ALLOWED
from proxy_site import CODE, EXPERIMENT, demo, refused, site

# Fixtures are found by their names in the module.
__all__ = ["demo", "site"]


def of_operator(demo, study_id, trial_id):
    """What only the operator may do: (call, arguments)."""
    template = optuna.trial.create_trial(value=0.0)
    uniform = optuna.distributions.FloatDistribution(0, 1)
    return {
        "make a trial": (demo.create_new_trial, study_id),
        "add a finished trial": (demo.create_new_trial, study_id, template),
        "finish a trial": (demo.set_trial_state_values, trial_id, TrialState.COMPLETE, [0.0]),
        "fail a trial": (demo.set_trial_state_values, trial_id, TrialState.FAIL),
        "set a parameter": (demo.set_trial_param, trial_id, "z", 0.5, uniform),
        "number a trial": (demo.set_trial_system_attr, trial_id, "mlops:number", 7),
        "note a rung": (demo.set_trial_system_attr, trial_id, "completed_rung_0", 0.0),
        "note a generation": (demo.set_study_system_attr, study_id, "nsga2:parents", []),
        "change the definition": (demo.set_study_user_attr, study_id, "mlops:definition", "x"),
        "change what was drawn": (demo.set_trial_user_attr, trial_id, "assignments", {}),
        "delete the study": (demo.delete_study, study_id),
    }


@pytest.mark.parametrize("deed", of_operator(GrpcStorageProxy(), 0, 0))
def test_the_operator_owns_studies_and_trials_of_experiments(site, demo, deed):
    site.experiment()
    before = site.studies.open(EXPERIMENT).trials
    study_id = demo.get_study_id_from_name(EXPERIMENT)
    call, *args = of_operator(demo, study_id, before[0]._trial_id)[deed]
    code, said = refused(call, *args)
    assert code is CODE.PERMISSION_DENIED
    assert "operator" in said or "search service" in said
    assert site.studies.open(EXPERIMENT).trials == before


def test_a_study_of_an_experiment_that_is_to_come_is_not_taken(demo):
    code, said = refused(optuna.create_study, study_name=EXPERIMENT, storage=demo)
    assert (code, "the operator makes the study" in said) == (CODE.PERMISSION_DENIED, True)


def test_a_study_the_operator_began_is_its_own_whatever_its_name(site, demo):
    site.experiment(name="demo/digits/7")
    code, _ = refused(optuna.delete_study, study_name="demo/digits/7", storage=demo)
    assert code is CODE.PERMISSION_DENIED


NAMELESS = [None, "mine", "demo/", "demo", "Demo/x", "demolition/x", "other/x", "/demo/x"]


@pytest.mark.parametrize("name", NAMELESS)
def test_a_study_is_made_in_ones_own_namespace_only(site, demo, name):
    code, said = refused(optuna.create_study, study_name=name, storage=demo)
    assert (code, "begin with 'demo/'" in said) == (CODE.PERMISSION_DENIED, True)
    assert site.studies._storage.backend().get_all_studies() == []


def reads_and_writes(stranger, study_id, trial_id):
    uniform = optuna.distributions.FloatDistribution(0, 1)
    return {
        "GetStudyNameFromId": (stranger.get_study_name_from_id, study_id),
        "GetStudyDirections": (stranger.get_study_directions, study_id),
        "GetStudyUserAttributes": (stranger.get_study_user_attrs, study_id),
        "GetStudySystemAttributes": (stranger.get_study_system_attrs, study_id),
        "SetStudyUserAttribute": (stranger.set_study_user_attr, study_id, "a", 1),
        "SetStudySystemAttribute": (stranger.set_study_system_attr, study_id, "a", 1),
        "DeleteStudy": (stranger.delete_study, study_id),
        "CreateNewTrial": (stranger.create_new_trial, study_id),
        "GetTrials": (stranger.get_all_trials, study_id),
        "GetTrialIdFromStudyIdTrialNumber": (
            stranger.get_trial_id_from_study_id_trial_number,
            study_id,
            0,
        ),
        "GetTrial": (stranger.get_trial, trial_id),
        "SetTrialParameter": (stranger.set_trial_param, trial_id, "z", 0.5, uniform),
        "SetTrialStateValues": (stranger.set_trial_state_values, trial_id, TrialState.FAIL),
        "SetTrialIntermediateValue": (stranger.set_trial_intermediate_value, trial_id, 1, 0.5),
        "SetTrialUserAttribute": (stranger.set_trial_user_attr, trial_id, "a", 1),
        "SetTrialSystemAttribute": (stranger.set_trial_system_attr, trial_id, "a", 1),
    }


BY_NAME = {"CreateNewStudy", "GetStudyIdFromName", "GetAllStudies"}


def test_every_call_by_id_is_tried_from_another_namespace():
    assert {*reads_and_writes(GrpcStorageProxy(), 0, 0), *BY_NAME} == set(ALLOWED)


@pytest.mark.parametrize("rpc", [each for each in ALLOWED if each not in BY_NAME])
@pytest.mark.parametrize("name", [EXPERIMENT, "demo/mine"])
def test_other_namespaces_have_no_such_study(site, demo, rpc, name):
    if name == EXPERIMENT:
        site.experiment()
    else:
        optuna.create_study(study_name=name, storage=demo).ask()
    before = site.studies.open(name).trials
    # A namespace whose name the other's begins with.
    stranger = site.client("of.dem")
    study_id, trial_id = demo.get_study_id_from_name(name), before[0]._trial_id
    call, *args = reads_and_writes(stranger, study_id, trial_id)[rpc]
    with pytest.raises(KeyError):
        call(*args)
    assert site.calls[-1] == (rpc, "NOT_FOUND")
    assert site.studies.open(name).trials == before
    with pytest.raises(KeyError):
        stranger.get_study_id_from_name(name)


@pytest.mark.postgres
def test_all_studies_are_those_of_the_namespace(site, demo):
    site.experiment()
    optuna.create_study(study_name="demo/two", storage=demo, directions=["maximize", "minimize"])
    optuna.create_study(study_name="dem_/x", storage=site.client("of.dem_"))
    optuna.create_study(study_name="DEMO/x", storage=site.client("of.DEMO"))
    assert [each.study_name for each in demo.get_all_studies()] == [EXPERIMENT, "demo/two"]
    assert [each.name for each in demo.get_all_studies()[1].directions] == ["MAXIMIZE", "MINIMIZE"]
    names = [each.study_name for each in site.client("of.dem_").get_all_studies()]
    assert names == ["dem_/x"]
