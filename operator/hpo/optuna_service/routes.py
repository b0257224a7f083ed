"""Which address does what. Every answer is (status, content type, bytes)."""

import json
from urllib.parse import unquote_to_bytes

from . import protocol
from .problems import BadRequest, NotFound, Problem

JSON = "application/json"
PROBLEM = "application/problem+json"
LONGEST_NAME = 512
MOST_TRIALS = 2**31 - 1


class MethodNotAllowed(Problem):
    status = 405
    reason = "MethodNotAllowed"


class Routes:
    """The protocol over a Studies."""

    def __init__(self, studies, views=None):
        self._studies = studies
        self._views = views or {}

    def find(self, method, raw_path):
        """(name of the operation, function of the body); raises Problem where there is none."""
        parts = raw_path.split(b"/")
        if parts == [b"", b"v1", b"studies"]:
            return "list", expect(method, "GET", lambda _: self.list())
        if parts[:3] != [b"", b"v1", b"studies"] or len(parts) < 4:
            raise NotFound("there is nothing here; the addresses begin with /v1/studies/{study}")
        name, rest = study_name(parts[3]), [each.decode("ascii", "replace") for each in parts[4:]]
        if rest[:1] == ["trials"] and len(rest) in (2, 3):
            return self.of_trial(method, name, trial_number(rest[1]), rest[2:])
        if rest == []:
            return "delete", expect(method, "DELETE", lambda _: self.delete(name))
        view = self._views.get("/".join(rest[:1]))
        if view is not None:
            return rest[0], expect(method, "GET", lambda _: view(self._studies.open(name), rest[1:]))
        raise NotFound(f"a study has no {'/'.join(rest)}")

    def of_trial(self, method, name, number, rest):
        if rest == []:
            return "ask", expect(method, "PUT", lambda body: self.ask(name, number, body))
        if rest == ["report"]:
            return "report", expect(method, "POST", lambda body: self.report(name, number, body))
        if rest == ["tell"]:
            return "tell", expect(method, "POST", lambda body: self.tell(name, number, body))
        raise NotFound(f"a trial has no {rest[0]}; it has report and tell")

    def ask(self, name, number, raw):
        definition, given = protocol.read_ask(protocol.read_body(raw), name)
        drawn = self._studies.ask(definition, number, given)
        return answer(protocol.write_drawn(drawn))

    def report(self, name, number, raw):
        definition, values = protocol.read_report(protocol.read_body(raw), name)
        return answer({"prune": self._studies.report(definition, number, values)})

    def tell(self, name, number, raw):
        definition, state, values = protocol.read_tell(protocol.read_body(raw), name)
        self._studies.tell(definition, number, state, values)
        return 204, JSON, b""

    def list(self):
        return answer({"studies": self._studies.names()})

    def delete(self, name):
        self._studies.delete(name)
        return 204, JSON, b""


def expect(method, wanted, run):
    if method != wanted:
        raise MethodNotAllowed(f"{method} is not possible here; use {wanted}")
    return run


def study_name(raw):
    try:
        name = unquote_to_bytes(raw).decode()
    except UnicodeDecodeError:
        raise BadRequest("the study's name in the address is no UTF-8") from None
    if not 0 < len(name) <= LONGEST_NAME or "\0" in name:
        raise BadRequest(f"the study's name in the address must have 1 to {LONGEST_NAME} letters")
    return name


def trial_number(text):
    if not text.isascii() or not text.isdigit() or len(text) > 10 or int(text) > MOST_TRIALS:
        raise BadRequest(f"{text!r} is no number of a trial: 0, 1, 2, …")
    return int(text)


def answer(value, status=200):
    return status, JSON, json.dumps(value, ensure_ascii=False).encode()


def problem(error):
    return error.status, PROBLEM, json.dumps(error.body(), ensure_ascii=False).encode()
