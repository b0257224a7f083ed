"""Optuna's storage as one namespace may see it and change it."""

import re

from optuna.exceptions import DuplicatedStudyError
from optuna.storages import BaseStorage

from ..studies import ASSIGNMENTS, DEFINITION
from .refusal import CODE, Refusal
from .studies_of_namespace import name_of_study, studies_of, study_of_trial

# What the operator names its studies: namespace, name and uid of an Experiment.
OF_AN_EXPERIMENT = re.compile(
    r"[^/]+/[^/]+/[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}", re.IGNORECASE
)
OURS = "mlops:"
LONGEST = 512
LARGEST_STEP = 2**31 - 1


class ConfinedStorage(BaseStorage):
    """`storage`, of which studies beyond `namespace` do not exist, and the operator's own are its.

    Raises KeyError for what is not there, as storages do, and Refusal for what is not allowed.
    """

    def __init__(self, storage, namespace):
        self._storage = storage
        self._backend = storage.backend()
        self._prefix = f"{namespace}/"

    # Studies

    def create_new_study(self, directions, study_name=None):
        name = study_name or ""
        if not name.startswith(self._prefix) or name == self._prefix:
            raise Refusal(
                CODE.PERMISSION_DENIED,
                f"study {name[:LONGEST]!r}: names of your studies begin with {self._prefix!r}",
            )
        checked(name, "the study's name")
        try:
            self._backend.get_study_id_from_name(name)
        except KeyError:
            if OF_AN_EXPERIMENT.fullmatch(name):
                raise of_operator(name, "makes the study itself") from None
            return self._backend.create_new_study(directions, name)
        # So that create_study(load_if_exists=True) loads studies of Experiments too.
        raise DuplicatedStudyError(f"study {name} exists already; load it")

    def delete_study(self, study_id):
        name = self._own(study_id, "deletes the study with its Experiment")
        with self._storage.locked(name):
            self._storage.cache_of(name).delete_study(study_id)
            self._storage.forget(name)

    def get_study_id_from_name(self, study_name):
        if not study_name.startswith(self._prefix) or "\0" in study_name:
            raise KeyError(f"there is no study {study_name!r} in your namespace")
        return self._backend.get_study_id_from_name(study_name)

    def get_study_name_from_id(self, study_id):
        name = name_of_study(self._backend, study_id)
        if name is None or not name.startswith(self._prefix):
            raise KeyError(f"there is no study with id {study_id} in your namespace")
        return name

    def get_study_directions(self, study_id):
        self.get_study_name_from_id(study_id)
        return self._backend.get_study_directions(study_id)

    def get_study_user_attrs(self, study_id):
        self.get_study_name_from_id(study_id)
        return self._backend.get_study_user_attrs(study_id)

    def get_study_system_attrs(self, study_id):
        self.get_study_name_from_id(study_id)
        return self._backend.get_study_system_attrs(study_id)

    def get_all_studies(self):
        return studies_of(self._backend, self._prefix)

    def set_study_user_attr(self, study_id, key, value):
        self.get_study_name_from_id(study_id)
        self._backend.set_study_user_attr(study_id, free(key), value)

    def set_study_system_attr(self, study_id, key, value):
        self._own(study_id, "sets system attributes")
        self._backend.set_study_system_attr(study_id, free(key), value)

    # Trials

    def create_new_trial(self, study_id, template_trial=None):
        self._own(study_id, "owns the trials: it draws and starts them")
        if template_trial is not None:
            for key in (*template_trial.user_attrs, *template_trial.system_attrs):
                free(key)
        return self._backend.create_new_trial(study_id, template_trial)

    def set_trial_param(self, trial_id, param_name, param_value_internal, distribution):
        self._own_trial(trial_id, "owns the trials: it draws their parameters")
        checked(param_name, "the parameter's name")
        self._backend.set_trial_param(trial_id, param_name, param_value_internal, distribution)

    def set_trial_state_values(self, trial_id, state, values=None):
        self._own_trial(trial_id, "owns the trials: it tells what became of them")
        return self._backend.set_trial_state_values(trial_id, state, values)

    def set_trial_intermediate_value(self, trial_id, step, intermediate_value):
        self._study_of(trial_id)
        if not 0 <= step <= LARGEST_STEP:
            raise Refusal(CODE.INVALID_ARGUMENT, f"step {step} is not from 0 to {LARGEST_STEP}")
        self._backend.set_trial_intermediate_value(trial_id, step, intermediate_value)

    def set_trial_user_attr(self, trial_id, key, value):
        study_id, name = self._study_of(trial_id)
        # What the operator reads a trial's parameters from.
        if key == ASSIGNMENTS and self._of_operator(study_id, name):
            raise of_operator(name, f"sets the attribute {key} of trials")
        self._backend.set_trial_user_attr(trial_id, free(key), value)

    def set_trial_system_attr(self, trial_id, key, value):
        self._own_trial(trial_id, "sets system attributes of trials")
        self._backend.set_trial_system_attr(trial_id, free(key), value)

    def get_trial_id_from_study_id_trial_number(self, study_id, trial_number):
        self.get_study_name_from_id(study_id)
        return self._backend.get_trial_id_from_study_id_trial_number(study_id, trial_number)

    def get_trial(self, trial_id):
        self._study_of(trial_id)
        return self._backend.get_trial(trial_id)

    def get_all_trials(self, study_id, deepcopy=True, states=None):
        name = self.get_study_name_from_id(study_id)
        return self._storage.cache_of(name).get_all_trials(study_id, deepcopy, states)

    # Whose

    def _own(self, study_id, instead):
        """The name of a study that is the user's own; `instead` says what the operator does."""
        name = self.get_study_name_from_id(study_id)
        if self._of_operator(study_id, name):
            raise of_operator(name, instead)
        return name

    def _own_trial(self, trial_id, instead):
        study_id, name = self._study_of(trial_id)
        if self._of_operator(study_id, name):
            raise of_operator(name, instead)

    def _of_operator(self, study_id, name):
        return (
            OF_AN_EXPERIMENT.fullmatch(name) is not None
            or DEFINITION in self._backend.get_study_user_attrs(study_id)
        )

    def _study_of(self, trial_id):
        study_id, name = study_of_trial(self._backend, trial_id) or (None, None)
        if name is None or not name.startswith(self._prefix):
            raise KeyError(f"there is no trial with id {trial_id} in your namespace")
        return study_id, name


def of_operator(name, instead):
    return Refusal(
        CODE.PERMISSION_DENIED,
        f"study {name} is of an Experiment, and the operator {instead}; user attributes, and "
        "intermediate values of running trials, are yours to set",
    )


def checked(text, what):
    if not 0 < len(text) <= LONGEST or "\0" in text:
        raise Refusal(
            CODE.INVALID_ARGUMENT, f"{what} must have 1 to {LONGEST} letters, none of them code 0"
        )
    return text


def free(key):
    """An attribute's key that is not one of those the search service keeps its own state in."""
    if key.startswith(OURS):
        raise Refusal(
            CODE.PERMISSION_DENIED, f"attributes that begin with {OURS!r} are of the search service"
        )
    return checked(key, "the attribute's name")
