"""The ASGI application: reads bodies, runs routes on threads, counts, and logs."""

import asyncio
import logging
import time
from concurrent.futures import ThreadPoolExecutor

from prometheus_client import CollectorRegistry, Counter, Gauge, Histogram, generate_latest

from .problems import BadRequest, Problem, Unavailable
from .routes import answer, problem

log = logging.getLogger("hpo")
BODY_SECONDS = 30
# Beyond it a caller does better to come again than to wait behind all the others.
MOST_WAITING = 256
TEXT = "text/plain; version=0.0.4; charset=utf-8"


class TooLarge(Problem):
    status = 413
    reason = "BodyTooLarge"


class Metrics:
    def __init__(self):
        self.registry = CollectorRegistry()
        self.requests = Counter(
            "mlops_hpo_requests", "Requests answered.", ("operation", "status"), registry=self.registry
        )
        self.seconds = Histogram(
            "mlops_hpo_request_seconds",
            "Time to answer.",
            ("operation",),
            buckets=(0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10, 30),
            registry=self.registry,
        )
        self.waiting = Gauge(
            "mlops_hpo_requests_in_progress", "Requests not answered yet.", registry=self.registry
        )


class App:
    """`storage.ready()` says whether the database answers; `routes` holds the protocol."""

    def __init__(self, routes, storage, threads=8, most_bytes=4 * 1024 * 1024):
        self._routes, self._storage, self._most_bytes = routes, storage, most_bytes
        self._threads = ThreadPoolExecutor(threads, thread_name_prefix="request")
        self._waiting = 0
        self.metrics = Metrics()

    async def __call__(self, scope, receive, send):
        if scope["type"] != "http":
            return
        began = time.monotonic()
        operation, (status, kind, body) = await self._answered(scope, receive)
        took = time.monotonic() - began
        self.metrics.requests.labels(operation, str(status)).inc()
        self.metrics.seconds.labels(operation).observe(took)
        self._log(scope, operation, status, body, took)
        headers = [(b"content-type", kind.encode()), (b"content-length", b"%d" % len(body))]
        if status == 413:
            # What is left of the body is not read.
            headers.append((b"connection", b"close"))
        await send({"type": "http.response.start", "status": status, "headers": headers})
        await send({"type": "http.response.body", "body": body})

    async def _answered(self, scope, receive):
        operation = "unknown"
        try:
            system = await self._of_system(scope["path"])
            if system is not None:
                return "system", system
            operation, run = self._routes.find(scope["method"], scope["raw_path"])
            return operation, await self._in_thread(run, await self._body(scope, receive))
        except Problem as error:
            return operation, problem(error)
        except Exception:
            log.exception("a request failed", extra={"fields": {"path": scope["path"]}})
            return operation, problem(Problem("the search service failed; its log says why"))

    async def _of_system(self, path):
        if path == "/healthz":
            return answer({"alive": True})
        if path == "/readyz":
            await self._in_thread(lambda _: self._storage.ready(), b"")
            return answer({"ready": True})
        if path == "/metrics":
            return 200, TEXT, generate_latest(self.metrics.registry)
        return None

    async def _in_thread(self, run, body):
        if self._waiting >= MOST_WAITING:
            raise Unavailable(f"{MOST_WAITING} requests wait already; come again", reason="Busy")
        self._waiting += 1
        self.metrics.waiting.set(self._waiting)
        try:
            return await asyncio.get_running_loop().run_in_executor(self._threads, run, body)
        finally:
            self._waiting -= 1
            self.metrics.waiting.set(self._waiting)

    async def _body(self, scope, receive):
        chunks, size = [], 0
        more = True
        while more:
            try:
                message = await asyncio.wait_for(receive(), BODY_SECONDS)
            except TimeoutError:
                raise BadRequest(f"the body did not come within {BODY_SECONDS} s") from None
            if message["type"] == "http.disconnect":
                raise BadRequest("the caller went away")
            chunks.append(message.get("body", b""))
            size += len(chunks[-1])
            if size > self._most_bytes:
                raise TooLarge(f"the body is larger than {self._most_bytes} bytes")
            more = message.get("more_body", False)
        return b"".join(chunks)

    def _log(self, scope, operation, status, body, took):
        if operation == "system":
            return
        fields = {"operation": operation, "path": scope["path"], "status": status}
        fields["ms"] = round(took * 1000, 1)
        if status >= 400:
            fields["problem"] = body.decode(errors="replace")
        level = logging.ERROR if status >= 500 else logging.INFO
        log.log(level, "answered", extra={"fields": fields})

    def close(self):
        self._threads.shutdown(wait=True)
