"""Asks a served model again and again and says every few seconds which version answered how often."""

import argparse
import collections
import json
import time
import urllib.error
import urllib.request

IMAGE = {"name": "image", "datatype": "FP32", "shape": [1, 64], "data": [8.0] * 64}
BODY = json.dumps({"inputs": [IMAGE]}).encode()


def ask(url, host):
    """The version that answered; each request has a connection of its own, as many first clients do."""
    headers = {"content-type": "application/json"}
    if host:
        headers["host"] = host
    request = urllib.request.Request(url, BODY, headers)
    with urllib.request.urlopen(request, timeout=15) as answer:
        return json.load(answer)["model_version"]


def said(versions, failed):
    total = sum(versions.values())
    shares = [
        f"{version} {count / total:.0%} ({count})" for version, count in sorted(versions.items())
    ]
    return f"{total} answers: {', '.join(shares)}; {failed} failed"


def main():
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--url", required=True, help="http://…/v2/models/<model>/infer")
    parser.add_argument("--host", help="host of the request, where it is not that of the URL")
    parser.add_argument("--seconds", type=float, default=1800, help="when to end")
    parser.add_argument("--every", type=float, default=5, help="seconds from line to line")
    options = parser.parse_args()

    ends = time.monotonic() + options.seconds
    answered = False
    while time.monotonic() < ends:
        versions, failed = collections.Counter(), 0
        until = time.monotonic() + options.every
        while time.monotonic() < until:
            try:
                versions[ask(options.url, options.host)] += 1
                answered = True
            except (OSError, urllib.error.HTTPError) as error:
                # Before the first answer the model may still be on its way.
                failed += answered
                print(f"{time.strftime('%H:%M:%S')} {error}", flush=True)
                time.sleep(1)
            time.sleep(0.01)
        if versions:
            print(f"{time.strftime('%H:%M:%S')} {said(versions, failed)}", flush=True)


if __name__ == "__main__":
    main()
