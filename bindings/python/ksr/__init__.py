"""Kubernetes Streaming Resources: a live, correct view of Kubernetes resources.

    import ksr

    with ksr.open("v1/pods", namespace="default") as pods:
        for snapshot in pods:
            for kind, pod in snapshot.deltas():
                print(kind.name, pod.name, pod.get("/status/phase"))

Requests, any call of the API, are made by a client:

    with ksr.Client() as client:
        print(client.get("v1/pods", "web-0", namespace="default").object.get("/status/phase"))

A stream lists a resource, watches it from where the list ended, and recovers by itself from whatever a network or a
server does. While the program is busy, changes are merged: the next snapshot has them all. No thread but the program's
own ever enters the interpreter.

The library, libksr.so.0, is loaded when it is first needed: from $KSR_LIBRARY, else from this package where a wheel has
brought it, else from where the system finds it.
"""

from __future__ import annotations

from ._library import build_info, has_feature, in_callback, version
from .channel import Channel, Event, OnEvent
from .channels import Download, Exec, Log, PortForward, Reader, WebSocket, Writer
from .channels_in_loop import (
    AsyncDownload,
    AsyncExec,
    AsyncLog,
    AsyncPortForward,
    AsyncReader,
    AsyncWebSocket,
    AsyncWriter,
)
from .client import AsyncVerbs, Client, ClientLog
from .codes import Code, DeltaKind, EventKind, Field, State
from .config import Config, Value
from .errors import Error
from .objects import Object
from .request import Body, Key
from .response import Response
from .snapshot import Change, Delta, Snapshot
from .stream import OnError, OnLog, OnState, Stream, open_stream as open  # noqa: A004

__all__ = [
    "AsyncDownload",
    "AsyncExec",
    "AsyncLog",
    "AsyncPortForward",
    "AsyncReader",
    "AsyncVerbs",
    "AsyncWebSocket",
    "AsyncWriter",
    "Body",
    "Change",
    "Channel",
    "Client",
    "ClientLog",
    "Code",
    "Config",
    "Delta",
    "DeltaKind",
    "Download",
    "Error",
    "Event",
    "EventKind",
    "Exec",
    "Field",
    "Key",
    "Log",
    "Object",
    "OnError",
    "OnEvent",
    "OnLog",
    "OnState",
    "PortForward",
    "Reader",
    "Response",
    "Snapshot",
    "State",
    "Stream",
    "Value",
    "WebSocket",
    "Writer",
    "build_info",
    "has_feature",
    "in_callback",
    "open",
    "version",
]
