"""Asks the Kubernetes API whose token it is, with the standard library alone.

https://kubernetes.io/docs/reference/kubernetes-api/authentication-resources/token-review-v1/
"""

import json
import ssl
import urllib.error
import urllib.request
from pathlib import Path

from ..problems import Unavailable

PATH = "/apis/authentication.k8s.io/v1/tokenreviews"
SECONDS = 10
MOST_BYTES = 1024 * 1024


class TokenReviews:
    """`url` of the API server; `directory` holds the service's own `token`, and the API's `ca.crt`."""

    def __init__(self, url, directory, audience):
        self._address = url.rstrip("/") + PATH
        self._directory = Path(directory)
        self._audience = audience

    def __call__(self, token):
        """The user name of whom the token is of and was made for us; None for any other token.

        Raises Unavailable when the API server did not say.
        """
        status = self._ask(token).get("status") or {}
        # An API server that knows no audiences leaves them out: then it has not checked ours.
        if status.get("authenticated") is not True or self._audience not in (
            status.get("audiences") or ()
        ):
            return None
        return (status.get("user") or {}).get("username") or None

    def _ask(self, token):
        review = {
            "apiVersion": "authentication.k8s.io/v1",
            "kind": "TokenReview",
            "spec": {"token": token, "audiences": [self._audience]},
        }
        try:
            with self._opener().open(self._request(review), timeout=SECONDS) as answer:
                return json.loads(answer.read(MOST_BYTES))
        except urllib.error.HTTPError as error:
            # 401 and 403 are about our own token: the caller can't help it.
            raise Unavailable(
                f"the Kubernetes API answered {error.code} to a TokenReview; does the search "
                "service's ServiceAccount have the right to create them?"
            ) from error
        except (OSError, ValueError) as error:
            raise Unavailable(f"the Kubernetes API did not review the token: {error}") from error

    def _request(self, review):
        # Both are read anew, because Kubernetes replaces them.
        own = (self._directory / "token").read_text(encoding="utf-8").strip()
        headers = {
            "authorization": f"Bearer {own}",
            "content-type": "application/json",
            "accept": "application/json",
        }
        body = json.dumps(review).encode()
        return urllib.request.Request(self._address, body, headers, method="POST")

    def _opener(self):
        # No proxies of the environment: tokens go to the API server only.
        handlers = [urllib.request.ProxyHandler({}), NoRedirects()]
        if self._address.startswith("https:"):
            context = ssl.create_default_context(cafile=str(self._directory / "ca.crt"))
            handlers.append(urllib.request.HTTPSHandler(context=context))
        return urllib.request.build_opener(*handlers)


class NoRedirects(urllib.request.HTTPRedirectHandler):
    """A redirect would take both tokens elsewhere."""

    def redirect_request(self, *_):
        return None
