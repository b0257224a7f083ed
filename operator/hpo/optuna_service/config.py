"""The service's settings: the operator's names for the database, HPO_… for its own."""

import os
import ssl
from dataclasses import dataclass
from pathlib import Path
from urllib.parse import parse_qs, unquote, urlsplit


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
class Config:
    port: int
    database: Database
    schema: str
    most_bytes: int
    threads: int
    log_level: str


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
