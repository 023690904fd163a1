"""The test server that the environment names, and a stream on it."""

from __future__ import annotations

import os
import ssl
import time
import unittest
import urllib.error
import urllib.request
from typing import Any, Callable, Optional

import ksr

SERVER, CA, TOKEN = (os.environ.get(f"KSR_TEST_{name}", "") for name in ("SERVER", "CA", "TOKEN"))

needs_server = unittest.skipUnless(SERVER, "needs a server: KSR_TEST_SERVER, KSR_TEST_CA, KSR_TEST_TOKEN")

# Nothing listens there, and connecting fails at once.
NOWHERE = "http://127.0.0.1:1"

# Beyond it a test has failed; how fast it is, is not asserted.
TEST_TIMEOUT = 150.0


def open_here(resource: Any = "v1/configmaps", **keys: Any) -> ksr.Stream:
    return ksr.open(resource, server=SERVER, ca_file=CA, token=TOKEN, **keys)


def script(lines: str) -> None:
    """Makes the server do something, and waits until it has. Where it takes no scripts, as a real kube-apiserver, the
    test is skipped."""
    request = urllib.request.Request(
        f"{SERVER}/_ksr/script", data=lines.encode(errors="surrogateescape"), method="POST", headers={"Authorization": f"Bearer {TOKEN}"}
    )
    trust = ssl.create_default_context(cafile=CA)
    trust.verify_flags &= ~getattr(ssl, "VERIFY_X509_STRICT", 0)  # the test CA is a plain one
    try:
        urllib.request.urlopen(request, timeout=TEST_TIMEOUT, context=trust).close()
    except urllib.error.HTTPError as refused:
        refused.close()
        if refused.code in (403, 404):
            raise unittest.SkipTest("the server takes no scripts") from None
        raise


def next_where(stream: ksr.Stream, fits: Callable[[ksr.Snapshot], Any]) -> ksr.Snapshot:
    """The first snapshot that fits, delivered or to come."""
    end = time.monotonic() + TEST_TIMEOUT
    while time.monotonic() < end:
        snapshot = stream.poll(1.0)
        if snapshot is not None and fits(snapshot):
            return snapshot
    raise AssertionError("the snapshot that was waited for did not come")


def poll_until(stream: ksr.Stream, holds: Callable[[], Any]) -> None:
    end = time.monotonic() + TEST_TIMEOUT
    while not holds():
        if time.monotonic() > end:
            raise AssertionError("what was waited for did not come")
        stream.poll(0.1)


def in_child(call: Callable[[], Optional[bool]]) -> bool:
    """Whether `call` returns true in a child made by os.fork(), which then ends cleanly."""
    child = os.fork()
    if child == 0:
        passed = False
        try:
            passed = bool(call())
        finally:
            os._exit(0 if passed else 1)
    return os.waitpid(child, 0)[1] == 0
