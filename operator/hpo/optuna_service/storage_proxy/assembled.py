"""The storage proxy with all it hangs on."""

import logging

from ..storage import Storage
from .callers import Callers
from .server import StorageProxy
from .token_review import TokenReviews

log = logging.getLogger("hpo.proxy")


class AssembledProxy:
    """Has connections of its own, so that users' scripts can't take those of the operator."""

    def __init__(self, config, metrics):
        proxy = config.proxy
        self.storage = Storage.postgres(config.database, config.schema, connections=proxy.threads)
        reviews = TokenReviews(proxy.kubernetes_url, proxy.service_account, proxy.audience)

        def counted(rpc, code, seconds):
            operation = f"proxy/{rpc}"
            metrics.requests.labels(operation, code).inc()
            metrics.seconds.labels(operation).observe(seconds)

        self._server = StorageProxy(
            self.storage, Callers(reviews), counted, proxy.port, proxy.threads
        )

    def start(self):
        self._server.start()
        log.info("the storage proxy listens", extra={"fields": {"proxyPort": self._server.port}})

    def stop(self, grace_seconds):
        self._server.stop(grace_seconds)
        self.storage.close()
