"""Why a call is not answered: a gRPC status, and what a person can do about it."""

import grpc

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
        fault = fault_of_data(error)
        if fault is not None:
            return Refusal(CODE.INVALID_ARGUMENT, f"the database can't keep it: {fault}")
        return Refusal(CODE.UNAVAILABLE, error.detail)
    # A missing study or trial was answered by the servicer; these come from reading the request.
    if isinstance(error, (ValueError, TypeError, KeyError, OverflowError, RecursionError)):
        return Refusal(CODE.INVALID_ARGUMENT, f"the request can't be read: {error!r}")
    return None


def fault_of_data(error):
    """What the database has against what was to be written (too long, out of range), or None."""
    while error is not None:
        words = getattr(getattr(error, "orig", None), "args", ())
        # SQLSTATE class 22, https://www.postgresql.org/docs/current/errcodes-appendix.html
        if words and isinstance(words[0], dict) and words[0].get("C", "").startswith("22"):
            return words[0].get("M", "invalid data")
        error = error.__cause__
    return None
