"""Studies on SQLite; those of tests marked `postgres` on PostgreSQL, given HPO_TEST_DATABASE_URL.

Each test has tables of its own. What is drawn and stopped does not hang on the database; what
happens at the same time, and how numbers and letters are kept, does.
"""

import os
import shutil
import sys
import uuid
import warnings
from pathlib import Path

import optuna
import pytest
import sqlalchemy

sys.path.insert(0, str(Path(__file__).parents[1]))

from optuna_service.config import from_url  # noqa: E402
from optuna_service.definition import parse_definition  # noqa: E402
from optuna_service.storage import Storage  # noqa: E402
from optuna_service.studies import Studies  # noqa: E402

optuna.logging.disable_default_handler()
warnings.simplefilter("ignore", optuna.exceptions.ExperimentalWarning)

NAME = "demo/digits/6f1e"


def study_body(algorithm="random", settings=None, parameters=None, **more):
    """A definition as the operator sends it."""
    return {
        "name": NAME,
        "directions": ["minimize"],
        "algorithm": {"name": algorithm, "settings": settings or {}},
        "parameters": parameters or [double("x", -5, 10), double("y", 0, 15)],
        "seed": 7,
        **more,
    }


def definition(*args, **kwargs):
    body = study_body(*args, **kwargs)
    return parse_definition(body, body["name"])


def double(name, low, high, **more):
    return {"name": name, "type": "double", "min": str(low), "max": str(high), **more}


def whole(name, low, high, **more):
    return {**double(name, low, high, **more), "type": "int"}


def categorical(name, *values, **more):
    return {"name": name, "type": "categorical", "list": list(values), **more}


def when(parameter, *values):
    return {"when": {"parameter": parameter, "in": list(values)}}


def pytest_configure(config):
    config.addinivalue_line("markers", "postgres: hangs on the database")


def sqlite(path):
    # Writers wait for one another instead of failing at once.
    storage = Storage(f"sqlite:///{path}", {"connect_args": {"timeout": 30}})
    storage.prepare()
    sqlalchemy.event.listen(storage.backend().engine, "connect", unsafe)
    storage.backend().engine.dispose()
    return storage


def unsafe(connection, _record):
    """Nothing here has to outlive a loss of power."""
    connection.execute("PRAGMA synchronous=OFF")


@pytest.fixture(scope="session")
def empty_tables(tmp_path_factory):
    """A file to copy: making the tables takes longer than most tests."""
    path = tmp_path_factory.mktemp("empty") / "optuna.db"
    sqlite(path).close()
    return path


@pytest.fixture
def new_storage(tmp_path, empty_tables, request):
    """Makes further services on the same database, as other processes would."""
    marked = request.node.get_closest_marker("postgres") is not None
    url = os.environ.get("HPO_TEST_DATABASE_URL") if marked else None
    if url is None:
        shutil.copy(empty_tables, tmp_path / "optuna.db")
    schema = f"t{uuid.uuid4().hex[:12]}"
    made = []

    def make():
        if url:
            storage = Storage.postgres(from_url(url), schema, connections=8)
            storage.prepare()
        else:
            storage = sqlite(tmp_path / "optuna.db")
        made.append(storage)
        return storage

    yield make
    if url and made:
        with made[0].backend().engine.begin() as connection:
            connection.execute(sqlalchemy.text(f"DROP SCHEMA {schema} CASCADE"))
    for storage in made:
        storage.close()


@pytest.fixture
def studies(new_storage):
    return Studies(new_storage())
