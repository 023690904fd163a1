"""Channels that block: logs, exec, attach, port-forward, WebSockets and bodies of any length."""

from __future__ import annotations

import threading
from typing import Any, Callable, Dict, Iterable, Iterator, List, Mapping, Optional, Tuple, Union

from ._copies import Single
from .channel import (
    _bytes_of,
    _END_OF_STDIN,
    _finish,
    _is_of_the_end,
    _parts_of,
    _READ_AHEAD,
    _Received,
    _resize,
    _sending,
    Bytes,
    Channel,
    Client,
    OnEvent,
    Take,
)
from .codes import Code, Part
from .errors import Error
from .request import Key


class Reader(_Received):
    """A file-like object for bytes: read, read1, readinto, readline, iteration over lines. Nothing is decoded;
    io.TextIOWrapper may be put around it. Several threads may read: each byte goes to one of them. Since 0.2."""

    def _until(self, take: Take) -> bytes:
        found = self._at_once(take)
        if found is None:
            taken: List[bytes] = []
            self._channel._block(self._step(take, taken), "read")
            found = taken[0]
        return found

    def read(self, size: Optional[int] = -1) -> bytes:
        """As many bytes, or fewer at the end; without a size all up to the end. An end that was not in order raises; read1
        returns what came before it."""
        if size is None or size < 0:
            return self._until(self._lines.everything)
        wanted = size
        return self._until(lambda over: self._lines.exactly(wanted, over))

    def read1(self, size: int = -1) -> bytes:
        """What is there, at most that much; waits only while there is nothing. b"" at the end."""
        if not size:
            self._channel._open()
            return b""
        return self._until(lambda over: self._lines.some(size, over))

    def readinto(self, buffer: Any) -> int:
        view = memoryview(buffer).cast("B")
        piece = self.read1(len(view))
        view[: len(piece)] = piece
        return len(piece)

    readinto1 = readinto

    def readline(self, size: Optional[int] = -1) -> bytes:
        """A line with its newline; the last one may have none. b"" at the end."""
        longest = -1 if size is None else size
        return self._until(lambda over: self._lines.line(longest, over))

    def __iter__(self) -> Iterator[bytes]:
        return iter(self.readline, b"")

    @property
    def closed(self) -> bool:
        return self._channel.closed

    def readable(self) -> bool:
        return True

    def writable(self) -> bool:
        return False

    def seekable(self) -> bool:
        return False

    def flush(self) -> None:
        pass

    def close(self) -> None:
        """Closes the whole channel."""
        self._channel.close()


class Writer(Single):
    """What a command reads from its standard input. Since 0.2."""

    def __init__(self, channel: Channel) -> None:
        """For this package."""
        self._channel = channel
        self._finished = False

    def write(self, data: Bytes) -> int:
        """All of it, which waits while the library holds send_buffer bytes that are not sent. Returns how many bytes that
        was, also where the elements of a memoryview have several."""
        raw = _bytes_of(data)
        self._channel._block(self._channel._writing(Part.DATA, raw), "write")
        return len(raw)

    def writelines(self, lines: Iterable[Bytes]) -> None:
        for line in lines:
            self.write(line)

    def flush(self) -> None:
        pass

    def close(self) -> None:
        """The command then reads the end of its standard input. Waits until the server has accepted the channel, and raises
        Code.UNSUPPORTED where the protocol cannot say so, which is only with a terminal, or where the server knows no
        other. Closing again does nothing."""
        if self._finished:
            return
        self._channel._block(self._channel._opening(), _END_OF_STDIN)
        _finish(self._channel)
        self._finished = True

    @property
    def closed(self) -> bool:
        return self._finished or self._channel.closed

    def writable(self) -> bool:
        return True

    def __enter__(self) -> Writer:
        return self

    def __exit__(self, *raised: object) -> None:
        if not self.closed:
            self.close()


class Log(Channel, Reader):
    """The log of a container: file-like, of bytes; `for line in log`. After a failure it goes on by itself, without a line
    lost or repeated, or with EventKind.GAP where lines are lost: `on_event` is called between the lines before the gap
    and those behind it; without one it is a warning of the logger "ksr". Since 0.2."""

    def __init__(self, *arguments: Any, **keys: Any) -> None:
        """For this package."""
        Channel.__init__(self, *arguments, **keys)
        Reader.__init__(self, self, Part.STDOUT)
        self._kept = ""

    close = Channel.close
    closed = Channel.closed

    _chunk = _READ_AHEAD // 2

    def _before_more(self) -> None:
        # read() gathers more lines than the library knows the places of.
        if len(self._lines) > _READ_AHEAD - self._chunk and self._lines.has_line():
            self._kept = self._cursor_behind(self._lines.taken) or self._kept

    def _cursor_behind(self, taken: int) -> str:
        return self._text(f"cursor:{taken}")

    @property
    def cursor(self) -> str:
        """Where the log goes on behind the last whole line that was returned, for from_cursor=, also in another process:
        no line is left out, and none comes again; of a line that was returned in part, that part does. "" where it is not
        known: of a log whose lines have no times. After a read() for more than 32 KiB that has failed it may be the one of
        an earlier line."""
        self._open()
        return self._cursor_behind(self._lines.taken) or self._kept

    @property
    def container(self) -> str:
        return self._info("container")

    def __enter__(self) -> Log:
        return self

    def __exit__(self, *raised: object) -> None:
        self.close()


class Exec(Channel):
    """A command in a container, or (attach) the process of the container. It is never run twice. Since 0.2."""

    def __init__(self, client: Client, kind: str, keys: Mapping[str, Key], on_event: Optional[OnEvent]) -> None:
        """For this package."""
        super().__init__(client, kind, keys, on_event)
        has_in, has_out, has_err = _parts_of(keys)
        #: Where to write what the command reads; None without stdin=True.
        self.stdin: Optional[Writer] = Writer(self) if has_in else None
        #: What the command writes; None where it was not asked for. All that was asked for must be read, or the command
        #: waits.
        self.stdout: Optional[Reader] = Reader(self, Part.STDOUT) if has_out else None
        self.stderr: Optional[Reader] = Reader(self, Part.STDERR) if has_err else None

    def resize(self, columns: int, rows: int) -> None:
        """The size of the terminal, 1 to 65535 each; Code.INVALID without tty=True."""
        _resize(self, columns, rows)

    def wait(self) -> Optional[int]:
        """Waits for the end and returns the exit code of the command, any number; of attach None. Where it is not known
        how the command ended, that is an Error with Code.LOST, never a 0."""
        into: List[Optional[int]] = []
        self._block(self._ending(into), "wait")
        return into[0]

    def communicate(self, data: Bytes = b"") -> Tuple[bytes, bytes]:
        """Writes all of `data`, ends the standard input, and reads both outputs to their ends, at the same time. What
        fails closes the channel, such as Code.UNSUPPORTED where the standard input cannot be ended (Writer.close). A
        command may end without having read all of `data`."""
        _bytes_of(data)
        found: Dict[str, bytes] = {}
        failures: List[BaseException] = []

        def run(name: str, work: Callable[[], bytes]) -> None:
            try:
                found[name] = work()
            except BaseException as error:
                # The outputs tell how the channel has ended.
                if name == "stdin" and (self.closed or _is_of_the_end(error)):
                    return
                failures.append(error)
                self.close()  # else the other threads might wait for ever

        def feed() -> bytes:
            assert self.stdin is not None
            self.stdin.write(data)
            self.stdin.close()
            return b""

        works: List[Tuple[str, Callable[[], bytes]]] = []
        if self.stdin is not None:
            works.append(("stdin", feed))
        elif data:
            raise Error(Code.INVALID, "communicate: the channel was opened without stdin")
        if self.stderr is not None:
            works.append(("stderr", self.stderr.read))
        threads = [threading.Thread(target=run, args=work, daemon=True) for work in works]
        for thread in threads:
            thread.start()
        if self.stdout is not None:
            run("stdout", self.stdout.read)
        for thread in threads:
            thread.join()
        if failures:
            raise failures[0]
        return found.get("stdout", b""), found.get("stderr", b"")

    @property
    def exit_verified(self) -> bool:
        """After wait: the exit code is the runtime's own word. It is not for a 0 over v5.channel.k8s.io, with which a
        server also ends a command that it has lost sight of."""
        return self.stat("exit_verified") == 1

    @property
    def protocol(self) -> str:
        return self._info("protocol")

    def __enter__(self) -> Exec:
        return self

    def __exit__(self, *raised: object) -> None:
        self.close()


class PortForward(Channel, Reader):
    """One TCP connection to a port of a pod: file-like in both directions. There is no half-close. Since 0.2."""

    def __init__(self, *arguments: Any, **keys: Any) -> None:
        """For this package."""
        Channel.__init__(self, *arguments, **keys)
        Reader.__init__(self, self, Part.DATA)

    close = Channel.close
    closed = Channel.closed

    def write(self, data: Bytes) -> int:
        """All of it."""
        raw = _bytes_of(data)
        self._block(self._writing(Part.DATA, raw), "write")
        return len(raw)

    def writable(self) -> bool:
        return True

    def __enter__(self) -> PortForward:
        return self

    def __exit__(self, *raised: object) -> None:
        self.close()


class WebSocket(Channel):
    """Any WebSocket of the API server: whole messages, a text as str, a binary one as bytes. Since 0.2."""

    def receive(self) -> Union[str, bytes, None]:
        """Waits for a message; empty ones are left out. None once the server has closed in order."""
        into: List[Union[str, bytes]] = []
        self._block(self._message(into), "receive")
        return into[0] if into else None

    def send(self, message: Union[str, Bytes]) -> None:
        """Text as a text message, bytes as a binary one."""
        self._block(_sending(self, message), "send")

    def __iter__(self) -> Iterator[Union[str, bytes]]:
        while True:
            message = self.receive()
            if message is None:
                return
            yield message

    @property
    def close_code(self) -> Optional[int]:
        """Of the server's close frame; None without one."""
        return int(self._info("close_code") or 0) or None

    @property
    def close_reason(self) -> str:
        return self._info("close_reason")

    @property
    def subprotocol(self) -> str:
        return self._info("protocol")

    def __enter__(self) -> WebSocket:
        return self

    def __exit__(self, *raised: object) -> None:
        self.close()


class Download(Channel, Reader):
    """The body of one response as it comes, of any length: file-like. Since 0.2."""

    def __init__(self, *arguments: Any, **keys: Any) -> None:
        """For this package."""
        Channel.__init__(self, *arguments, **keys)
        Reader.__init__(self, self, Part.STDOUT)

    close = Channel.close
    closed = Channel.closed

    @property
    def http_status(self) -> int:
        """200 to 299; 0 before the response has come."""
        return int(self._info("http_status") or 0)

    def __enter__(self) -> Download:
        return self

    def __exit__(self, *raised: object) -> None:
        self.close()


BLOCKING = (Log, Exec, PortForward, WebSocket, Download)
