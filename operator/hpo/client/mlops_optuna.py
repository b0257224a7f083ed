"""Optuna's GrpcStorageProxy with the pod's token: copy this file beside your script.

Optuna's own class opens a plain channel and has no argument for metadata, so it can't send a token.
"""

import grpc
from optuna.storages import GrpcStorageProxy
from optuna.storages._grpc.auto_generated.api_pb2_grpc import StorageServiceStub
from optuna.storages._grpc.client import GrpcClientCache

TOKEN = "/var/run/secrets/kubernetes.io/serviceaccount/token"


class WithToken(grpc.UnaryUnaryClientInterceptor):
    def __init__(self, path):
        self._path = path

    def intercept_unary_unary(self, continuation, details, request):
        # Read for each call, because Kubernetes replaces it.
        with open(self._path, encoding="utf-8") as file:
            bearer = ("authorization", f"Bearer {file.read().strip()}")
        return continuation(details._replace(metadata=[*(details.metadata or ()), bearer]), request)


class MlopsStorage(GrpcStorageProxy):
    def __init__(self, *, host, port=8091, token=TOKEN):
        self._token = token
        super().__init__(host=host, port=port)

    def _setup(self):
        super()._setup()
        self._channel = grpc.intercept_channel(self._channel, WithToken(self._token))
        self._stub = StorageServiceStub(self._channel)
        self._cache = GrpcClientCache(self._stub)
