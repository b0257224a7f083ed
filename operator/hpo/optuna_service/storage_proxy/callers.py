"""Which namespace a call comes from, by the service account token it carries."""

import base64
import binascii
import hashlib
import json
import re
import threading
import time

from .refusal import CODE, Refusal

HOLDS_SECONDS = 60
REFUSAL_HOLDS_SECONDS = 5
MOST_TOKENS = 10_000
MOST_LETTERS = 8192
BEARER = re.compile(r"Bearer +([A-Za-z0-9\-._~+/]+=*)", re.IGNORECASE)
SERVICE_ACCOUNT = re.compile(r"system:serviceaccount:([^:/]+):[^:/]+")


class Callers:
    """`review(token)` gives a user name or None. What it said is kept for a minute at most (refusals
    for five seconds) and never beyond the token's own expiry, under a hash of the token.
    """

    def __init__(self, review, now=time.time):
        self._review, self._now = review, now
        self._known = {}
        self._guard = threading.Lock()

    def namespace_of(self, metadata):
        """Raises Refusal where `metadata`, pairs of name and value, hold no token that counts."""
        token = token_of(metadata)
        user = self._user_of(token)
        if user is None:
            raise Refusal(
                CODE.UNAUTHENTICATED,
                "the cluster does not accept this token: it has expired, was revoked or was made "
                "for another audience; read it anew from its file",
            )
        found = SERVICE_ACCOUNT.fullmatch(user)
        if found is None:
            raise Refusal(
                CODE.PERMISSION_DENIED,
                f"{user} is no service account, and so in no namespace; send the token of a pod's",
            )
        return found[1]

    def _user_of(self, token):
        key = hashlib.sha256(token.encode()).digest()
        with self._guard:
            user, until = self._known.get(key, (None, 0))
        if until > self._now():
            return user
        user = self._review(token)
        at = self._now()
        until = at + REFUSAL_HOLDS_SECONDS if user is None else min(at + HOLDS_SECONDS, expiry(token))
        with self._guard:
            self._known.pop(key, None)
            while len(self._known) >= MOST_TOKENS:
                del self._known[next(iter(self._known))]
            self._known[key] = (user, until)
        return user


def token_of(metadata):
    values = [value for name, value in metadata or () if name == "authorization"]
    if not values:
        raise Refusal(
            CODE.UNAUTHENTICATED,
            'send the pod\'s token as metadata: authorization "Bearer <token>"; '
            "Optuna's GrpcStorageProxy does not do so by itself",
        )
    found = BEARER.fullmatch(values[0]) if len(values[0]) <= MOST_LETTERS else None
    if len(values) > 1 or found is None:
        raise Refusal(
            CODE.UNAUTHENTICATED,
            f'authorization must be one "Bearer <token>" of at most {MOST_LETTERS} letters',
        )
    return found[1]


def expiry(token):
    """`exp` of a JWT, unverified: it only ever shortens how long an answer is kept."""
    try:
        payload = token.split(".")[1]
        claims = json.loads(base64.urlsafe_b64decode(payload + "=" * (-len(payload) % 4)))
        return float(claims["exp"])
    except (IndexError, KeyError, TypeError, ValueError, RecursionError, binascii.Error):
        # Not a JWT; the API server accepted it all the same.
        return float("inf")
