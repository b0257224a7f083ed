"""What a request can come to when it is not answered: each is one status and one reason."""


class Problem(Exception):
    """An answer as RFC 9457 describes it; `reason` is a word for programs."""

    status = 500
    reason = "InternalError"

    def __init__(self, detail, reason=None, **more):
        super().__init__(detail)
        self.detail = detail
        self.reason = reason or self.reason
        self.more = more

    def body(self):
        return {
            "type": "about:blank",
            "title": self.reason,
            "status": self.status,
            "detail": self.detail,
            "reason": self.reason,
            **self.more,
        }


class BadRequest(Problem):
    """The request does not have the form of the protocol: a fault of the caller's program."""

    status = 400
    reason = "BadRequest"


class NotFound(Problem):
    status = 404
    reason = "NotFound"


class Conflict(Problem):
    """It contradicts what was decided before."""

    status = 409
    reason = "EngineConflict"


class Refused(Problem):
    """The user's definition can't be searched: waits for another definition."""

    status = 422

    @classmethod
    def space(cls, detail):
        return cls(detail, "InvalidSearchSpace")

    @classmethod
    def setting(cls, detail):
        return cls(detail, "InvalidAlgorithmSetting")

    @classmethod
    def missing(cls, detail):
        return cls(detail, "AlgorithmNotInstalled")


class Unavailable(Problem):
    """Nothing was decided; ask again."""

    status = 503
    reason = "StorageUnavailable"
