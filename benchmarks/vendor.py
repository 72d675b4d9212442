"""Reads the payload with the PyPI package `didww`, in an environment of that package's own; prints JSON.

A black box: its public client asks a loopback server that answers every request with the payload. The time of the
same request with `requests` alone is measured beside it, so that it can be taken off.
"""

from __future__ import annotations

import json
import sys
import time

import requests

from didww.client import DidwwClient
from didww.query_params import QueryParams


def main() -> None:
    base_url, rounds = sys.argv[1], int(sys.argv[2])
    client = DidwwClient(api_key="benchmark", base_url=base_url)
    params = QueryParams().include("order", "did_group")
    session = requests.Session()

    def read() -> int:
        total = 0
        for did in client.dids().list(params).data:
            total += len(did.number) + len(did.description) + len(did.order.reference) + len(did.did_group.prefix)
        return total

    def bare() -> int:
        return len(session.get(f"{base_url}/dids").content)

    json.dump(
        {
            "read": min(_timed(read) for _ in range(rounds)),
            "bare": min(_timed(bare) for _ in range(rounds)),
            "checksum": read(),
        },
        sys.stdout,
    )


def _timed(function) -> float:
    started = time.perf_counter()
    function()
    return time.perf_counter() - started


if __name__ == "__main__":
    main()
