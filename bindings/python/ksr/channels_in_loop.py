"""The same channels for asyncio."""

from __future__ import annotations

import asyncio
from typing import Any, AsyncIterator, Generic, List, Mapping, Optional, Tuple, TypeVar, Union

from ._copies import Single
from .channel import (
    _bytes_of,
    _END_OF_STDIN,
    _finish,
    _is_of_the_end,
    _parts_of,
    _Received,
    _resize,
    _sending,
    Bytes,
    Channel,
    Client,
    OnEvent,
    Take,
)
from .channels import Download, Exec, Log, PortForward, WebSocket, Writer
from .codes import Code, Part
from .errors import Error
from .request import Key


class AsyncReader(_Received):
    """Bytes for asyncio, like an asyncio.StreamReader: `await reader.read(n)`, `readline()`, `async for line in reader`. A
    read that is cancelled has taken nothing. Several tasks may read: each byte goes to one of them. Since 0.2."""

    async def _until(self, take: Take) -> bytes:
        found = self._at_once(take)
        if found is None:
            taken: List[bytes] = []
            await self._channel._wait_in_loop(self._step(take, taken), "read")
            found = taken[0]
        return found

    async def read(self, size: int = -1) -> bytes:
        """What is there, at most that much, b"" at the end; without a size all up to the end."""
        if size < 0:
            return await self._until(self._lines.everything)
        return await self._until(lambda over: self._lines.some(size, over)) if size else b""

    async def readline(self) -> bytes:
        """A line with its newline; the last one may have none. b"" at the end."""
        return await self._until(lambda over: self._lines.line(-1, over))

    async def __aiter__(self) -> AsyncIterator[bytes]:
        while True:
            line = await self.readline()
            if not line:
                return
            yield line


class AsyncWriter(Single):
    """What a command reads from its standard input. Since 0.2."""

    def __init__(self, channel: Channel) -> None:
        """For this package."""
        self._channel = channel

    async def write(self, data: Bytes) -> None:
        """All of it, which waits while the library holds send_buffer bytes that are not sent."""
        await self._channel._wait_in_loop(self._channel._writing(Part.DATA, data), "write")

    async def close(self) -> None:
        """As Writer.close."""
        await self._channel._wait_in_loop(self._channel._opening(), _END_OF_STDIN)
        _finish(self._channel)


Self = TypeVar("Self")


class _AsyncContext(Generic[Self]):
    async def __aenter__(self) -> Any:
        return self

    async def __aexit__(self, *raised: object) -> None:
        self.close()  # type: ignore[attr-defined] # it is a Channel


class AsyncLog(_AsyncContext[Any], Channel, AsyncReader):
    """Log for asyncio: `async for line in log`. Since 0.2."""

    def __init__(self, *arguments: Any, **keys: Any) -> None:
        """For this package."""
        Channel.__init__(self, *arguments, in_loop=True, **keys)
        AsyncReader.__init__(self, self, Part.STDOUT)
        self._kept = ""

    _chunk = Log._chunk
    _before_more = Log._before_more
    _cursor_behind = Log._cursor_behind
    cursor = Log.cursor
    container = Log.container


class AsyncExec(_AsyncContext[Any], Channel):
    """Exec for asyncio. Since 0.2."""

    def __init__(self, client: Client, kind: str, keys: Mapping[str, Key], on_event: Optional[OnEvent]) -> None:
        """For this package."""
        super().__init__(client, kind, keys, on_event, in_loop=True)
        has_in, has_out, has_err = _parts_of(keys)
        self.stdin: Optional[AsyncWriter] = AsyncWriter(self) if has_in else None
        self.stdout: Optional[AsyncReader] = AsyncReader(self, Part.STDOUT) if has_out else None
        self.stderr: Optional[AsyncReader] = AsyncReader(self, Part.STDERR) if has_err else None

    def resize(self, columns: int, rows: int) -> None:
        """As Exec.resize."""
        _resize(self, columns, rows)

    async def wait(self) -> Optional[int]:
        """As Exec.wait."""
        into: List[Optional[int]] = []
        await self._wait_in_loop(self._ending(into), "wait")
        return into[0]

    async def communicate(self, data: Bytes = b"") -> Tuple[bytes, bytes]:
        """As Exec.communicate. Where the task is cancelled, or `timeout` is over, the channel is closed: what was written and
        read by then is not known."""
        _bytes_of(data)
        if self.stdin is None and data:
            raise Error(Code.INVALID, "communicate: the channel was opened without stdin")

        async def feed() -> bytes:
            assert self.stdin is not None
            try:
                await self.stdin.write(data)
                await self.stdin.close()
            except Error as error:
                # The outputs tell how the channel has ended.
                if not self.closed and not _is_of_the_end(error):
                    raise
            return b""

        async def nothing() -> bytes:
            return b""

        works = [
            nothing() if self.stdout is None else self.stdout.read(),
            nothing() if self.stderr is None else self.stderr.read(),
            nothing() if self.stdin is None else feed(),
        ]
        tasks = [asyncio.ensure_future(work) for work in works]
        try:
            output, errors, _ = await asyncio.gather(*tasks)
            return output, errors
        except BaseException:
            self.close()
            for task in tasks:
                task.cancel()
            await asyncio.gather(*tasks, return_exceptions=True)
            raise

    exit_verified = Exec.exit_verified
    protocol = Exec.protocol


class AsyncPortForward(_AsyncContext[Any], Channel, AsyncReader):
    """PortForward for asyncio. Since 0.2."""

    def __init__(self, *arguments: Any, **keys: Any) -> None:
        """For this package."""
        Channel.__init__(self, *arguments, in_loop=True, **keys)
        AsyncReader.__init__(self, self, Part.DATA)

    async def write(self, data: Bytes) -> None:
        """All of it."""
        await self._wait_in_loop(self._writing(Part.DATA, data), "write")


class AsyncWebSocket(_AsyncContext[Any], Channel):
    """WebSocket for asyncio: `async for message in socket`. Since 0.2."""

    def __init__(self, *arguments: Any, **keys: Any) -> None:
        """For this package."""
        Channel.__init__(self, *arguments, in_loop=True, **keys)

    async def receive(self) -> Union[str, bytes, None]:
        """As WebSocket.receive."""
        into: List[Union[str, bytes]] = []
        await self._wait_in_loop(self._message(into), "receive")
        return into[0] if into else None

    async def send(self, message: Union[str, Bytes]) -> None:
        """As WebSocket.send."""
        await self._wait_in_loop(_sending(self, message), "send")

    async def __aiter__(self) -> AsyncIterator[Union[str, bytes]]:
        while True:
            message = await self.receive()
            if message is None:
                return
            yield message

    close_code = WebSocket.close_code
    close_reason = WebSocket.close_reason
    subprotocol = WebSocket.subprotocol


class AsyncDownload(_AsyncContext[Any], Channel, AsyncReader):
    """Download for asyncio. Since 0.2."""

    def __init__(self, *arguments: Any, **keys: Any) -> None:
        """For this package."""
        Channel.__init__(self, *arguments, in_loop=True, **keys)
        AsyncReader.__init__(self, self, Part.STDOUT)

    http_status = Download.http_status


IN_LOOP = (AsyncLog, AsyncExec, AsyncPortForward, AsyncWebSocket, AsyncDownload)
