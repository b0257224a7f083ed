"""Why a call is not answered: a gRPC status, and what a person can do about it."""

import grpc
import sqlalchemy

from ..problems import Unavailable

CODE = grpc.StatusCode


class Refusal(Exception):
    def __init__(self, code, detail):
        super().__init__(detail)
        self.code = code
        self.detail = detail


class Abort:
    """Stands for gRPC's context, of which Optuna's servicer uses `abort` only."""

    def abort(self, code, details):
        raise Refusal(code, details)


def refusal_of(error):
    """The Refusal for whatever Optuna or the database raised; None for a fault of our own."""
    if isinstance(error, Refusal):
        return error
    if isinstance(error, Unavailable):
        if of_data(error):
            return Refusal(CODE.INVALID_ARGUMENT, f"the database can't keep it: {error.detail}")
        return Refusal(CODE.UNAVAILABLE, error.detail)
    # A missing study or trial was answered by the servicer; these come from reading the request.
    if isinstance(error, (ValueError, TypeError, KeyError, OverflowError, RecursionError)):
        return Refusal(CODE.INVALID_ARGUMENT, f"the request can't be read: {error!r}")
    return None


def of_data(error):
    """The database refused what was to be written: too long, out of range, no such text."""
    while error is not None:
        if isinstance(error, sqlalchemy.exc.DataError):
            return True
        words = getattr(getattr(error, "orig", None), "args", ())
        # SQLSTATE class 22, https://www.postgresql.org/docs/current/errcodes-appendix.html
        if words and isinstance(words[0], dict) and words[0].get("C", "").startswith("22"):
            return True
        error = error.__cause__
    return False
