"""The service's settings: the operator's names for the database, HPO_… for its own."""

import os
import ssl
from dataclasses import dataclass
from pathlib import Path
from urllib.parse import parse_qs, unquote, urlsplit

SERVICE_ACCOUNT = "/var/run/secrets/kubernetes.io/serviceaccount"
# As in crds/schema/names.ts; a test compares them.
TOKEN_AUDIENCE = "mlops.pynomaly.io"


@dataclass(frozen=True)
class Database:
    """Where PostgreSQL is. The password's file is read anew for each connection."""

    host: str
    port: int
    name: str
    user: str
    password: object
    tls: ssl.SSLContext | None


@dataclass(frozen=True)
class Proxy:
    """Optuna's storage proxy for users' scripts, and where their tokens are reviewed."""

    port: int
    threads: int
    kubernetes_url: str
    service_account: str
    audience: str


@dataclass(frozen=True)
class Config:
    port: int
    database: Database
    schema: str
    most_bytes: int
    threads: int
    log_level: str
    proxy: Proxy | None


class ConfigError(Exception):
    """What is wrong with the environment, naming the variable."""


def load_config(env=os.environ):
    return Config(
        port=whole(env, "HPO_PORT", 8090, least=0),
        database=database_of(env),
        schema=env.get("HPO_SCHEMA") or "optuna",
        most_bytes=whole(env, "HPO_MAX_BODY_BYTES", 4 * 1024 * 1024),
        threads=whole(env, "HPO_THREADS", 8),
        log_level=(env.get("MLOPS_LOG_LEVEL") or "info").upper().replace("TRACE", "DEBUG"),
        proxy=proxy_of(env),
    )


def proxy_of(env):
    """None without HPO_PROXY_PORT: then users' scripts reach no study."""
    if not env.get("HPO_PROXY_PORT"):
        return None
    url = env.get("HPO_KUBERNETES_URL")
    if not url:
        host, port = (env.get(f"KUBERNETES_SERVICE_{each}") for each in ("HOST", "PORT"))
        if not host or not port:
            raise ConfigError("HPO_PROXY_PORT: tokens can't be reviewed; set HPO_KUBERNETES_URL")
        url = f"https://[{host}]:{port}" if ":" in host else f"https://{host}:{port}"
    return Proxy(
        port=whole(env, "HPO_PROXY_PORT", 8091, least=0),
        threads=whole(env, "HPO_PROXY_THREADS", 8),
        kubernetes_url=url,
        service_account=env.get("HPO_SERVICE_ACCOUNT_DIRECTORY") or SERVICE_ACCOUNT,
        audience=env.get("HPO_TOKEN_AUDIENCE") or TOKEN_AUDIENCE,
    )


def whole(env, name, default, least=1):
    text = env.get(name) or str(default)
    if not text.isascii() or not text.isdigit() or int(text) < least:
        raise ConfigError(f"{name}: {text!r} is no whole number from {least} on")
    return int(text)


def database_of(env):
    url = env.get("MLOPS_DATABASE_URL")
    if not url and env.get("MLOPS_DATABASE_URL_FILE"):
        url = read_secret(env["MLOPS_DATABASE_URL_FILE"])
    if url:
        return from_url(url)
    if not env.get("MLOPS_DATABASE_HOST"):
        raise ConfigError("set MLOPS_DATABASE_HOST, or MLOPS_DATABASE_URL_FILE")
    password_file = env.get("MLOPS_DATABASE_PASSWORD_FILE")
    return Database(
        host=env["MLOPS_DATABASE_HOST"],
        port=whole(env, "MLOPS_DATABASE_PORT", 5432),
        name=env.get("MLOPS_DATABASE_NAME") or "mlops",
        user=env.get("MLOPS_DATABASE_USER") or "mlops",
        password=lambda: None if not password_file else read_secret(password_file),
        tls=tls_of(env.get("MLOPS_DATABASE_TLS") or "disable", env.get("MLOPS_DATABASE_CA_FILE")),
    )


def from_url(url):
    parts = urlsplit(url)
    if parts.scheme not in ("postgres", "postgresql") or not parts.hostname:
        raise ConfigError("MLOPS_DATABASE_URL: must be postgres://user:password@host:port/database")
    mode = parse_qs(parts.query).get("sslmode", ["disable"])[-1]
    password = None if parts.password is None else unquote(parts.password)
    return Database(
        host=parts.hostname,
        port=parts.port or 5432,
        name=unquote(parts.path[1:]) or "postgres",
        user=unquote(parts.username or "postgres"),
        password=lambda: password,
        tls=tls_of({"verify-ca": "verify-full"}.get(mode, mode), None),
    )


def tls_of(mode, ca_file):
    if mode in ("disable", "allow", "prefer"):
        return None
    if mode not in ("require", "verify-full"):
        raise ConfigError(f"MLOPS_DATABASE_TLS: {mode!r}: disable, require or verify-full")
    context = ssl.create_default_context(cafile=ca_file or None)
    if mode == "require":
        context.check_hostname = False
        context.verify_mode = ssl.CERT_NONE
    return context


def read_secret(path):
    try:
        return Path(path).read_text(encoding="utf-8").rstrip("\r\n")
    except OSError as error:
        raise ConfigError(f"{path} cannot be read: {error.strerror}") from error
