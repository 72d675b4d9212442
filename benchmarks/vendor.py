"""Reads the payload with the PyPI package `didww`, in an environment of that package's own; prints JSON.

    vendor.py <base_url>         for every line that comes in, the time of one reading and of the bare request
    vendor.py <base_url> held <lists>    the bytes that this many of its lists occupy, with their fields read

A black box: its public client calls a loopback server that responds to every request with the payload. The time of the
same request with `requests` alone is measured beside it, so that it can be taken off.
"""

from __future__ import annotations

import gc
import json
import sys
import time
import tracemalloc

import requests

from didww.client import DidwwClient
from didww.query_params import QueryParams


def main() -> None:
    base_url = sys.argv[1]
    client = DidwwClient(api_key="benchmark", base_url=base_url)
    params = QueryParams().include("order", "did_group")
    session = requests.Session()

    def read():
        return touch(client.dids().list(params).data)

    def bare():
        return session.get(f"{base_url}/dids").content

    read()  # the first response: connections, imports
    if sys.argv[2:3] == ["held"]:
        print(json.dumps(held(read, int(sys.argv[3]))))
        return
    for _ in sys.stdin:
        print(json.dumps({"read": _timed(read), "bare": _timed(bare)}), flush=True)


def touch(dids):
    """The DIDs, after four fields of each were read."""
    for did in dids:
        _ = did.number, did.description, did.order.reference, did.did_group.prefix
    return dids


def held(read, lists):
    """Return the bytes that this many results of `read` occupy, and their number of DIDs."""
    gc.collect()
    tracemalloc.start()
    kept = [read() for _ in range(lists)]
    gc.collect()
    return {"bytes": tracemalloc.get_traced_memory()[0], "dids": sum(map(len, kept))}


def _timed(function):
    gc.collect()
    started = time.perf_counter()
    kept = function()
    taken = time.perf_counter() - started
    del kept
    return taken


if __name__ == "__main__":
    main()
