"""Tokens are reviewed by the Kubernetes API, and what it said is kept for a while."""

import base64
import json
import re
import threading
from http.server import BaseHTTPRequestHandler, HTTPServer
from pathlib import Path

import pytest
from optuna_service.config import TOKEN_AUDIENCE, ConfigError, proxy_of
from optuna_service.problems import Unavailable
from optuna_service.storage_proxy import callers
from optuna_service.storage_proxy.callers import Callers
from optuna_service.storage_proxy.refusal import Refusal
from optuna_service.storage_proxy.token_review import TokenReviews

POD = {"username": "system:serviceaccount:demo:default"}
GOOD = {"authenticated": True, "audiences": ["ours"], "user": POD}


class ApiServer(HTTPServer):
    answer = (201, {})

    def __init__(self):
        super().__init__(("127.0.0.1", 0), Answering)
        self.asked = []


class Answering(BaseHTTPRequestHandler):
    def do_POST(self):  # noqa: N802 - as http.server wants it
        body = json.loads(self.rfile.read(int(self.headers["content-length"])))
        self.server.asked.append((self.path, self.headers["authorization"], body))
        status, answer = self.server.answer
        self.send_response(status)
        if status == 302:
            self.send_header("location", f"http://127.0.0.1:{self.server.server_port}/elsewhere")
        self.end_headers()
        self.wfile.write(answer if isinstance(answer, bytes) else json.dumps(answer).encode())

    def log_message(self, *_):
        """Nothing to say in tests."""


@pytest.fixture
def api():
    with ApiServer() as server:
        thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.01})
        thread.start()
        yield server
        server.shutdown()
        thread.join()


@pytest.fixture
def reviews(api, tmp_path):
    (tmp_path / "token").write_text("own\n")
    return TokenReviews(f"http://127.0.0.1:{api.server_port}/", tmp_path, "ours")


def test_the_api_server_is_asked_as_its_reference_says(api, reviews):
    api.answer = (201, {"status": GOOD})
    assert reviews("abc") == "system:serviceaccount:demo:default"
    path, authorization, body = api.asked[0]
    assert path == "/apis/authentication.k8s.io/v1/tokenreviews"
    assert authorization == "Bearer own"
    assert body == {
        "apiVersion": "authentication.k8s.io/v1",
        "kind": "TokenReview",
        "spec": {"token": "abc", "audiences": ["ours"]},
    }


@pytest.mark.parametrize(
    "status",
    [
        {},
        {"authenticated": False, "error": "token expired"},
        {**GOOD, "authenticated": "true"},
        {**GOOD, "audiences": ["https://kubernetes.default.svc"]},
        {**GOOD, "audiences": None},
        {**GOOD, "user": {}},
    ],
)
def test_a_token_that_was_not_accepted_for_us_is_of_nobody(api, reviews, status):
    api.answer = (201, {"status": status})
    assert reviews("abc") is None


@pytest.mark.parametrize(
    ("answer", "words"),
    [
        ((403, {}), "right to create"),
        ((500, {}), "answered 500"),
        ((302, {}), "answered 302"),
        ((201, b"<html>"), "did not review"),
    ],
)
def test_an_api_server_that_does_not_say_decides_nothing(api, reviews, answer, words):
    api.answer = answer
    with pytest.raises(Unavailable, match=words):
        reviews("abc")
    assert len(api.asked) == 1


def test_an_api_server_out_of_reach_decides_nothing(tmp_path):
    (tmp_path / "token").write_text("own")
    with pytest.raises(Unavailable, match="did not review"):
        TokenReviews("http://127.0.0.1:1", tmp_path, "ours")("abc")


class Reviewer:
    """Counts; tokens that begin with `bad` are of nobody."""

    def __init__(self):
        self.asked = []

    def __call__(self, token):
        self.asked.append(token)
        return None if token.startswith("bad") else "system:serviceaccount:demo:default"


class Clock:
    now = 1000.0

    def __call__(self):
        return self.now


@pytest.fixture
def clock():
    return Clock()


@pytest.fixture
def reviewer():
    return Reviewer()


@pytest.fixture
def known(reviewer, clock):
    return Callers(reviewer, clock)


def bearer(token):
    return [("user-agent", "grpc"), ("authorization", f"Bearer {token}")]


def expiring(at):
    claims = base64.urlsafe_b64encode(json.dumps({"exp": at}).encode()).decode().rstrip("=")
    return f"head.{claims}.signature"


@pytest.mark.parametrize(
    ("token", "seconds"), [("plain", 60), (expiring(1030), 30), (expiring(9000), 60)]
)
def test_an_answer_is_kept_for_a_minute_and_not_beyond_the_token(
    known, reviewer, clock, token, seconds
):
    for at in (1000, 1000 + seconds - 1):
        clock.now = at
        assert known.namespace_of(bearer(token)) == "demo"
    assert len(reviewer.asked) == 1
    clock.now = 1000 + seconds
    assert known.namespace_of(bearer(token)) == "demo"
    assert len(reviewer.asked) == 2


def test_a_refusal_is_kept_for_five_seconds(known, reviewer, clock):
    for at in (1000, 1004, 1005):
        clock.now = at
        with pytest.raises(Refusal):
            known.namespace_of(bearer("bad"))
    assert len(reviewer.asked) == 2


def test_the_oldest_answers_make_way(known, reviewer, monkeypatch):
    monkeypatch.setattr(callers, "MOST_TOKENS", 2)
    for token in ("a", "b", "c", "c", "b", "a"):
        known.namespace_of(bearer(token))
    assert reviewer.asked == ["a", "b", "c", "a"]


def test_two_tokens_at_once_are_none(known, reviewer):
    with pytest.raises(Refusal, match="must be one"):
        known.namespace_of([*bearer("a"), *bearer("b")])
    assert reviewer.asked == []


def test_the_audience_is_that_of_the_tokens_the_operator_mounts():
    names = Path(__file__).parents[3] / "crds" / "schema" / "names.ts"
    text = names.read_text(encoding="utf-8")
    assert "export const TOKEN_AUDIENCE = prefix;" in text
    assert re.search(r"^const prefix = '(.*)';$", text, re.MULTILINE)[1] == TOKEN_AUDIENCE


def test_the_api_server_is_where_kubernetes_says_or_the_proxy_is_not_begun():
    assert proxy_of({}) is None
    inside = {"KUBERNETES_SERVICE_HOST": "fd00::1", "KUBERNETES_SERVICE_PORT": "443"}
    assert proxy_of({"HPO_PROXY_PORT": "8091", **inside}).kubernetes_url == "https://[fd00::1]:443"
    with pytest.raises(ConfigError, match="HPO_KUBERNETES_URL"):
        proxy_of({"HPO_PROXY_PORT": "8091"})
