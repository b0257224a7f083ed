"""A storage that keeps all changes to one trial to itself until they are written in one go.

Optuna writes a trial parameter by parameter; a kill in between would leave half a draw. Samplers
and pruners run against a Draft instead, which shows them the study with the trial as it would be.
"""

import copy
from datetime import datetime

from optuna.storages import BaseStorage
from optuna.trial import FrozenTrial, TrialState

# No storage gives out such an id.
NEW = -1


def new_trial(number):
    return FrozenTrial(
        number=number,
        trial_id=NEW,
        state=TrialState.RUNNING,
        value=None,
        datetime_start=datetime.now(),
        datetime_complete=None,
        params={},
        distributions={},
        user_attrs={},
        system_attrs={},
        intermediate_values={},
    )


class Draft(BaseStorage):
    """`base` as of now, with `trial` (a new one or one of its own) open to change."""

    def __init__(self, base, study_id, trials, trial):
        self._base = base
        self._study_id = study_id
        self.trial = copy.deepcopy(trial)
        self._others = [each for each in trials if each._trial_id != trial._trial_id]

    def _changed(self, field, key, value):
        # A new object, because a list handed out before must go on showing the state before.
        changed = copy.copy(self.trial)
        setattr(changed, field, {**getattr(self.trial, field), key: value})
        self.trial = changed

    def _own(self, trial_id):
        if trial_id != self.trial._trial_id:
            raise RuntimeError(f"a draft changes its own trial only, not {trial_id}")

    def set_trial_param(self, trial_id, param_name, param_value_internal, distribution):
        self._own(trial_id)
        value = distribution.to_external_repr(param_value_internal)
        self._changed("_distributions", param_name, distribution)
        self._changed("_params", param_name, value)

    def set_trial_intermediate_value(self, trial_id, step, intermediate_value):
        self._own(trial_id)
        self._changed("intermediate_values", step, intermediate_value)

    def set_trial_user_attr(self, trial_id, key, value):
        self._own(trial_id)
        self._changed("_user_attrs", key, value)

    def set_trial_system_attr(self, trial_id, key, value):
        self._own(trial_id)
        self._changed("_system_attrs", key, value)

    def get_trial(self, trial_id):
        if trial_id == self.trial._trial_id:
            return self.trial
        return self._base.get_trial(trial_id)

    def get_all_trials(self, study_id, deepcopy=True, states=None):
        # Sorted by number, as samplers expect.
        trials = sorted([*self._others, self.trial], key=lambda each: each.number)
        chosen = trials if states is None else [each for each in trials if each.state in states]
        return copy.deepcopy(chosen) if deepcopy else chosen

    def set_study_system_attr(self, study_id, key, value):
        # NSGA-II notes the parents of a generation: the same for whoever works them out.
        self._base.set_study_system_attr(study_id, key, value)

    def get_study_id_from_name(self, study_name):
        return self._study_id

    def get_study_name_from_id(self, study_id):
        return self._base.get_study_name_from_id(study_id)

    def get_study_directions(self, study_id):
        return self._base.get_study_directions(study_id)

    def get_study_user_attrs(self, study_id):
        return self._base.get_study_user_attrs(study_id)

    def get_study_system_attrs(self, study_id):
        return self._base.get_study_system_attrs(study_id)

    def _refuse(self, *_, **__):
        raise RuntimeError("a draft is of one trial only")

    create_new_study = delete_study = set_study_user_attr = get_all_studies = _refuse
    create_new_trial = set_trial_state_values = _refuse
