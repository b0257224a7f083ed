"""Ask, report and tell: the three things the operator does with a study, each safe to repeat."""

import math
import warnings

import optuna
from optuna.study import StudyDirection
from optuna.trial import TrialState

from .algorithms import make_sampler, read_algorithm
from .draft import Draft, new_trial
from .early_stopping import make_pruner, resolve, resolved
from .grid import Grid
from .problems import BadRequest, Conflict, NotFound, Refused
from .storage import NUMBER

DEFINITION = "mlops:definition"
ASSIGNMENTS = "assignments"
PRUNED = "mlops:pruned"
RESOLVED = "mlops:pruner"


class Studies:
    """Studies in a Storage. Every method raises Problem; Unavailable means nothing was decided."""

    def __init__(self, storage):
        self._storage = storage

    def ask(self, definition, number, given=None):
        """The assignments of trial `number` as (name, text) pairs, or None when a grid is through.

        Draws them when `number` is next in order, else gives again what was drawn. `given` (text by
        name) is taken instead of a draw, to build a lost database anew.
        """
        if definition.algorithm.name == "grid":
            read_algorithm(definition)
            grid = Grid(definition.space)
        else:
            grid = None
            make_sampler(definition, number)
        make_pruner(definition)
        with self._storage.locked(definition.name):
            opened = Opened(self._storage, definition, create=True)
            trial = opened.find(number)
            if trial is not None:
                return pairs(trial)
            if number != opened.next_number:
                raise Conflict(
                    f"trial {number} was asked for, but the next of study {definition.name} is "
                    f"{opened.next_number}; ask for trials in order",
                    reason="StudyBehind",
                    next=opened.next_number,
                )
            trial = opened.draw(number, grid, given)
            return None if trial is None else pairs(trial)

    def report(self, definition, number, values):
        """Takes (step, value) pairs; whether the trial is to stop, which it stays once it was."""
        with self._storage.locked(definition.name):
            opened = Opened(self._storage, definition)
            trial = opened.get(number)
            if PRUNED in trial.system_attrs or trial.state is TrialState.PRUNED:
                return True
            if trial.state.is_finished():
                return False
            return opened.report(trial, values)

    def tell(self, definition, number, state, values=None):
        """Finishes a trial; again with the same outcome is fine, with another one a Conflict."""
        with self._storage.locked(definition.name):
            opened = Opened(self._storage, definition)
            trial = opened.get(number)
            if state is TrialState.COMPLETE:
                if len(values) != len(definition.directions):
                    raise BadRequest(
                        f"{len(values)} values were told, but the study has "
                        f"{len(definition.directions)} objectives"
                    )
                # As Optuna does when an objective function returns NaN.
                if any(math.isnan(value) for value in values):
                    state, values = TrialState.FAIL, None
            if trial.state.is_finished():
                refuse_other(trial, state, values, number)
                return
            opened.study().tell(trial.number, values, state=state)

    def delete(self, name):
        """Deletes a study with all its trials; fine when there is none."""
        with self._storage.locked(name):
            cache = self._storage.cache_of(name)
            self._storage.forget(name)
            try:
                cache.delete_study(cache.get_study_id_from_name(name))
            except KeyError:
                return

    def names(self):
        """The studies that were begun by ask, in order; a user's own are none of them."""
        return self._storage.names(DEFINITION)

    def open(self, name):
        """The study as Optuna's, to look at; raises NotFound."""
        cache = self._storage.cache_of(name)
        try:
            cache.get_study_id_from_name(name)
        except KeyError:
            raise unknown(name) from None
        return optuna.Study(name, cache)


class Opened:
    """One study as of now, held by the caller's lock."""

    def __init__(self, storage, definition, create=False):
        self._definition = definition
        self._cache = storage.cache_of(definition.name)
        self._study_id = self._find_study(create)
        self._check_definition(create)
        self._trials = self._cache.get_all_trials(self._study_id, deepcopy=False)
        ours = [each for each in self._trials if NUMBER in each.system_attrs]
        self._by_number = {each.system_attrs[NUMBER]: each for each in ours}
        self.next_number = len(ours)

    def _find_study(self, create):
        name = self._definition.name
        try:
            return self._cache.get_study_id_from_name(name)
        except KeyError:
            if not create:
                raise unknown(name) from None
        directions = [StudyDirection[each.upper()] for each in self._definition.directions]
        return self._cache.create_new_study(directions, name)

    def _check_definition(self, create):
        wanted = self._definition.key()
        known = self._cache.get_study_user_attrs(self._study_id).get(DEFINITION)
        if known is None and create:
            self._cache.set_study_user_attr(self._study_id, DEFINITION, wanted)
        elif known != wanted:
            raise Conflict(
                f"study {self._definition.name} was begun with another definition; its algorithm, "
                "objectives and parameters can't change while it lives",
                reason="StudyChanged",
            )

    def find(self, number):
        return self._by_number.get(number)

    def get(self, number):
        trial = self.find(number)
        if trial is None:
            raise NotFound(
                f"study {self._definition.name} has no trial {number}; ask for it first",
                reason="StudyBehind",
                next=self.next_number,
            )
        return trial

    def draw(self, number, grid, given):
        space = self._definition.space
        draft = Draft(self._cache, self._study_id, self._trials, new_trial(len(self._trials)))
        draft.set_trial_system_attr(draft.trial._trial_id, NUMBER, number)
        if given is None and grid is not None:
            given = grid.point(number, self._definition.seed)
            if given is None:
                return None
        if given is not None:
            texts = fix(draft, space, given)
        else:
            study = self.study(draft, make_sampler(self._definition, number))
            texts = sampled(space, study, draft)
        draft.set_trial_user_attr(draft.trial._trial_id, ASSIGNMENTS, texts)
        self._cache.create_new_trial(self._study_id, draft.trial)
        return draft.trial

    def report(self, trial, values):
        draft = Draft(self._cache, self._study_id, self._trials, trial)
        study = self.study(draft)
        known_before = resolved(study.pruner)
        single = len(self._definition.directions) == 1
        stop = False
        known = trial.intermediate_values
        for step, value in sorted(values, key=lambda each: each[0]):
            if step in known or stop:
                continue
            draft.set_trial_intermediate_value(trial._trial_id, step, value)
            stop = single and self.prune(study, draft)
        self.write(trial, draft, stop)
        if resolved(study.pruner) != known_before:
            self._cache.set_study_system_attr(self._study_id, RESOLVED, resolved(study.pruner))
        return stop

    def prune(self, study, draft):
        with warnings.catch_warnings():
            # Wilcoxon warns of what its documentation says: NaN, or a best trial without steps.
            warnings.simplefilter("ignore")
            return bool(study.pruner.prune(study, draft.trial))

    def write(self, before, draft, stop):
        """The verdict first and the values last: cut off anywhere, the same report gives the same."""
        trial_id = before._trial_id
        if stop:
            self._cache.set_trial_system_attr(trial_id, PRUNED, True)
        for key, value in draft.trial.system_attrs.items():
            if before.system_attrs.get(key) != value:
                self._cache.set_trial_system_attr(trial_id, key, value)
        for step, value in draft.trial.intermediate_values.items():
            if step not in before.intermediate_values:
                self._cache.set_trial_intermediate_value(trial_id, step, value)

    def study(self, storage=None, sampler=None):
        storage = storage or self._cache
        sampler = sampler or self._teller()
        pruner = make_pruner(self._definition)
        study = optuna.Study(self._definition.name, storage, sampler, pruner)
        if self._definition.early_stopping is not None:
            known = self._cache.get_study_system_attrs(self._study_id).get(RESOLVED)
            resolve(pruner, known, study)
        return study

    def _teller(self):
        """Told of a finished trial; samplers that don't care are not worth making."""
        if self._definition.algorithm.name in ("grid", "qmc", "random"):
            return optuna.samplers.RandomSampler()
        return make_sampler(self._definition, 0)


def sampled(space, study, draft):
    with warnings.catch_warnings():
        # Experimental options and distributions whose top is off the step: both are documented.
        warnings.simplefilter("ignore")
        try:
            return space.draw(optuna.Trial(study, draft.trial._trial_id))
        except ImportError as error:
            raise Refused.missing(str(error)) from error


def fix(draft, space, given):
    """Sets what was drawn elsewhere; the text by name."""
    distributions = {parameter.name: parameter.distribution() for parameter in space.parameters}
    for name, value in space.read(given).items():
        distribution = distributions[name]
        internal = distribution.to_internal_repr(value)
        draft.set_trial_param(draft.trial._trial_id, name, internal, distribution)
    return dict(given)


def pairs(trial):
    return list(trial.user_attrs[ASSIGNMENTS].items())


def refuse_other(trial, state, values, number):
    same = trial.state is state
    if state is TrialState.COMPLETE:
        same = same and list(trial.values) == [float(value) for value in values]
    if not same:
        raise Conflict(
            f"trial {number} was told {trial.state.name.lower()}"
            f"{'' if trial.values is None else f' with {trial.values}'} before; "
            "another outcome can't replace it"
        )


def unknown(name):
    return NotFound(f"there is no study {name}", reason="StudyBehind", next=0)
