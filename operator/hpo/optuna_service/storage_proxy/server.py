"""The gRPC server: Optuna's own servicer over a ConfinedStorage, made for each call's caller.

The caller is found out in the handler, not in an interceptor: gRPC runs interceptors on the one
thread that takes in calls, where a slow TokenReview would hold up all.
"""

import logging
import time
from concurrent.futures import ThreadPoolExecutor

import grpc
from optuna.storages._grpc.auto_generated import api_pb2
from optuna.storages._grpc.servicer import OptunaStorageProxyService

from ..storage import errors_told
from .confined_storage import ConfinedStorage
from .refusal import CODE, Abort, Refusal, refusal_of

log = logging.getLogger("hpo.proxy")
SERVICE = "optuna.StorageService"
# Each was read for what it lets a caller see and do; one that a new Optuna brings is not answered.
ALLOWED = (
    "CreateNewStudy",
    "DeleteStudy",
    "SetStudyUserAttribute",
    "SetStudySystemAttribute",
    "GetStudyIdFromName",
    "GetStudyNameFromId",
    "GetStudyDirections",
    "GetStudyUserAttributes",
    "GetStudySystemAttributes",
    "GetAllStudies",
    "CreateNewTrial",
    "SetTrialParameter",
    "GetTrialIdFromStudyIdTrialNumber",
    "SetTrialStateValues",
    "SetTrialIntermediateValue",
    "SetTrialUserAttribute",
    "SetTrialSystemAttribute",
    "GetTrial",
    "GetTrials",
)
# Of one request; answers with all trials of a study may be larger.
MOST_BYTES = 1024 * 1024
MOST_WAITING = 128


class StorageProxy:
    """`callers.namespace_of(metadata)` says who calls; `counted(rpc, code, seconds)` is told of each."""

    def __init__(self, storage, callers, counted, port, threads=8):
        self._storage, self._callers, self._counted = storage, callers, counted
        self._threads = ThreadPoolExecutor(threads, thread_name_prefix="proxy")
        self._server = grpc.server(
            self._threads,
            handlers=(grpc.method_handlers_generic_handler(SERVICE, self._handlers()),),
            options=(
                ("grpc.max_receive_message_length", MOST_BYTES),
                # A port that is taken is a fault, not something to share.
                ("grpc.so_reuseport", 0),
            ),
            maximum_concurrent_rpcs=MOST_WAITING,
        )
        self.port = self._server.add_insecure_port(f"[::]:{port}")

    def start(self):
        self._server.start()

    def stop(self, grace_seconds):
        self._server.stop(grace_seconds).wait()
        self._threads.shutdown(wait=True)

    def _handlers(self):
        return {
            rpc: grpc.unary_unary_rpc_method_handler(
                self._handler(rpc),
                request_deserializer=getattr(api_pb2, f"{rpc}Request").FromString,
                response_serializer=getattr(api_pb2, f"{rpc}Reply").SerializeToString,
            )
            for rpc in ALLOWED
        }

    def _handler(self, rpc):
        def handle(request, context):
            began = time.monotonic()
            reply, refusal = self._answer(rpc, request, context.invocation_metadata())
            code = CODE.OK if refusal is None else refusal.code
            self._counted(rpc, code.name, time.monotonic() - began)
            if refusal is not None:
                fields = {"rpc": rpc, "code": code.name, "problem": refusal.detail}
                log.info("refused", extra={"fields": fields})
                context.abort(code, refusal.detail)
            return reply

        return handle

    def _answer(self, rpc, request, metadata):
        try:
            namespace = self._callers.namespace_of(metadata)
            with errors_told():
                servicer = OptunaStorageProxyService(ConfinedStorage(self._storage, namespace))
                return getattr(servicer, rpc)(request, Abort()), None
        except Exception as error:
            refusal = refusal_of(error)
            if refusal is None:
                log.exception("a call failed", extra={"fields": {"rpc": rpc}})
                refusal = Refusal(CODE.INTERNAL, "the search service failed; its log says why")
            return None, refusal
