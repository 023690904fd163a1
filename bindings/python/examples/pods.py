#!/usr/bin/env python3
"""Prints every change of a resource, until Ctrl-C.

    PYTHONPATH=bindings/python python3 bindings/python/examples/pods.py v1/pods namespace=default
    ... --asyncio v1/pods server=https://127.0.0.1:6443 token_file=/run/token ca_file=/etc/ca.pem
"""

from __future__ import annotations

import asyncio
import sys

import ksr


def show(snapshot: ksr.Snapshot) -> None:
    for kind, item in snapshot.deltas():
        print(f"{kind.name:9}{item.namespace}/{item.name} {item.get('/status/phase', '')}")
    print(f"-- {len(snapshot)} objects at {snapshot.resource_version}", flush=True)


def show_error(stream: ksr.Stream, error: ksr.Error) -> None:
    if not error.fatal:  # that one is raised
        print(f"{error}; next try in {error.retry} s", file=sys.stderr)


def watch(config: ksr.Config) -> None:
    with ksr.open(config, on_error=show_error) as stream:
        for snapshot in stream:
            show(snapshot)


async def watch_async(config: ksr.Config) -> None:
    async with ksr.open(config, on_error=show_error) as stream:
        async for snapshot in stream:
            show(snapshot)


def main(arguments: list[str]) -> int:
    in_a_loop = "--asyncio" in arguments
    words = [word for word in arguments if word != "--asyncio"]
    if not words:
        print(__doc__, file=sys.stderr)
        return 2
    try:
        config = ksr.Config(words[0], **dict(word.split("=", 1) for word in words[1:]))
        if in_a_loop:
            asyncio.run(watch_async(config))
        else:
            watch(config)
    except ksr.Error as error:
        print(error, file=sys.stderr)
        return 1
    except KeyboardInterrupt:
        pass
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
