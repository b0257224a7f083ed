"""Optuna's tables in PostgreSQL, written a whole trial at a time."""

import copy
import hashlib
import json
import threading
from contextlib import contextmanager

import pg8000.dbapi
import sqlalchemy
from optuna.distributions import distribution_to_json
from optuna.exceptions import StorageInternalError
from optuna.storages import RDBStorage
from optuna.storages._cached_storage import _CachedStorage
from optuna.storages._rdb import models

from .problems import Unavailable

# Which of the operator's trials a trial of Optuna's is: a user's own scripts may add others.
NUMBER = "mlops:number"
LOCK_TIMEOUT = "10s"


class TrialStorage(RDBStorage):
    """Optuna's own storage, but a trial that comes with its parameters takes three inserts.

    Optuna asks the database twice for each parameter, which is slow with a hundred of them.
    """

    def _get_prepared_new_trial(self, study_id, template_trial, session):
        if template_trial is None:
            return super()._get_prepared_new_trial(study_id, template_trial, session)
        number = template_trial.system_attrs.get(NUMBER)
        if number is not None:
            refuse_second(session, study_id, number)
        bare = copy.copy(template_trial)
        bare._params, bare._distributions = {}, {}
        bare._system_attrs, bare._user_attrs = {}, {}
        trial = super()._get_prepared_new_trial(study_id, bare, session)
        session.add_all(rows_of(trial.trial_id, template_trial))
        return trial


def rows_of(trial_id, template):
    for name, value in template.params.items():
        distribution = template.distributions[name]
        yield models.TrialParamModel(
            trial_id=trial_id,
            param_name=name,
            param_value=distribution.to_internal_repr(value),
            distribution_json=distribution_to_json(distribution),
        )
    for model, attributes in (
        (models.TrialUserAttributeModel, template.user_attrs),
        (models.TrialSystemAttributeModel, template.system_attrs),
    ):
        for key, value in attributes.items():
            yield model(trial_id=trial_id, key=key, value_json=json.dumps(value))


def refuse_second(session, study_id, number):
    """Runs under the lock on the study's row, so that two can't both find nothing."""
    attribute = models.TrialSystemAttributeModel
    found = (
        session.query(attribute.trial_id)
        .join(models.TrialModel, models.TrialModel.trial_id == attribute.trial_id)
        .filter(models.TrialModel.study_id == study_id)
        .filter(attribute.key == NUMBER, attribute.value_json == json.dumps(number))
        .first()
    )
    if found is not None:
        raise Unavailable(f"trial {number} was drawn by another request meanwhile; ask again")


class Storage:
    """The connection to the database, and a cache of finished trials for each study in use."""

    def __init__(self, url, engine_kwargs, schema=None, most_studies=64):
        self._url, self._engine_kwargs, self._schema = url, engine_kwargs, schema
        self._most_studies = most_studies
        self._backend = None
        self._caches = {}
        self._locks = {}
        self._guard = threading.Lock()

    @classmethod
    def postgres(cls, database, schema, connections=16):
        def connect():
            return pg8000.dbapi.connect(
                user=database.user,
                password=database.password(),
                host=database.host,
                port=database.port,
                database=database.name,
                ssl_context=database.tls,
                timeout=60,
                application_name="mlops-operator-hpo",
                startup_params={"search_path": schema},
            )

        kwargs = {
            "creator": connect,
            "pool_size": connections,
            "max_overflow": 4,
            "pool_pre_ping": True,
            "pool_timeout": 10,
        }
        return cls("postgresql+pg8000://", kwargs, schema)

    def prepare(self):
        """Makes or upgrades Optuna's tables; safe with several services at once."""
        if self._backend is not None:
            return
        with errors_told():
            engine = sqlalchemy.create_engine(self._url, **self._engine_kwargs)
            try:
                with exclusive(engine, "schema"):
                    if self._schema is not None:
                        with engine.begin() as connection:
                            quoted = engine.dialect.identifier_preparer.quote(self._schema)
                            connection.execute(
                                sqlalchemy.text(f"CREATE SCHEMA IF NOT EXISTS {quoted}")
                            )
                    backend = TrialStorage(
                        self._url, dict(self._engine_kwargs), skip_compatibility_check=True
                    )
                    if backend.get_current_version() != backend.get_head_version():
                        backend.upgrade()
                    backend._version_manager.check_table_schema_compatibility()
            finally:
                engine.dispose()
        self._backend = backend

    def names(self, attribute):
        """The studies that have this attribute, in order."""
        study, known = models.StudyModel, models.StudyUserAttributeModel
        query = (
            sqlalchemy.select(study.study_name)
            .join(known, known.study_id == study.study_id)
            .where(known.key == attribute)
            .order_by(study.study_name)
        )
        with errors_told(), self.backend().engine.connect() as connection:
            return list(connection.scalars(query))

    def ready(self):
        """Raises Unavailable when the database does not answer."""
        with errors_told(), self.backend().engine.connect() as connection:
            connection.execute(sqlalchemy.text("SELECT 1"))

    def backend(self):
        if self._backend is None:
            raise Unavailable("the tables of the search service are not ready yet; ask again")
        return self._backend

    @contextmanager
    def locked(self, study_name):
        """Holds a study for one request, here and in every other process."""
        with self._guard:
            lock = self._locks.setdefault(study_name, [threading.Lock(), 0])
            lock[1] += 1
        try:
            with lock[0], errors_told(), exclusive(self.backend().engine, study_name):
                yield
        finally:
            with self._guard:
                lock[1] -= 1
                if lock[1] == 0:
                    del self._locks[study_name]

    def cache_of(self, study_name):
        """Optuna's cache of the study; least recently used ones make way."""
        with self._guard:
            cache = self._caches.pop(study_name, None) or _CachedStorage(self.backend())
            self._caches[study_name] = cache
            while len(self._caches) > self._most_studies:
                del self._caches[next(iter(self._caches))]
            return cache

    def forget(self, study_name):
        with self._guard:
            self._caches.pop(study_name, None)

    def close(self):
        if self._backend is not None:
            self._backend.remove_session()
            self._backend.engine.dispose()


@contextmanager
def exclusive(engine, name):
    """An advisory lock for as long as the block runs; it ends with the connection, too."""
    if engine.dialect.name != "postgresql":
        yield
        return
    # 63 bits of our own, so that no other program's small numbers meet them.
    key = int.from_bytes(hashlib.sha256(f"mlops-hpo/{name}".encode()).digest()[:8], "big") >> 1
    with engine.begin() as connection:
        connection.execute(sqlalchemy.text(f"SET LOCAL lock_timeout = '{LOCK_TIMEOUT}'"))
        connection.execute(sqlalchemy.text("SELECT pg_advisory_xact_lock(:key)"), {"key": key})
        yield


@contextmanager
def errors_told():
    """Trouble with the database means: nothing was decided."""
    try:
        yield
    except (StorageInternalError, sqlalchemy.exc.SQLAlchemyError, pg8000.exceptions.Error) as error:
        cause = error.__cause__ or error
        said = str(getattr(cause, "orig", None) or cause).splitlines()[0][:300]
        raise Unavailable(f"the database of the search service failed: {said}") from error
    except OSError as error:
        raise Unavailable(f"the database of the search service is out of reach: {error}") from error
