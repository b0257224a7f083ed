"""The search service: `python -m optuna_service`, settings as in config.py."""

import asyncio
import contextlib
import logging
import signal
import socket
import sys

import optuna
import uvicorn

from .app import App
from .config import ConfigError, load_config
from .importance import importance_view
from .logs import start_logging
from .problems import Unavailable
from .routes import Routes
from .storage import Storage
from .storage_proxy.assembled import AssembledProxy
from .studies import Studies

log = logging.getLogger("hpo")
STOP_SECONDS = 25
# Its calls are short.
PROXY_STOP_SECONDS = 5


class Server(uvicorn.Server):
    """Ends when asked to, instead of ending and then killing itself with the same signal."""

    @contextlib.contextmanager
    def capture_signals(self):
        loop = asyncio.get_running_loop()
        for each in (signal.SIGTERM, signal.SIGINT):
            loop.add_signal_handler(each, self.handle_exit, each, None)
        yield


async def serve(config):
    storage = Storage.postgres(config.database, config.schema, connections=2 * config.threads)
    routes = Routes(Studies(storage), {"importance": importance_view})
    app = App(routes, storage, config.threads, config.most_bytes)
    listener = listen(config.port)
    proxy = None if config.proxy is None else AssembledProxy(config, app.metrics)
    storages = [storage] if proxy is None else [storage, proxy.storage]
    server = Server(
        uvicorn.Config(
            app,
            log_config=None,
            access_log=False,
            lifespan="off",
            timeout_keep_alive=75,
            timeout_graceful_shutdown=STOP_SECONDS,
        )
    )
    preparing = asyncio.create_task(prepare(storages))
    if proxy is not None:
        proxy.start()
    # The port as it came out, for whoever asked for port 0.
    log.info("listening", extra={"fields": {"port": listener.getsockname()[1]}})
    await server.serve(sockets=[listener])
    preparing.cancel()
    with contextlib.suppress(asyncio.CancelledError):
        await preparing
    if proxy is not None:
        await asyncio.to_thread(proxy.stop, PROXY_STOP_SECONDS)
    await asyncio.to_thread(app.close)
    storage.close()
    log.info("stopped")


async def prepare(storages):
    """Until the tables are there; the port answers meanwhile, and says that it is not ready."""
    wait = 0.5
    while True:
        try:
            for storage in storages:
                await asyncio.to_thread(storage.prepare)
            log.info("the tables are ready")
            return
        except Unavailable as error:
            log.warning("the tables are not ready", extra={"fields": {"problem": error.detail}})
        await asyncio.sleep(wait)
        wait = min(wait * 2, 15)


def listen(port):
    if socket.has_dualstack_ipv6():
        return socket.create_server(
            ("::", port), family=socket.AF_INET6, dualstack_ipv6=True, backlog=256
        )
    return socket.create_server(("0.0.0.0", port), backlog=256)


def main():
    try:
        config = load_config()
    except ConfigError as error:
        sys.stderr.write(f"The configuration has a fault: {error}\n")
        return 1
    start_logging(config.log_level)
    optuna.logging.disable_default_handler()
    optuna.logging.enable_propagation()
    logging.getLogger("optuna").setLevel(logging.WARNING)
    asyncio.run(serve(config))
    return 0


if __name__ == "__main__":
    sys.exit(main())
