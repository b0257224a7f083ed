"""A running storage proxy for tests, and clients of it with tokens of any namespace."""

import sys
from pathlib import Path

import grpc
import pytest
from conftest import definition
from optuna_service.problems import Unavailable
from optuna_service.storage_proxy.callers import Callers
from optuna_service.storage_proxy.server import StorageProxy
from optuna_service.studies import Studies

sys.path.insert(0, str(Path(__file__).parents[1] / "client"))

from mlops_optuna import MlopsStorage  # noqa: E402

EXPERIMENT = "demo/digits/0b7e3d52-5a3f-4c55-9d5e-0a3f5a1c9b11"
CODE = grpc.StatusCode


def reviewed(token):
    """Stands for the API server: `of.demo` is a token of a service account in demo."""
    if token == "of.nobody":
        raise Unavailable("the Kubernetes API did not review the token: it is down")
    kind, _, name = token.partition(".")
    return {"of": f"system:serviceaccount:{name}:default", "user": name}.get(kind)


class Site:
    """A running proxy, and the search service's own view of the same database."""

    def __init__(self, storage, folder):
        self.studies, self.folder, self.calls, self.clients = Studies(storage), folder, [], []
        counted = lambda rpc, code, seconds: self.calls.append((rpc, code))  # noqa: E731
        self.proxy = StorageProxy(storage, Callers(reviewed), counted, 0, threads=4)
        self.proxy.start()

    def client(self, token):
        path = self.folder / f"{len(self.clients)}.token"
        path.write_text(f"{token}\n")
        client = MlopsStorage(host="localhost", port=self.proxy.port, token=path)
        self.clients.append(client)
        return client

    def experiment(self, name=EXPERIMENT, **more):
        study = definition(name=name, **more)
        self.studies.ask(study, 0)
        return study

    def close(self):
        for client in self.clients:
            client.close()
        self.proxy.stop(1)


@pytest.fixture
def site(new_storage, tmp_path):
    site = Site(new_storage(), tmp_path)
    yield site
    site.close()


@pytest.fixture
def demo(site):
    return site.client("of.demo")


def refused(call, *args, **kwargs):
    with pytest.raises(grpc.RpcError) as error:
        call(*args, **kwargs)
    return error.value.code(), error.value.details()
