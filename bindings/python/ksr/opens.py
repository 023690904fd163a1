"""How a client opens channels."""

from __future__ import annotations

from typing import Any, Dict, Generic, Mapping, Optional, Sequence, Tuple, TypeVar

from .channel import Client, OnEvent
from .config import NOT_GIVEN
from .request import Body, Headers, Key, Query

LogT = TypeVar("LogT")
ExecT = TypeVar("ExecT")
PortT = TypeVar("PortT")
SocketT = TypeVar("SocketT")
DownloadT = TypeVar("DownloadT")


class Opens(Generic[LogT, ExecT, PortT, SocketT, DownloadT]):
    """How channels are opened. None waits for the network: what fails is raised by the first read, write or wait. More
    keys, such as container="main" or receive_buffer="64Ki", are those that CONFIGURATION.md of libksr lists under
    "Channels". `on_event(event)` is called, where the channel is read, with what happens besides its bytes."""

    _types: Tuple[Any, Any, Any, Any, Any]

    def _of(self) -> Client:
        raise NotImplementedError

    def log(
        self, pod: str, *, namespace: str = NOT_GIVEN, on_event: Optional[OnEvent] = None, **keys: Key
    ) -> LogT:
        """The log of a container; with follow=True until it ends."""
        opened: LogT = self._types[0](self._of(), "log", _pod(pod, namespace, keys), on_event)
        return opened

    def exec(  # noqa: A003
        self,
        pod: str,
        command: Sequence[str],
        *,
        namespace: str = NOT_GIVEN,
        on_event: Optional[OnEvent] = None,
        **keys: Key,
    ) -> ExecT:
        """Runs a command, a list of its program and arguments; with stdin=True, tty=True, stderr=False as wanted."""
        if isinstance(command, str):
            raise TypeError("a command is a list of its program and arguments, not str")
        opened: ExecT = self._types[1](
            self._of(), "exec", {**_pod(pod, namespace, keys), "command": list(command)}, on_event
        )
        return opened

    def attach(
        self, pod: str, *, namespace: str = NOT_GIVEN, on_event: Optional[OnEvent] = None, **keys: Key
    ) -> ExecT:
        """Connects to the process of a container that runs already."""
        opened: ExecT = self._types[1](self._of(), "attach", _pod(pod, namespace, keys), on_event)
        return opened

    def port_forward(
        self, pod: str, port: int, *, namespace: str = NOT_GIVEN, on_event: Optional[OnEvent] = None, **keys: Key
    ) -> PortT:
        """One TCP connection to a port of a pod."""
        opened: PortT = self._types[2](self._of(), "portforward", {**_pod(pod, namespace, keys), "port": port}, on_event)
        return opened

    def websocket(
        self,
        path: str = NOT_GIVEN,
        *,
        on_event: Optional[OnEvent] = None,
        headers: Headers = NOT_GIVEN,
        query: Query = NOT_GIVEN,
        **keys: Key,
    ) -> SocketT:
        """The WebSocket at a path, or at a resource=, name= and subresource=."""
        opened: SocketT = self._types[3](
            self._of(), "websocket", {"path": path, **keys}, on_event, headers=headers, query=query
        )
        return opened

    def download(
        self,
        path: str = NOT_GIVEN,
        *,
        body: Body = None,
        headers: Headers = NOT_GIVEN,
        query: Query = NOT_GIVEN,
        on_event: Optional[OnEvent] = None,
        **keys: Key,
    ) -> DownloadT:
        """The body of one response, which may be of any length or have no end."""
        opened: DownloadT = self._types[4](
            self._of(), "http", {"path": path, **keys}, on_event, body=body, headers=headers, query=query
        )
        return opened


def _pod(pod: str, namespace: str, keys: Mapping[str, Key]) -> Dict[str, Key]:
    return {"name": pod, "namespace": namespace, **keys}
