"""Channels: logs, exec, attach, port-forward, WebSockets and bodies, blocking and in an event loop."""

import array
import asyncio
import contextlib
import gc
import io
import os
import pathlib
import re
import socket as socketlib
import threading
import time
import unittest
from datetime import datetime, timezone

import ksr
from ksr import Code, EventKind

from .support import TEST_TIMEOUT, in_child, needs_server, open_here, script
from .test_client import client_here, client_nowhere, wait_until

# A WebSocket that ends with Code.TIMEOUT behind its messages.
SILENT = "stream proxy $NS/web text=one binary=two no-pong"
QUICK = {"ping_interval": "50ms", "pong_timeout": "50ms"}


@contextlib.contextmanager
def never_answers():
    """A server that accepts connections, and no more."""
    with socketlib.create_server(("127.0.0.1", 0)) as listener:
        yield f"http://127.0.0.1:{listener.getsockname()[1]}"


class OnServer(unittest.TestCase):
    def setUp(self):
        name = f"{type(self).__name__}-{self._testMethodName[5:]}".lower().replace("_", "-")[:40]
        self.ns = f"{name}-{os.getpid()}-{time.time_ns() % 10**6}"
        self.script("create pods $NS/web")

    def script(self, *lines):
        script("\n".join(lines).replace("$NS", self.ns))

    def client(self):
        client = client_here()
        self.addCleanup(client.close)
        return client

    def assert_code(self, code, call, *arguments, **keys):
        with self.assertRaises(ksr.Error) as raised:
            call(*arguments, **keys)
        self.assertEqual(raised.exception.code, code, raised.exception)
        return raised.exception


@needs_server
class Blocking(OnServer):
    def test_exec(self):
        self.script('stream exec $NS/web out=hello err="oops\\n" exit=7')
        with self.client() as client, client.exec("web", ["ls", "a,b"], namespace=self.ns) as run:
            self.assertIsNone(run.stdin)
            self.assertEqual(run.communicate(), (b"hello", b"oops\n"))
            self.assertEqual(run.wait(), 7)
            self.assertTrue(run.exit_verified)
            self.assertEqual(run.protocol, "v4.channel.k8s.io")
            self.assertEqual(run.stat("bytes_received"), 10)
            run.close()
            self.assertEqual(client.stat("open_channels"), 0)
            self.assert_code(Code.INVALID, run.wait)
            self.assert_code(Code.INVALID, run.stdout.read)
            self.assert_code(Code.INVALID, run.stat, "state")

    def test_what_is_written_comes_back(self):
        self.script("stream exec $NS/web echo wait-eof exit=0")
        sent = bytes(range(256)) * 8192
        with self.client() as client:
            run = client.exec("web", ["cat"], namespace=self.ns, stdin=True, stderr=False)
            self.assertIsNone(run.stderr)
            self.assertEqual(run.stdin.write(b""), 0)
            self.assertEqual(run.stdout.read(0), b"")
            self.assertEqual(run.communicate(sent)[0], sent)
            self.assertEqual(run.wait(), 0)
            self.assertFalse(run.exit_verified)
            with self.assertRaises(TypeError):
                run.stdin.write("text")
            self.assert_code(Code.LOST, run.stdin.write, b"x")

    def test_a_standard_input_that_cannot_be_ended(self):
        """With a terminal, and where the server knows v4 alone: no communicate waits for ever."""
        self.script("stream exec $NS/web echo wait-eof exit=0")
        for keys in ({"tty": True}, {"exec_protocol": "v4"}):
            with self.subTest(**keys), self.client() as client:

                with client.exec("web", ["cat"], namespace=self.ns, stdin=True, **keys) as run:
                    run.timeout = 20.0
                    error = self.assert_code(Code.UNSUPPORTED, run.communicate, b"data")
                    self.assertIn("over v4.channel.k8s.io", str(error))
                    self.assertTrue(run.closed)
                with client.exec("web", ["cat"], namespace=self.ns, stdin=True, **keys) as run:
                    self.assert_code(Code.UNSUPPORTED, run.stdin.close)
                    self.assertFalse(run.stdin.closed)
                    self.assertEqual(run.protocol, "v4.channel.k8s.io")

                async def in_loop():
                    async with client.aio.exec("web", ["cat"], namespace=self.ns, stdin=True, **keys) as run:
                        with self.assertRaises(ksr.Error) as raised:
                            await run.stdin.close()
                        self.assertEqual(raised.exception.code, Code.UNSUPPORTED)

                asyncio.run(asyncio.wait_for(in_loop(), TEST_TIMEOUT))

    def test_communicate_with_a_command_that_reads_nothing(self):
        self.script("stream exec $NS/web out=done exit=3")
        with self.client() as client, client.exec("web", ["a"], namespace=self.ns, stdin=True) as run:
            self.assertEqual(run.communicate(b"x" * (4 << 20)), (b"done", b""))
            self.assertEqual(run.wait(), 3)

    def test_communicate_where_nothing_is_opened(self):
        self.script("fault stream /api/v1/namespaces/$NS/ answer 403 body={}")
        with self.client() as client, client.exec("web", ["a"], namespace=self.ns, stdin=True) as run:
            self.assert_code(Code.FORBIDDEN, run.communicate, b"data")

    def test_an_interruption_is_logged_where_nobody_is_told(self):
        self.script("log $NS/web line=one")
        with self.client() as client, client.log("web", namespace=self.ns, follow=True) as log:
            self.assertEqual(log.readline(), b"one\n")
            with self.assertLogs("ksr", "WARNING") as logged:
                self.script("log $NS/web cut", "log $NS/web line=two")
                self.assertEqual(log.readline(), b"two\n")
                self.script("log $NS/web cut", "log $NS/web rotate line=lost", "log $NS/web rotate line=far")
                while log.readline() != b"far\n":
                    pass
            self.assertIn("lines of a log are missing", " ".join(logged.output))

    def test_a_memoryview_of_larger_elements(self):
        numbers = memoryview(array.array("i", [1, 2, 3]))
        self.script("stream exec $NS/web echo wait-eof exit=0")
        with self.client() as client:
            with client.port_forward("web", 80, namespace=self.ns) as port:
                self.assertEqual(port.write(numbers), numbers.nbytes)
                self.assertEqual(port.read(numbers.nbytes), bytes(numbers))
            with client.exec("web", ["cat"], namespace=self.ns, stdin=True) as run:
                self.assertEqual(run.stdin.write(numbers), numbers.nbytes)

    def test_an_exec_that_is_lost_has_no_exit_code(self):
        for end in ("cut", "reset", "close=1000", "close=1011:broken"):
            with self.subTest(end), self.client() as client:
                self.script("stream exec $NS/web out=half " + end)
                run = client.exec("web", ["ls"], namespace=self.ns)
                self.assert_code(Code.LOST, run.stdout.read)
                if end != "reset":
                    self.assertEqual(run.stdout.read1(), b"half")
                self.assertIn("exec", str(self.assert_code(Code.LOST, run.wait)))

    def test_refusals(self):
        self.script("fault stream /api/v1/namespaces/$NS/ answer 403 body={}")
        with self.client() as client:
            error = self.assert_code(Code.FORBIDDEN, client.exec("web", ["ls"], namespace=self.ns).wait)
            self.assertEqual((error.http_status, error.maybe_done), (403, False))
            self.assert_code(Code.NOT_FOUND, client.log("none", namespace=self.ns).read)
            self.assert_code(Code.NOT_FOUND, client.download("/nothing/here").read)

    def test_attach_and_resize(self):
        self.script("stream attach $NS/web out=x wait-resize=2 out=resized exit=0")
        with self.client() as client:
            run = client.attach("web", namespace=self.ns, stdin=True, tty=True, columns=80, rows=24)
            self.assertIsNone(run.stderr)
            for bad in ((0, 1), (1, 0), (-1, 5), (65536, 1), (1 << 40, 1), ("a", 1)):
                self.assert_code(Code.INVALID, run.resize, *bad)
            self.assertEqual(run.stdout.read(1), b"x")
            run.resize(65535, 1)
            self.assertEqual(run.stdout.read(), b"resized")
            self.assertIsNone(run.wait())
            self.assert_code(Code.INVALID, client.exec("web", ["ls"], namespace=self.ns).resize, 80, 24)

    def test_close_ends_a_read_and_a_write(self):
        self.script("stream portforward $NS/web deaf")
        with self.client() as client:
            port = client.port_forward("web", 80, namespace=self.ns)
            raised = []

            def run(call, *arguments):
                try:
                    call(*arguments)
                except ksr.Error as error:
                    raised.append(error.code)

            threads = [threading.Thread(target=run, args=(port.read,))]
            threads.append(threading.Thread(target=run, args=(port.write, b"x" * (64 << 20))))
            for thread in threads:
                thread.start()
            wait_until(lambda: port.stat("queued_bytes") > 200 << 10, "the send buffer to be full")
            port.close()
            port.close()
            for thread in threads:
                thread.join(TEST_TIMEOUT)
            self.assertEqual(raised, [Code.CANCELLED, Code.CANCELLED])

    def test_close_ends_every_wait(self):
        self.script("stream proxy $NS/web echo", "stream exec $NS/web wait-eof exit=0")
        path = f"/api/v1/namespaces/{self.ns}/pods/web/proxy/"
        opens = {
            "receive": lambda client: client.websocket(path),
            "wait": lambda client: client.exec("web", ["cat"], namespace=self.ns, stdin=True),
        }
        for call, open_it in opens.items():
            for ends_client in (False, True):
                with self.subTest(call, ends_client=ends_client), self.client() as client:
                    channel = open_it(client)
                    closer = threading.Timer(0.05, client.close if ends_client else channel.close)
                    closer.start()
                    self.assert_code(Code.CANCELLED, getattr(channel, call))
                    closer.join()

    def test_a_timeout(self):
        with self.client() as client, client.port_forward("web", 80, namespace=self.ns) as port:
            port.timeout = 0.02
            self.assert_code(Code.TIMEOUT, port.read1)
            port.timeout = None
            port.write(b"\xff\x00 no UTF-8")
            self.assertEqual(port.read(11), b"\xff\x00 no UTF-8")

    def test_a_channel_that_has_ended_with_a_timeout(self):
        self.script(SILENT)
        with self.client() as client:
            socket = client.websocket(f"/api/v1/namespaces/{self.ns}/pods/web/proxy", **QUICK)
            socket.timeout = TEST_TIMEOUT
            self.assertEqual([socket.receive(), socket.receive()], ["one", b"two"])
            for wait in (socket.receive, lambda: socket.send("more"), lambda: socket.send(b"more"), socket.receive):
                self.assertEqual(self.assert_code(Code.TIMEOUT, wait).http_status, 408)
            with never_answers() as server, ksr.Client(server=server) as unanswered:
                download = unanswered.download("/x", head_timeout="50ms")
                download.timeout = TEST_TIMEOUT
                for wait in (download.read, download.readline, download.read1):
                    self.assertEqual(self.assert_code(Code.TIMEOUT, wait).http_status, 408)

    def test_threads_that_share_a_reader_lose_nothing(self):
        with self.client() as client, client.port_forward("web", 80, namespace=self.ns) as port:
            port.timeout = 5.0
            seen = []
            threads = [threading.Thread(target=lambda: seen.append(port.read1(1))) for _ in range(2)]
            for thread in threads:
                thread.start()
            time.sleep(0.05)
            port.write(b"abc")
            wait_until(lambda: seen, "a thread to have read")
            port.write(b"def")
            for thread in threads:
                thread.join(TEST_TIMEOUT)
            self.assertEqual(sorted(b"".join(seen) + port.read(4)), sorted(b"abcdef"))

    def test_a_port_that_refuses(self):
        self.script('stream portforward $NS/web err="connection refused" close=1000')
        with self.client() as client:
            error = self.assert_code(Code.TRANSPORT, client.port_forward("web", 1, namespace=self.ns).read)
            self.assertIn("connection refused", str(error))

    def test_a_log_is_a_file(self):
        self.script("log $NS/web line=one line=\xfctwo line=three")
        with self.client() as client:
            with client.log("web", namespace=self.ns) as log:
                self.assertEqual(log.readline(2), b"on")
                self.assertEqual(log.readline(), b"e\n")
                self.assertEqual(list(log), ["\xfctwo\n".encode(), b"three\n"])
                self.assertEqual((log.read(), log.readline(), log.read1()), (b"", b"", b""))
            with client.log("web", namespace=self.ns, tail=1) as log:
                self.assertEqual(io.TextIOWrapper(log).read(), "three\n")
            buffer = bytearray(5)
            with client.log("web", namespace=self.ns) as log:
                self.assertEqual(log.readinto(buffer), 5)
            self.assertEqual(buffer, b"one\n\xc3")

    def test_a_log_goes_on_and_tells_where_lines_are_missing(self):
        self.script("log $NS/web line=old")
        seen = []

        def on_event(event):
            if event.kind == EventKind.GAP:
                seen.append("GAP")

        with self.client() as client:
            log = client.log("web", namespace=self.ns, follow=True, on_event=on_event)
            seen.append(log.readline())
            self.script("log $NS/web cut", "log $NS/web line=new")
            seen.append(log.readline())
            cursor = log.cursor
            self.script("log $NS/web rotate", "log $NS/web cut", "log $NS/web line=lost", "log $NS/web rotate line=far")
            while seen[-1] != b"far\n":
                seen.append(log.readline())
            self.assertEqual(seen.count("GAP"), log.stat("gaps"))
            self.assertEqual(seen[:2], [b"old\n", b"new\n"])
            self.assertEqual(seen.index("GAP"), seen.index(b"far\n") - 1, seen)
            log.close()
            with client.log("web", namespace=self.ns, from_cursor=cursor) as log:
                self.assertEqual(log.read(), b"far\n")

    def test_the_cursor_is_behind_what_was_returned(self):
        lines = [b"line-%d\n" % number for number in range(3000)]
        self.script(*(f"log $NS/web {' '.join(f'line={one[:-1].decode()}' for one in lines[at:at + 500])}"
                      for at in range(0, 3000, 500)), "log $NS/web end")

        def rest(client, cursor):
            seen = []
            with client.log("web", namespace=self.ns, from_cursor=cursor, on_event=seen.append) as log:
                found = log.read()
            self.assertNotIn(EventKind.GAP, [event.kind for event in seen])
            return found

        def behind(count):
            return b"".join(lines[count:])

        with self.client() as client:
            for follow in (False, True):
                with client.log("web", namespace=self.ns, follow=follow) as log:
                    for number, line in enumerate(log, 1):
                        self.assertEqual(line, lines[number - 1])
                        if number in (1, 2, 700, 2999):
                            self.assertEqual(rest(client, log.cursor), behind(number))
                        if number == len(lines):
                            break
                    self.assertEqual(rest(client, log.cursor), b"")
            with client.log("web", namespace=self.ns) as log:
                log.readline()
                cursor = log.cursor
                self.assertEqual(rest(client, cursor), behind(1))
                log.readline(3)
                self.assertEqual(log.cursor, cursor)
                self.assertEqual(log.read1(4), b"e-1\n")
                self.assertEqual(rest(client, log.cursor), behind(2))
            # What was gathered for a read() that does not come to its end was not returned.
            self.script("create pods $NS/web2", *(f"log $NS/web2 line={'x' * 1000}{number}" for number in range(100)))
            with client.log("web2", namespace=self.ns, follow=True) as log:
                first = log.readline()
                cursor = log.cursor
                log.timeout = 1
                self.assert_code(Code.TIMEOUT, log.read, 110_000)
                self.assertEqual(log.cursor, cursor)
                self.assertEqual(log.readline(), first[:-2] + b"1\n")
                with client.log("web2", namespace=self.ns, from_cursor=log.cursor) as later:
                    self.assertIn(later.readline(), (first[:-2] + b"1\n", first[:-2] + b"2\n"))

    def test_the_cursor_while_a_long_line_comes(self):
        line = b"x" * 1_300_000
        self.script("log $NS/web stamp=2026-11-29T10:00:00Z line=first",
                    f'log $NS/web raw="2026-11-29T10:00:01.000000000Z {line.decode()}"')
        with self.client() as client:
            with client.log("web", namespace=self.ns, follow=True) as log:
                self.assertEqual(log.readline(), b"first\n")
                log.timeout = 1
                self.assert_code(Code.TIMEOUT, log.readline)
                cursors = [log.cursor]
                while sum(map(len, cursors[1:])) == 0 and log.read1():
                    cursors.append(log.cursor)
            self.script('log $NS/web raw="y\\n" end')
            for cursor in cursors:
                with client.log("web", namespace=self.ns, from_cursor=cursor) as log:
                    self.assertEqual(log.read(), line + b"y\n")

    def test_websocket(self):
        self.script("stream proxy $NS/web echo wait-bytes=70010 text=bye close=4321:enough")
        with self.client() as client:
            path = f"/api/v1/namespaces/{self.ns}/pods/web/proxy"
            with client.websocket(path) as socket:
                for message in ("gr\xfc\xdfe", b"\xff\x07" * 35000):
                    socket.send(message)
                    self.assertEqual(socket.receive(), message)
                self.assert_code(Code.TOO_LARGE, socket.send, bytes(17 << 20))
                with self.assertRaises(TypeError):
                    socket.send(1)
                socket.send(b"abc")
                seen = []
                with self.assertRaises(ksr.Error):
                    for message in socket:
                        seen.append(message)
                self.assertEqual(seen, [b"abc", "bye"])
                self.assertEqual((socket.close_code, socket.close_reason), (4321, "enough"))

    def test_text_that_is_no_utf8(self):
        """The library passes a text on as it came; a str cannot hold it."""
        self.script("stream proxy $NS/web text=a\udcffb text=\udced\udca0\udc80 text=fine close=1000:\udcff")
        with self.client() as client:
            with client.websocket(f"/api/v1/namespaces/{self.ns}/pods/web/proxy") as socket:
                self.assertEqual(list(socket), ["a\ufffdb", "\ufffd\ufffd\ufffd", "fine"])
                self.assertEqual(socket.close_code, 1000)

    def test_download(self):
        with self.client() as client, client.download("/api/v1/namespaces/default/configmaps") as body:
            self.assertIn(b"ConfigMapList", body.read())
            self.assertEqual(body.http_status, 200)

    def test_the_client_closes_its_channels(self):
        client = self.client()
        run = client.exec("web", ["sh"], namespace=self.ns, stdin=True)
        closer = threading.Timer(0.05, client.close)
        closer.start()
        self.assert_code(Code.CANCELLED, run.stdout.read)
        closer.join()
        run.close()

    def test_a_dropped_channel_is_closed(self):
        with self.client() as client:
            for _ in range(3):
                client.exec("web", ["sh"], namespace=self.ns, stdin=True).stdin.write(b"x")
            gc.collect()
            wait_until(lambda: client.stat("open_channels") == 0, "the channels to be closed")

    def test_after_fork(self):
        with self.client() as client, client.exec("web", ["sh"], namespace=self.ns) as run:

            def child():
                run.close()
                try:
                    run.stdout.read1()
                except ksr.Error as error:
                    return error.code == Code.FORKED
                return False

            self.assertTrue(in_child(child))
            self.assertFalse(run.closed)

    def test_what_a_callback_raises_and_what_it_may_do(self):
        self.script("log $NS/web line=one")
        codes = []

        def on_event(event):
            codes.append(event.kind)
            log.stat("state")
            if event.kind == EventKind.OPEN:
                raise KeyboardInterrupt

        with self.client() as client:
            log = client.log("web", namespace=self.ns, on_event=on_event)
            # The bytes may be read before the callback has run.
            read = b""
            with self.assertRaises(KeyboardInterrupt):
                for _ in range(1000):
                    read += log.read()
                    time.sleep(0.01)
            self.assertEqual(read + log.read(), b"one\n")
            closing = client.log("web", namespace=self.ns, on_event=lambda event: closing.close())
            self.assert_code(Code.CANCELLED, closing.read)
        self.assertIn(EventKind.CONNECTING, codes)


@needs_server
class InLoop(OnServer):
    def run_in_loop(self, case):
        async def main():
            async with client_here() as client:
                await asyncio.wait_for(case(client), TEST_TIMEOUT)
                self.assertFalse(client._loops)
                self.assertEqual(client.stat("open_channels"), 0)

        asyncio.run(main())

    def test_exec(self):
        self.script("stream exec $NS/web err=oops echo wait-eof exit=3")
        sent = bytes(range(256)) * 8192

        async def case(client):
            async with client.aio.exec("web", ["cat"], namespace=self.ns, stdin=True) as run:

                async def feed():
                    await run.stdin.write(sent)
                    await run.stdin.write(b"")
                    await run.stdin.close()

                _, output, errors = await asyncio.gather(feed(), run.stdout.read(), run.stderr.read())
                self.assertEqual((output, errors), (sent, b"oops"))
                self.assertEqual(await run.wait(), 3)
            async with client.aio.exec("web", ["cat"], namespace=self.ns, stdin=True) as run:
                self.assertEqual(await run.communicate(sent), (sent, b"oops"))
                self.assertEqual(await run.wait(), 3)
            async with client.aio.exec("web", ["cat"], namespace=self.ns, stdin=True, stderr=False) as run:
                self.assertEqual(await run.communicate(), (b"", b""))
            async with client.aio.exec("web", ["cat"], namespace=self.ns) as run:
                with self.assertRaises(ksr.Error) as raised:
                    await run.communicate(b"data")
                self.assertEqual(raised.exception.code, Code.INVALID)
                with self.assertRaises(TypeError):
                    await run.communicate("data")

        self.run_in_loop(case)

    def test_communicate_that_does_not_end_well(self):
        self.script("stream exec $NS/web out=done exit=0")
        self.script("create pods $NS/waits", "stream exec $NS/waits out=some sleep=600s")

        async def case(client):
            async with client.aio.exec("web", ["true"], namespace=self.ns, stdin=True) as run:
                self.assertEqual(await run.communicate(b"x" * (4 << 20)), (b"done", b""))
                self.assertEqual(await run.wait(), 0)
            for limit in (None, 0.1):
                async with client.aio.exec("waits", ["cat"], namespace=self.ns, stdin=True) as run:
                    run.timeout = limit
                    with self.assertRaises(asyncio.TimeoutError if limit is None else ksr.Error) as raised:
                        await asyncio.wait_for(run.communicate(b"data"), 0.2 if limit is None else TEST_TIMEOUT)
                    if limit is not None:
                        self.assertEqual(raised.exception.code, Code.TIMEOUT)
                    self.assertTrue(run.closed)
            async with client.aio.exec("waits", ["cat"], namespace=self.ns, stdin=True, tty=True) as run:
                with self.assertRaises(ksr.Error) as raised:
                    await run.communicate(b"data")
                self.assertEqual(raised.exception.code, Code.UNSUPPORTED)

        self.run_in_loop(case)

    def test_the_time_limit(self):
        async def case(client):
            async with client.aio.port_forward("web", 80, namespace=self.ns) as port:
                port.timeout = 0.1
                for wait in (lambda: port.read(10), port.readline):
                    with self.assertRaises(ksr.Error) as raised:
                        await wait()
                    self.assertEqual(raised.exception.code, Code.TIMEOUT)
                await port.write(b"pi")
                with self.assertRaises(ksr.Error):
                    await port.readline()
                await port.write(b"ng\n")
                port.timeout = TEST_TIMEOUT
                self.assertEqual(await port.readline(), b"ping\n")

        self.run_in_loop(case)

    def test_a_channel_that_has_ended_with_a_timeout(self):
        self.script(SILENT)

        async def refused(wait):
            with self.assertRaises(ksr.Error) as raised:
                await wait
            self.assertEqual((raised.exception.code, raised.exception.http_status), (Code.TIMEOUT, 408))

        async def case(client):
            socket = client.aio.websocket(f"/api/v1/namespaces/{self.ns}/pods/web/proxy", **QUICK)
            async with socket:
                self.assertEqual([await socket.receive(), await socket.receive()], ["one", b"two"])
                for wait in (socket.receive(), socket.send("more"), socket.receive()):
                    await refused(wait)
            with never_answers() as server:
                async with ksr.Client(server=server) as unanswered:
                    async with unanswered.aio.download("/x", head_timeout="50ms") as download:
                        await refused(download.read())
                        await refused(download.readline())

        self.run_in_loop(case)

    def test_a_log_with_a_gap(self):
        self.script("log $NS/web line=old")
        seen = []

        async def case(client):
            def on_event(event):
                if event.kind == EventKind.GAP:
                    seen.append("GAP")

            async with client.aio.log("web", namespace=self.ns, follow=True, on_event=on_event) as log:
                async for line in log:
                    seen.append(line)
                    if line == b"old\n":
                        self.script("log $NS/web rotate", "log $NS/web cut", "log $NS/web rotate line=far")
                    if line == b"far\n":
                        break
                cursor = log.cursor
            self.script("log $NS/web line=next line=last end")
            async with client.aio.log("web", namespace=self.ns, from_cursor=cursor) as log:
                self.assertEqual(await log.readline(), b"next\n")
                cursor = log.cursor
            async with client.aio.log("web", namespace=self.ns, from_cursor=cursor) as log:
                self.assertEqual(await log.read(), b"last\n")

        self.run_in_loop(case)
        self.assertEqual(seen, [b"old\n", "GAP", b"far\n"])

    def test_a_cancelled_read_takes_nothing(self):
        async def case(client):
            async with client.aio.port_forward("web", 80, namespace=self.ns) as port:
                with self.assertRaises(asyncio.TimeoutError):
                    await asyncio.wait_for(port.read(10), 0.02)
                await port.write(b"ping\n")
                self.assertEqual(await port.readline(), b"ping\n")
                reading = asyncio.ensure_future(port.read(1))
                await asyncio.sleep(0)
                port.close()
                with self.assertRaises(ksr.Error) as raised:
                    await reading
                self.assertEqual(raised.exception.code, Code.CANCELLED)

        self.run_in_loop(case)

    def test_close_ends_every_wait(self):
        self.script("stream proxy $NS/web echo", "stream exec $NS/web wait-eof exit=0")

        async def case(client):
            socket = client.aio.websocket(f"/api/v1/namespaces/{self.ns}/pods/web/proxy/")
            run = client.aio.exec("web", ["cat"], namespace=self.ns, stdin=True)
            for channel, call in ((socket, socket.receive), (run, run.wait)):
                waiting = asyncio.ensure_future(call())
                await asyncio.sleep(0.05)
                channel.close()
                with self.assertRaises(ksr.Error) as raised:
                    await waiting
                self.assertEqual(raised.exception.code, Code.CANCELLED)

        self.run_in_loop(case)

    def test_tasks_that_share_a_reader_lose_nothing(self):
        async def case(client):
            async with client.aio.port_forward("web", 80, namespace=self.ns) as port:
                tasks = [asyncio.ensure_future(port.read(1)) for _ in range(2)]
                await asyncio.sleep(0)
                await port.write(b"abc")
                done, waiting = await asyncio.wait(tasks, return_when=asyncio.FIRST_COMPLETED)
                await port.write(b"def")
                seen = b"".join(await asyncio.gather(*tasks))
                while len(seen) < 6:
                    seen += await asyncio.wait_for(port.read(6 - len(seen)), 5)
                self.assertEqual(sorted(seen), sorted(b"abcdef"))

        self.run_in_loop(case)

    def test_a_line_that_comes_in_pieces_goes_to_one_task(self):
        async def case(client):
            async with client.aio.port_forward("web", 80, namespace=self.ns) as port:
                lines = [asyncio.ensure_future(port.readline()) for _ in range(2)]
                for piece in (b"on", b"e\ntw", b"o\n"):
                    await port.write(piece)
                    await asyncio.sleep(0.02)
                self.assertEqual(sorted(await asyncio.gather(*lines)), [b"one\n", b"two\n"])

        self.run_in_loop(case)

    def test_websocket_and_download(self):
        self.script("stream proxy $NS/web echo wait-bytes=3 close=1000")

        async def case(client):
            async with client.aio.websocket(f"/api/v1/namespaces/{self.ns}/pods/web/proxy") as socket:
                await socket.send("a")
                await socket.send(b"bc")
                self.assertEqual([message async for message in socket], ["a", b"bc"])
                self.assertEqual(socket.close_code, 1000)
            async with client.aio.download("/api/v1/namespaces/default/configmaps") as body:
                self.assertIn(b"ConfigMapList", await body.read())
                self.assertEqual(body.http_status, 200)

        self.run_in_loop(case)

    def test_the_end_is_known_before_all_is_read(self):
        self.script("stream exec $NS/web err=unread sleep=50ms cut")

        async def case(client):
            async with client.aio.exec("web", ["ls"], namespace=self.ns) as run:
                for call in (run.stdout.read(), run.wait()):
                    with self.assertRaises(ksr.Error) as raised:
                        await call
                    self.assertEqual(raised.exception.code, Code.LOST)

        self.run_in_loop(case)

    def test_an_exec_that_is_lost(self):
        self.script("stream exec $NS/web out=half cut")

        async def case(client):
            async with client.aio.exec("web", ["ls"], namespace=self.ns) as run:
                for call in (run.stdout.read(), run.wait()):
                    with self.assertRaises(ksr.Error) as raised:
                        await call
                    self.assertEqual(raised.exception.code, Code.LOST)

        self.run_in_loop(case)

    def test_what_waits_while_another_thread_closes_is_cancelled(self):
        self.script("create cm $NS/a", "stream exec $NS/web wait-eof exit=0")

        async def code_of(wait):
            try:
                return await wait
            except ksr.Error as error:
                return error.code

        async def case(client, closes_each):
            keys = {"namespace": self.ns}
            run, log = client.aio.exec("web", ["a"], stdin=True, **keys), client.aio.log("web", follow=True, tail=0, **keys)
            stream = client.stream("v1/configmaps", **keys)
            own = open_here(**keys)
            for one in (stream, own):
                await one.next(TEST_TIMEOUT)
            waits = (run.wait(), run.stdout.read(), log.readline(), stream.next(), stream.next(TEST_TIMEOUT), own.next())
            tasks = [asyncio.ensure_future(code_of(wait)) for wait in waits]
            await asyncio.sleep(0.05)

            def close():
                for one in (run, log, stream) if closes_each else (client,):
                    one.close()
                own.close()

            closer = threading.Thread(target=close)
            closer.start()
            self.assertEqual(await asyncio.wait_for(asyncio.gather(*tasks), TEST_TIMEOUT), [Code.CANCELLED] * 6)
            closer.join()
            for stream in (stream, own):
                with self.assertRaises(ksr.Error) as raised:
                    await stream.next()
                self.assertEqual(raised.exception.code, Code.INVALID)
                self.assert_code(Code.INVALID, stream.poll)

        for closes_each in (True, False) * 3:
            with self.subTest(closes_each=closes_each), self.client() as client:
                asyncio.run(case(client, closes_each))

    def test_a_blocking_wait_while_another_thread_closes_is_cancelled(self):
        with self.client() as client:
            for wait in (
                lambda stream: stream.wait_until(lambda view: False),
                lambda stream: stream.poll(None),
            ):
                stream = client.stream("v1/configmaps", namespace=self.ns)
                stream.poll(TEST_TIMEOUT)
                closer = threading.Timer(0.05, stream.close)
                closer.start()
                self.assert_code(Code.CANCELLED, wait, stream)
                closer.join()

    def test_a_loop_that_is_closed_with_its_tasks_keeps_no_descriptor(self):
        self.script("create cm $NS/a", "stream exec $NS/web wait-eof exit=0")
        keys = {"namespace": self.ns}

        def use(client, stream, run):
            async def main():
                waits = (stream.next(), run.stdout.read(), client.aio.get("v1/configmaps", "a", **keys))
                return [asyncio.ensure_future(wait) for wait in waits]

            loop = asyncio.new_event_loop()
            loop.set_exception_handler(lambda *_: None)  # a task was destroyed
            tasks = loop.run_until_complete(main())
            loop.run_until_complete(asyncio.sleep(0.01))
            del tasks
            loop.close()

        def descriptors():
            gc.collect()
            return len(os.listdir("/proc/self/fd"))

        with self.client() as client, client.stream("v1/configmaps", **keys) as stream:
            self.script("fault get /api/v1/namespaces/$NS/ mute")
            stream.poll(TEST_TIMEOUT)
            with contextlib.closing(client.aio.exec("web", ["a"], stdin=True, **keys)) as run:
                use(client, stream, run)
                before = descriptors()
                for _ in range(10):
                    use(client, stream, run)
                self.assertLess(descriptors(), before + 8)
                self.assertLessEqual(len(client._loops), 1)


class Anywhere(unittest.TestCase):
    def test_bad_input(self):
        with client_nowhere() as client:
            for what, call in {
                "no command": lambda: client.exec("web", [], namespace="default"),
                "an empty command": lambda: client.exec("web", [""], namespace="default"),
                "a terminal with stderr": lambda: client.exec("web", ["a"], tty=True, stderr=True, namespace="default"),
                "a size without a terminal": lambda: client.exec("web", ["a"], columns=80, rows=24, namespace="default"),
                "half a size": lambda: client.exec("web", ["a"], tty=True, columns=80, namespace="default"),
                "too large": lambda: client.exec("web", ["a"], tty=True, columns=65536, rows=1, namespace="default"),
                "nothing asked for": lambda: client.exec("web", ["a"], stdout=False, stderr=False, namespace="default"),
                "a container": lambda: client.exec("web", ["a"], container="Not/A/Name", namespace="default"),
                "stdin for a log": lambda: client.log("web", stdin=True, namespace="default"),
                "a negative tail": lambda: client.log("web", tail=-1, namespace="default"),
                "a log of no pod": lambda: client.log("", namespace="default"),
                "no namespace": lambda: client.log("web"),
                "port 0": lambda: client.port_forward("web", 0, namespace="default"),
                "port 65536": lambda: client.port_forward("web", 65536, namespace="default"),
                "port -1": lambda: client.port_forward("web", -1, namespace="default"),
                "no path": lambda: client.websocket(),
                "a subprotocol": lambda: client.websocket("/", subprotocol=["a b"]),
                "a key of requests": lambda: client.websocket("/", dry_run=True),
                "a key of logs": lambda: client.aio.websocket("/", follow=True),
                "a request": lambda: client.call(path="/", follow=True),
                "a body": lambda: client.websocket("/", body="x"),
            }.items():
                with self.subTest(what), self.assertRaises((ksr.Error, TypeError)) as raised:
                    call()
                code = getattr(raised.exception, "code", Code.INVALID)
                self.assertIn(code, (Code.INVALID, Code.UNKNOWN_KEY), what)
            for call in (
                lambda: client.exec("web", "ls"),
                lambda: client.exec("web", [b"ls"]),
                lambda: client.log("web", on_event=1),
            ):
                self.assertRaises(TypeError, call)
            self.assertRaises(ValueError, client.exec, "web", ["a\0b"])
            self.assertRaises(ValueError, client.exec, "web", ["\udcff"])  # no UTF-8
            self.assertEqual(client.stat("open_channels"), 0)
            log = client.log("web", namespace="default", resume=False)
            with self.assertRaises(ksr.Error) as raised:
                log.read()
            self.assertEqual(raised.exception.code, Code.TRANSPORT)
            with self.assertRaises(ksr.Error) as raised:
                log.stat("colour")
            self.assertEqual(raised.exception.code, Code.UNKNOWN_KEY)
            self.assertEqual(log.read(0), b"")
            run = client.exec("web", ["a"], namespace="default")
            self.assertIsNone(run.stdin)  # it was not asked for
            run.close()
        with self.assertRaises(ksr.Error) as raised:
            client.log("web", namespace="default")
        self.assertEqual(raised.exception.code, Code.INVALID)

    def test_what_always_has_bytes_does_not_starve_the_loop(self):
        def endless(_part, _size, into):
            def call(_timeout_ms):
                nonlocal left
                left -= 1
                into.append(b"x" * 100 if left > 0 else b"")
                return 0

            return call

        async def tick():
            nonlocal ticks
            while True:
                ticks += 1
                await asyncio.sleep(0)

        async def chunks(body):
            return b"".join([chunk async for chunk in aiter_of(body.read, 100)])

        async def aiter_of(read, size):
            while True:
                piece = await read(size)
                if not piece:
                    return
                yield piece

        async def main():
            nonlocal left, ticks
            ticking = asyncio.ensure_future(tick())
            with client_nowhere() as client:
                for read in (lambda body: body.read(), lambda body: body.readline(), chunks):
                    async with client.aio.download("/") as body:
                        body._reading = endless
                        left, ticks = 500, 0
                        self.assertEqual(len(await read(body)), 49900)
                        self.assertGreaterEqual(ticks, 400)
                        left = 10**9
                        reading = asyncio.ensure_future(read(body))
                        await asyncio.sleep(0.02)
                        reading.cancel()
                        with self.assertRaises(asyncio.CancelledError):
                            await reading
            ticking.cancel()

        left = ticks = 0
        asyncio.run(main())

    def test_configuration_names_every_statistic(self):
        page = pathlib.Path(__file__).parents[3] / "CONFIGURATION.md"
        if not page.exists():
            self.skipTest("no CONFIGURATION.md")
        section = page.read_text(encoding="utf-8").split("`ksr_channel_stat` knows:")[1].split("\n## ")[0]
        with client_nowhere() as client, client.log("web", namespace="default") as log:
            for name in re.findall(r"^\| `([a-z_]+)`", section, re.MULTILINE):
                log.stat(name)


@needs_server
class Values(OnServer):
    def test_values_of_an_object(self):
        self.script('create cm $NS/a {"data":{"s":"gr\\u00fc\\u0000\\u00dfe","long":"' + "x" * 500 + '"},'
                    '"n":3,"f":1.5,"yes":true,"t":"2026-01-02T03:04:05.678Z","l":[1,2],'
                    '"early":"0000-01-01T00:00:00Z","late":"9999-12-31T23:59:59-01:00"}')
        with self.client() as client:
            found = client.get("v1/configmaps", "a", namespace=self.ns).object
        self.assertEqual(found.get_str("/data/s"), "gr\xfc\0\xdfe")
        self.assertEqual(found.get_str("/data/long"), "x" * 500)
        self.assertEqual((found.get_int("/n"), found.get_int("/f"), found.get_int("/data/s")), (3, None, None))
        self.assertEqual((found.get_float("/n"), found.get_float("/f"), found.get_float("/yes")), (3.0, 1.5, None))
        self.assertEqual((found.get_bool("/yes"), found.get_bool("/n")), (True, None))
        self.assertEqual(found.get_time("/t"), datetime(2026, 1, 2, 3, 4, 5, 678000, timezone.utc))
        self.assertIsNone(found.get_time("/data/s"))
        for pointer in ("/early", "/late"):
            self.assertIsNone(found.get_time(pointer))
        for field in (-1, 2**32 + ksr.Field.NAME, 2**64 + ksr.Field.NAME):
            self.assertEqual(found.field(field), "")
        self.assertEqual((found.size_of("/l"), found.size_of("/data"), found.size_of("/n")), (2, 2, None))
        self.assertEqual((found.keys_of("/data"), found.keys_of("/l")), (["s", "long"], []))
        self.assertRaises(ValueError, found.get_str, "/a\0")
        self.assertRaises(TypeError, found.get_int, None)


if __name__ == "__main__":
    unittest.main()
