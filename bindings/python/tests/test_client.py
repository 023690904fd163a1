"""Clients and requests: on the test server, and where there is none."""

import asyncio
import contextlib
import copy
import gc
import json
import os
import pickle
import sys
import threading
import time
import unittest
import warnings
from ctypes import byref, c_void_p
from datetime import timedelta
from unittest import mock

import ksr
from ksr import Code

from .support import CA, NOWHERE, SERVER, TEST_TIMEOUT, TOKEN, in_child, needs_server, next_where, script

MAPS = "v1/configmaps"


def client_here(**keys):
    return ksr.Client(server=SERVER, ca_file=CA, token=TOKEN, **keys)


def client_nowhere(**keys):
    return ksr.Client(server=NOWHERE, **keys)


def wait_until(holds, what):
    end = time.monotonic() + TEST_TIMEOUT
    while not holds():
        if time.monotonic() > end:
            raise AssertionError(f"waited in vain for {what}")
        time.sleep(0.001)


async def await_until(holds, what):
    end = time.monotonic() + TEST_TIMEOUT
    while not holds():
        if time.monotonic() > end:
            raise AssertionError(f"waited in vain for {what}")
        await asyncio.sleep(0.001)


class Blocking:
    """The same cases for a client that blocks, and in an event loop."""

    def run_case(self, case, **keys):
        with client_here(**keys) as client:
            case(client, lambda how, *arguments, **more: getattr(client, how)(*arguments, **more))
            self.assertEqual(client.stat("open_requests"), 0)


class InLoop:
    def run_case(self, case, **keys):
        async def main():
            async with client_here(**keys) as client:
                loop = asyncio.get_running_loop()

                def send(how, *arguments, **more):
                    sent = getattr(client.aio, how)(*arguments, **more)
                    return asyncio.run_coroutine_threadsafe(sent, loop).result(TEST_TIMEOUT)

                await loop.run_in_executor(None, case, client, send)
                self.assertEqual(client.stat("open_requests"), 0)
                self.assertFalse(client._loops)

        asyncio.run(main())


class Verbs:
    def setUp(self):
        # A name of at most 63 characters.
        self.ns = f"{type(self).__name__}-{self._testMethodName[5:]}".lower().replace("_", "-")[:50] + f"-{os.getpid()}"

    def path(self, name=""):
        return f"/api/v1/namespaces/{self.ns}/configmaps/{name}"

    def error_of(self, *arguments, **more):
        send, *arguments = arguments
        with self.assertRaises(ksr.Error) as raised:
            send(*arguments, **more)
        return raised.exception

    def test_a_life(self):
        self.run_case(self.a_life)

    def a_life(self, client, send):
        # Of the names of a real kube-apiserver as well.
        ns, name = "default", self.ns
        created = send("create", MAPS, {"metadata": {"name": name}, "data": {"k": "1"}}, namespace=ns)
        self.assertEqual(created.http_status, 201)
        self.assertTrue(created.header("content-TYPE").startswith("application/json"))
        self.assertEqual((created.header("x-none"), created.header("x-none", "no")), (None, "no"))
        self.assertEqual((created.warnings, created.json()["data"]), ([], {"k": "1"}))
        self.assertEqual((created.object.name, created.object.kind), (name, "ConfigMap"))
        conflict = self.error_of(send, "create", MAPS, json.dumps({"metadata": {"name": name}}), namespace=ns)
        self.assertEqual((conflict.code, conflict.http_status), (Code.CONFLICT, 409))
        self.assertEqual((conflict.reason, conflict.maybe_done, conflict.fatal), ("AlreadyExists", False, True))
        self.assertEqual((conflict.status["code"], conflict.status["details"]["name"]), (409, name))
        self.assertEqual(json.loads(conflict.details), conflict.status)
        for patch in (b'{"data":{"k":"2"}}', {"data": {"j": "3"}}):
            send("patch", MAPS, name, patch, namespace=ns)
        body = {"apiVersion": "v1", "kind": "ConfigMap", "metadata": {"name": name}, "data": {"applied": "4"}}
        send("apply", MAPS, name, body, namespace=ns, field_manager="python-test", force=True)
        got = send("get", MAPS, name, namespace=ns)
        self.assertEqual(got.json()["data"], {"k": "2", "j": "3", "applied": "4"})
        replaced = send("update", MAPS, name, {"metadata": {"name": name}, "data": {}}, namespace=ns)
        self.assertNotIn("k", replaced.json().get("data", {}))
        listed = send("list", MAPS, namespace=ns, field_selector=f"metadata.name={name}")
        self.assertEqual([item["metadata"]["name"] for item in listed.json()["items"]], [name])
        path = f"/api/v1/namespaces/default/configmaps/{name}"
        raw = send("call", method="GET", path=path, query={"pretty": "false", "x": ["1", "2"]})
        self.assertEqual(raw.object.name, name)
        send("delete", MAPS, name, namespace=ns, propagation="Background", grace_period=timedelta(seconds=0))
        gone = self.error_of(send, "get", MAPS, name, namespace=ns)
        self.assertEqual((gone.code, gone.http_status, gone.reason), (Code.NOT_FOUND, 404, "NotFound"))
        self.assertEqual(gone.status["details"]["name"], name)
        self.assertEqual(got.object.get("/data/k"), "2")

    def test_large_bodies_warnings_and_texts(self):
        warned = f'fault get {self.path("warned")} answer 200 body={{}} header="Warning: 299 - \\"old, very old\\""'
        script(f"{warned}\nfault get {self.path('text')} answer 200 type=text/plain body=[1]")
        odd = 'header="X-Odd: a\udcffb" header="Warning: 299 - \\"c\udcffd\\""'
        script(f"fault get {self.path('odd')} answer 200 body={{}} {odd}")
        self.run_case(self.large_bodies_warnings_and_texts)

    def large_bodies_warnings_and_texts(self, client, send):
        size = 3 << 20
        body = {"metadata": {"name": "large"}, "data": {"k": "x" * size}}
        send("create", MAPS, body, namespace=self.ns)
        got = send("get", MAPS, "large", namespace=self.ns)
        view = got.body
        self.assertTrue(view.readonly and len(view) > size and len(got) == len(view) == len(bytes(got)))
        del got
        gc.collect()
        self.assertEqual(len(json.loads(bytes(view))["data"]["k"]), size)
        large = self.error_of(send, "get", MAPS, "large", namespace=self.ns, max_body="1Mi")
        self.assertEqual(large.code, Code.TOO_LARGE)
        self.assertEqual(send("get", MAPS, "warned", namespace=self.ns).warnings, ["old, very old"])
        odd = send("get", MAPS, "odd", namespace=self.ns)
        self.assertEqual((odd.header("x-odd"), odd.warnings), ("a\ufffdb", ["c\ufffdd"]))
        text = send("get", MAPS, "text", namespace=self.ns)
        self.assertEqual((text.text, text.json(), text.object, bool(text)), ("[1]", [1], None, True))

    def test_what_may_have_been_done(self):
        script(f"fault any {self.path()[:-1]} cut bytes=0 times=forever")
        self.run_case(self.what_may_have_been_done)

    def what_may_have_been_done(self, client, send):
        cut = self.error_of(send, "create", MAPS, {"metadata": {"name": "a"}}, namespace=self.ns)
        self.assertEqual((cut.code, cut.maybe_done, cut.details, cut.status), (Code.TRANSPORT, True, "", None))
        cut = self.error_of(send, "get", MAPS, "a", namespace=self.ns, retries="never")
        self.assertEqual((cut.code, cut.maybe_done), (Code.TRANSPORT, False))

    def test_the_time_limit(self):
        script(f"fault any {self.path()[:-1]} stall bytes=0 times=forever")
        self.run_case(self.the_time_limit)

    def the_time_limit(self, client, send):
        for limit in (0.05, timedelta(milliseconds=50), "50ms", 0.5):
            late = self.error_of(send, "get", MAPS, "a", namespace=self.ns, timeout=limit)
            self.assertEqual((late.code, late.http_status, late.maybe_done), (Code.TIMEOUT, 408, False))

    def test_what_is_refused_is_not_sent(self):
        self.run_case(self.what_is_refused_is_not_sent)

    def what_is_refused_is_not_sent(self, client, send):
        for keys, named in (
            ({}, "resource"),
            ({"path": "/", "colour": "blue"}, "colour"),
            ({"verb": "create", "resource": MAPS, "namespace": "a"}, "body"),
            ({"path": "/", "headers": {"Authorization": "Bearer a"}}, "header.Authorization"),
            ({"path": "/", "timeout": "soon"}, "timeout"),
        ):
            refused = self.error_of(send, "call", **keys)
            self.assertIn(refused.code, (Code.INVALID, Code.UNKNOWN_KEY))
            self.assertIn(named, str(refused))
        for keys, kind in (
            ({"path": "/\0"}, ValueError),
            ({"path": 1.5}, TypeError),
            ({"path": "/", "body": object()}, TypeError),
            ({"path": "/", "headers": {"a": 1}}, TypeError),
        ):
            with self.assertRaises(kind):
                send("call", **keys)
        self.assertEqual(client.stat("requests"), 0)

    def test_closed_with_requests_under_way(self):
        script(f"fault any {self.path()[:-1]} stall bytes=0 times=forever")
        self.run_closed()


@needs_server
class BlockingVerbs(Verbs, Blocking, unittest.TestCase):
    def run_closed(self):
        client, errors = client_here(), []

        def create():
            errors.append(self.error_of(client.create, MAPS, {"metadata": {"name": "a"}}, namespace=self.ns))

        threads = [threading.Thread(target=create) for _ in range(10)]
        for thread in threads:
            thread.start()
        size = len(json.dumps({"metadata": {"name": "a"}}))
        wait_until(lambda: client.stat("bytes_sent") == 10 * size, "all to be sent")
        closers = [threading.Thread(target=client.close) for _ in range(3)]
        for thread in closers + threads:
            if thread in closers:
                thread.start()
        for thread in closers + threads:
            thread.join(TEST_TIMEOUT)
        self.assertEqual([(error.code, error.maybe_done) for error in errors], [(Code.CANCELLED, True)] * 10)

    def test_many_at_once(self):
        script(f"create configmap {self.ns}/a")
        with client_here() as client:
            names = []
            threads = [
                threading.Thread(target=lambda: names.append(client.get(MAPS, "a", namespace=self.ns).object.name))
                for _ in range(50)
            ]
            for thread in threads:
                thread.start()
            for thread in threads:
                thread.join(TEST_TIMEOUT)
            self.assertEqual(names, ["a"] * 50)
            self.assertEqual((client.stat("requests"), client.stat("open_requests")), (50, 0))

    def test_interrupted(self):
        """As by Ctrl-C: what a signal's handler raises comes out of the call, and the request is cancelled."""
        script(f"fault any {self.path()[:-1]} stall bytes=0 times=forever")
        import signal

        def stop(number, frame):
            raise KeyboardInterrupt

        before = signal.signal(signal.SIGUSR1, stop)
        try:
            with client_here() as client:
                main = threading.main_thread().ident

                def interrupt():
                    wait_until(lambda: client.stat("open_requests") == 1, "the request")
                    signal.pthread_kill(main, signal.SIGUSR1)

                thread = threading.Thread(target=interrupt)
                thread.start()
                with self.assertRaises(KeyboardInterrupt):
                    client.get(MAPS, "a", namespace=self.ns)
                thread.join(TEST_TIMEOUT)
                self.assertEqual(client.stat("open_requests"), 0)
        finally:
            signal.signal(signal.SIGUSR1, before)


@needs_server
class VerbsInLoop(Verbs, InLoop, unittest.TestCase):
    def run_closed(self):
        async def main():
            client = client_here()
            tasks = [
                asyncio.ensure_future(client.aio.create(MAPS, {"metadata": {"name": "a"}}, namespace=self.ns))
                for _ in range(10)
            ]
            size = len(json.dumps({"metadata": {"name": "a"}}))
            await await_until(lambda: client.stat("bytes_sent") == 10 * size, "all to be sent")
            client.close()
            errors = await asyncio.gather(*tasks, return_exceptions=True)
            self.assertEqual([(error.code, error.maybe_done) for error in errors], [(Code.CANCELLED, True)] * 10)
            with self.assertRaises(ksr.Error) as raised:
                await client.acall(path="/")
            self.assertEqual(raised.exception.code, Code.INVALID)

        asyncio.run(main())

    def test_many_at_once(self):
        script(f"create configmap {self.ns}/a")

        async def main():
            async with client_here() as client:
                calls = [client.aio.get(MAPS, "a", namespace=self.ns) for _ in range(50)]
                names = [response.object.name for response in await asyncio.gather(*calls)]
                self.assertEqual(names, ["a"] * 50)
                self.assertEqual((client.stat("requests"), client.stat("open_requests")), (50, 0))
                self.assertEqual((await client.acall(path=self.path("a"))).object.name, "a")

        asyncio.run(main())

    def test_cancelled(self):
        script(f"fault any {self.path()[:-1]} stall bytes=0 times=forever")

        async def main():
            async with client_here() as client:
                task = asyncio.ensure_future(client.aio.get(MAPS, "a", namespace=self.ns))
                await await_until(lambda: client.stat("open_requests") == 1, "the request")
                task.cancel()
                with self.assertRaises(asyncio.CancelledError):
                    await task
                self.assertEqual((client.stat("open_requests"), client._loops), (0, {}))
                with self.assertRaises(asyncio.TimeoutError):
                    await asyncio.wait_for(client.aio.get(MAPS, "a", namespace=self.ns), 0.05)
                self.assertEqual(client.stat("open_requests"), 0)
                # Both kinds at once, over one client.
                with self.assertRaises(ksr.Error) as raised:
                    client.get(MAPS, "a", namespace=self.ns, timeout=0.05)
                self.assertEqual(raised.exception.code, Code.TIMEOUT)

        asyncio.run(main())

    def test_closed_while_it_is_opened(self):
        script(f"fault any {self.path()[:-1]} stall bytes=0 times=forever")

        async def main():
            client = client_here()
            closing = threading.Thread(target=client.close)
            open_it = client._lib.ksr_request_open

            def open_slowly(of, params, user_data, destroy, request, error):
                opened = c_void_p()
                status = open_it(of, params, user_data, destroy, byref(opened), error)
                closing.start()
                closing.join(0.5)
                request._obj.value = opened.value
                return status

            client._lib = mock.Mock(wraps=client._lib, ksr_request_open=open_slowly)
            with self.assertRaises(ksr.Error) as raised:
                await client.aio.create(MAPS, {"metadata": {"name": "a"}}, namespace=self.ns)
            self.assertEqual(raised.exception.code, Code.CANCELLED)
            closing.join(TEST_TIMEOUT)
            self.assertTrue(client.closed)

        asyncio.run(main())

    def test_two_loops(self):
        script(f"create configmap {self.ns}/a")
        names = []
        with client_here() as client:

            async def ask():
                for _ in range(20):
                    names.append((await client.aio.get(MAPS, "a", namespace=self.ns)).object.name)

            threads = [threading.Thread(target=lambda: asyncio.run(ask())) for _ in range(3)]
            for thread in threads:
                thread.start()
            for thread in threads:
                thread.join(TEST_TIMEOUT)
            self.assertEqual(names, ["a"] * 60)


@needs_server
class Memory(unittest.TestCase):
    def resident(self):
        gc.collect()
        with open("/proc/self/statm", encoding="ascii") as statm:
            return int(statm.read().split()[1]) * os.sysconf("SC_PAGE_SIZE")

    def test_what_is_taken_is_given_back(self):
        size, rounds = 100 * 1024, 120
        ns = f"memory-of-requests-{os.getpid()}"
        script("# nothing")

        def use_all(client):
            got = client.get(MAPS, "a", namespace=ns)
            self.assertEqual(len(got.object.get("/data/k")), size)
            client.update(MAPS, "a", got.object, namespace=ns)
            with self.assertRaises(ksr.Error):
                client.get(MAPS, "none", namespace=ns)

        async def use_in_loop(client):
            got = await client.aio.get(MAPS, "a", namespace=ns)
            self.assertGreater(len(got.body), size)
            task = asyncio.ensure_future(client.aio.get(MAPS, "a", namespace=ns))
            await asyncio.sleep(0)
            task.cancel()
            await asyncio.wait([task])

        async def main(client, count):
            for _ in range(count):
                await use_in_loop(client)

        with client_here() as client:
            client.create(MAPS, {"metadata": {"name": "a"}, "data": {"k": "x" * size}}, namespace=ns)
            for use in (
                lambda count: [use_all(client) for _ in range(count)],
                lambda count: asyncio.run(main(client, count)),
            ):
                use(50)
                before = self.resident()
                use(rounds)
                # One response, object or body left in each round would add up to 12 MB.
                self.assertLess(self.resident() - before, size * rounds // 4)
            self.assertEqual(client.stat("open_requests"), 0)
        self.assertFalse(sys.modules["ksr.client"]._registered)


@needs_server
class Streams(unittest.TestCase):
    def setUp(self):
        self.ns = f"client-{self._testMethodName[5:]}".replace("_", "-") + f"-{os.getpid()}"
        script(f"create configmap {self.ns}/a")

    def names(self, snapshot):
        return [one.name for one in snapshot]

    def test_with_requests(self):
        with client_here() as client:
            errors = []

            def on_state(stream, state):
                if state == ksr.State.CLOSED:
                    return
                try:
                    # A request inside a callback; what would wait for this callback is refused or put off.
                    client.get(MAPS, "a", namespace=self.ns)
                    for one in (stream, other):
                        with self.assertRaises(ksr.Error) as raised:
                            one.poll(None)
                        self.assertEqual(raised.exception.code, Code.WOULD_DEADLOCK)
                except BaseException as error:
                    errors.append(error)

            other = client.stream(MAPS, namespace=self.ns)
            with client.stream(MAPS, namespace=self.ns, on_state=on_state) as stream:
                for snapshot in stream:
                    if self.names(snapshot) == ["a"]:
                        client.create(MAPS, {"metadata": {"name": "b"}}, namespace=self.ns)
                    else:
                        break
                self.assertEqual(client.stat("open_streams"), 2)
            self.assertEqual(self.names(next_where(other, lambda one: len(one) == 2)), ["a", "b"])
            self.assertEqual(errors, [])
            with self.assertRaises(TypeError):
                client.stream(ksr.Config(MAPS), namespace=self.ns)
            for keys in ({"server": SERVER}, {"token": "a"}):
                with self.assertRaises(ksr.Error) as raised:
                    client.stream(MAPS, **keys)
                self.assertEqual(raised.exception.code, Code.INVALID)
            # One Config for streams of all kinds.
            config = ksr.Config(MAPS, namespace=self.ns)
            with client.stream(config) as first, client.stream(config) as second:
                self.assertEqual(len(first.wait_synced(TEST_TIMEOUT)), len(second.wait_synced(TEST_TIMEOUT)))
        self.assertTrue(other.closed)
        with self.assertRaises(ksr.Error) as raised:
            client.stream(MAPS)
        self.assertEqual(raised.exception.code, Code.INVALID)

    def test_on_many_threads(self):
        """A wait for one makes the callbacks of all: none may miss what another has dispatched for it."""
        with client_here() as client:
            seen = []

            def follow(stream):
                names = []
                for snapshot in stream:
                    names += [pod.name for _, pod in snapshot.deltas()]
                    if "last" in names:
                        break
                seen.append(names)

            streams = [client.stream(MAPS, namespace=self.ns) for _ in range(12)]
            threads = [threading.Thread(target=follow, args=(stream,)) for stream in streams]
            for thread in threads:
                thread.start()
            for name in [f"m{number}" for number in range(20)] + ["last"]:
                script(f"create configmap {self.ns}/{name}")
                client.get(MAPS, name, namespace=self.ns)
            for thread in threads:
                thread.join(TEST_TIMEOUT)
            self.assertEqual(len(seen), 12)
            for names in seen:
                self.assertEqual(sorted(names), sorted(["a", "last", *[f"m{number}" for number in range(20)]]))
            # Closing wakes all that wait.
            threads = [threading.Thread(target=lambda one=one: list(one)) for one in streams]
            for thread in threads:
                thread.start()
            client.close()
            for thread in threads:
                thread.join(TEST_TIMEOUT)
                self.assertFalse(thread.is_alive())

    def told(self, snapshot):
        def team(item):
            return item and item.get("/metadata/labels/team", "")

        changes = [(kind.name, one.name, team(one), team(before), left) for kind, one, before, left in snapshot.changes()]
        self.assertEqual([(kind.name, item.name) for kind, item in snapshot.deltas()], [one[:2] for one in changes])
        return changes

    def delivered(self, polled, *lines):
        """Makes changes, each of which is delivered by itself to all streams of the client."""
        for line in lines:
            script(line.replace("NS", self.ns))
            next_where(polled, lambda one: True)
            polled.poll(0.05)  # of the other streams

    def test_changes_are_merged_for_who_is_not_polled(self):
        script("\n".join(f"create configmap {self.ns}/{name}" for name in "bcd"))
        with client_here() as client:
            polled, other, late = (client.stream(MAPS, namespace=self.ns) for _ in range(3))
            whole = [("ADDED", name, "", None, False) for name in "abcd"]
            for stream in (polled, other):
                self.assertEqual(self.told(next_where(stream, lambda one: True)), whole)
            lines = ["update configmap NS/a team=red", "update configmap NS/a team=blue", "create configmap NS/e"]
            lines += ["update configmap NS/e team=red", "create configmap NS/f", "delete configmap NS/f"]
            lines += ["update configmap NS/b team=red", "delete configmap NS/b", "delete configmap NS/c"]
            self.delivered(polled, *lines, "create configmap NS/c team=green")
            snapshot = other.poll(TEST_TIMEOUT)
            changes = [("DELETED", "b", "red", "", False), ("DELETED", "c", "", "", False)]
            changes += [("MODIFIED", "a", "blue", "", False), ("ADDED", "c", "green", None, False)]
            self.assertEqual(self.told(snapshot), changes + [("ADDED", "e", "red", None, False)])
            self.assertEqual(self.names(snapshot), ["a", "c", "d", "e"])
            whole = [("ADDED", name, team, None, False) for name, team in zip("acde", ("blue", "green", "", "red"))]
            self.assertEqual(self.told(late.poll(TEST_TIMEOUT)), whole)
            self.delivered(polled, "delete configmap NS/d")
            for stream in (other, late):
                self.assertEqual(self.told(stream.poll(TEST_TIMEOUT)), [("DELETED", "d", "", "", False)])

    def test_who_comes_back_into_a_limit(self):
        newest = '{"metadata":{"creationTimestamp":"2199-01-01T00:00:00Z"}}'
        with client_here() as client:
            polled, other = (client.stream(MAPS, namespace=self.ns, limit=1) for _ in range(2))
            for stream in (polled, other):
                self.assertEqual(self.told(next_where(stream, lambda one: True)), [("ADDED", "a", "", None, False)])
            self.delivered(polled, f"create configmap NS/z {newest}", "delete configmap NS/z")
            self.assertIsNone(other.poll(0.2))
            self.delivered(polled, f"create configmap NS/z {newest}")
            script(f"update configmap {self.ns}/a team=red")
            self.delivered(polled, "delete configmap NS/z")
            self.assertEqual(self.told(other.poll(TEST_TIMEOUT)), [("MODIFIED", "a", "red", "", False)])
            self.delivered(polled, f"create configmap NS/z {newest}")
            self.assertEqual(self.told(other.poll(TEST_TIMEOUT))[0], ("DELETED", "a", "red", "red", True))

    def test_another_text_of_the_same_version(self):
        """As after an etcd was restored from a backup, or with another default of a custom resource."""
        place = f"/api/v1/namespaces/{self.ns}/configmaps"
        with client_here() as client:
            before = client.get(MAPS, "a", namespace=self.ns).object
            after = bytes(before.json).decode().replace("{", '{"data":{"v":"2"},', 1)
            meta = f'{{"resourceVersion":"{int(before.resource_version) + 1000}"}}'
            body = f'{{"kind":"ConfigMapList","apiVersion":"v1","metadata":{meta},"items":[{after}]}}'
            script(f"fault list {place} answer 200 skip=1 type=application/json body={body}")
            script(f"fault watch {place} error-event 410 event=2")
            polled, other = (client.stream(MAPS, namespace=self.ns, limit=1) for _ in range(2))
            for stream in (polled, other):
                next_where(stream, lambda one: True)
            newest, oldest = (f'{{"metadata":{{"creationTimestamp":"{year}-01-01T00:00:00Z"}}}}' for year in (2199, 1999))
            self.delivered(polled, f"create configmap NS/z {newest}", f"create configmap NS/y {oldest}")
            changes = [(kind.name, one.name, one.get("/data/v")) for kind, one, _, _ in other.poll(TEST_TIMEOUT).changes()]
            self.assertEqual(changes, [("MODIFIED", "a", "2")])

    def test_another_place_is_a_change(self):
        script(f"create configmap {self.ns}/b")
        times = (f"{year}-01-01T00:00:00Z" for year in range(2100, 2200))
        for keys in ({"columns": ["/data/v"], "notify": "columns"}, {"keep_fields": ["/data/v"]}):
            with self.subTest(**keys), client_here() as client:
                polled, other = (client.stream(MAPS, namespace=self.ns, limit=2, **keys) for _ in range(2))
                for stream in (polled, other):
                    next_where(stream, lambda one: True)
                for name in "aba":
                    self.delivered(polled, *(f'update configmap NS/{name} {{"lastTimestamp":"{next(times)}"}}' for _ in "12"))
                    snapshot = other.poll(TEST_TIMEOUT)
                    self.assertEqual(self.told(snapshot), [("MODIFIED", name, "", "", False)])
                    self.assertEqual(snapshot[0].name, name)

    def test_what_has_changed_back_is_no_change(self):
        place = "/data/v"
        script(f'create configmap {self.ns}/b {{"data":{{"v":"1"}}}}')
        for keys in ({"columns": [place], "notify": "columns"}, {"keep_fields": [place]}, {}):
            with self.subTest(**keys), client_here() as client:
                polled, other, late = (client.stream(MAPS, namespace=self.ns, **keys) for _ in range(3))
                for stream in (polled, other):
                    next_where(stream, lambda one: True)

                def change(*values):
                    self.delivered(polled, *(f'update configmap NS/b {{"data":{{"v":"{value}"}}}}' for value in values))

                def told(stream):
                    snapshot = stream.poll(TEST_TIMEOUT)
                    return [(kind.name, one.get(place), before and before.get(place))
                            for kind, one, before, _ in snapshot.changes()]

                change(2, 1)
                if keys:
                    self.assertIsNone(other.poll(0.2))
                else:
                    self.assertEqual(told(other), [("MODIFIED", "1", "1")])
                change(2, 1, 3)
                self.assertEqual(told(other), [("MODIFIED", "3", "1")])
                change(1)
                self.assertEqual(told(other), [("MODIFIED", "1", "3")])
                # The first one comes, whatever has become of it.
                self.delivered(polled, "create configmap NS/c", "delete configmap NS/c")
                self.assertEqual([change[:2] for change in told(late)], [("ADDED", None), ("ADDED", "1")])
                self.assertIsNone(late.poll(0.2))

    def test_the_object_of_a_change_is_the_one_that_is_shown(self):
        script(f"create configmap {self.ns}/b")
        for keys in ({"columns": ["/data/v"], "notify": "columns"}, {"keep_fields": ["/data/v"]}):
            with self.subTest(**keys), client_here() as client:
                polled, other = (client.stream(MAPS, namespace=self.ns, **keys) for _ in range(2))
                for stream in (polled, other):
                    next_where(stream, lambda one: True)
                value = f'{{"data":{{"v":"{next(iter(keys))}"}}}}'
                self.delivered(polled, f"update configmap NS/a {value}")
                # Which is no change.
                script(f"update configmap {self.ns}/a team={next(iter(keys))}")
                self.delivered(polled, f"update configmap NS/b {value}")
                snapshot = other.poll(TEST_TIMEOUT)
                self.assertEqual(
                    [change.object.resource_version for change in snapshot.changes()],
                    [item.resource_version for item in snapshot],
                )

    def test_other_values_that_read_the_same_are_a_change(self):
        script(f'update configmap {self.ns}/a {{"data":{{"v":"x,y"}}}}')
        with client_here() as client:
            keys = {"columns": ["/data/*"], "index": "0", "notify": "columns"}
            polled, other = (client.stream(MAPS, namespace=self.ns, **keys) for _ in range(2))
            for stream in (polled, other):
                next_where(stream, lambda one: True)
            values = ('{"data":{"v":"x","w":"z"}}', '{"data":{"v":"x","w":"y"}}')
            self.delivered(polled, *(f"update configmap NS/a {value}" for value in values))
            snapshot = other.poll(TEST_TIMEOUT)
            self.assertEqual([(kind.name, item.column(0)) for kind, item in snapshot.deltas()], [("MODIFIED", "x,y")])
            self.assertEqual([item.name for item in snapshot.by_index(0, "y")], ["a"])

    def test_in_a_loop(self):
        async def follow(stream, seen):
            async for snapshot in stream:
                seen += [pod.name for _, pod in snapshot.deltas()]
                if "last" in seen:
                    return seen

        async def main():
            async with client_here() as client:
                streams = [client.stream(MAPS, namespace=self.ns) for _ in range(12)]
                tasks = [asyncio.ensure_future(follow(stream, [])) for stream in streams]
                for name in ("b", "c", "last"):
                    await client.aio.create(MAPS, {"metadata": {"name": name}}, namespace=self.ns)
                for names in await asyncio.gather(*tasks):
                    self.assertEqual(sorted(names), ["a", "b", "c", "last"])
                waiting = [asyncio.ensure_future(follow(stream, [])) for stream in streams]
                await asyncio.sleep(0)
                client.close()
                await asyncio.wait_for(asyncio.gather(*waiting), TEST_TIMEOUT)

        asyncio.run(main())

    def test_closed_in_a_callback(self):
        client = client_here()
        other = client.stream(MAPS, namespace=self.ns)
        next_where(other, lambda one: len(one) == 1)
        waiter = threading.Thread(target=lambda: list(other))
        waiter.start()
        stream = client.stream(MAPS, namespace=self.ns, on_state=lambda stream, state: client.close())
        with contextlib.suppress(ksr.Error):  # the other thread may have been the first
            list(stream)
        waiter.join(TEST_TIMEOUT)
        self.assertFalse(waiter.is_alive())
        self.assertTrue(client.closed and stream.closed and other.closed)

    def test_collected(self):
        stream = client_here().stream(MAPS, namespace=self.ns)
        gc.collect()
        self.assertEqual(self.names(next_where(stream, len)), ["a"])
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            del stream
            gc.collect()
        registered = sys.modules["ksr.client"]._registered
        wait_until(lambda: not registered, "the end of both")


class WithoutServer(unittest.TestCase):
    def test_an_unreachable_server(self):
        with client_nowhere() as client, self.assertRaises(ksr.Error) as raised:
            client.call(path="/", retries="never")
        self.assertEqual((raised.exception.code, raised.exception.http_status), (Code.TRANSPORT, 502))

    def test_limits_beyond_the_largest(self):
        largest = (timedelta.max, 1e300, sys.float_info.max, 1 << 80, float("inf"))
        with client_nowhere() as client:
            for limit in largest:
                with self.subTest(limit=limit), self.assertRaises(ksr.Error) as raised:
                    client.delete(MAPS, "a", namespace="a", retries="never", timeout=limit, grace_period=limit)
                self.assertEqual(raised.exception.code, Code.TRANSPORT)
            for limit in largest[1:]:
                stream = client.stream(MAPS, initial_timeout=timedelta.max, reconnect=False)
                with self.subTest(limit=limit), stream, self.assertRaises(ksr.Error) as raised:
                    stream.poll(limit)
                self.assertEqual(raised.exception.code, Code.TRANSPORT)
                body = client.download("/a")
                body.timeout = limit
                with self.subTest(limit=limit), body, self.assertRaises(ksr.Error) as raised:
                    body.read()
                self.assertEqual(raised.exception.code, Code.TRANSPORT)

    def test_after_close(self):
        client = client_nowhere()
        self.assertEqual((client.closed, repr(client)), (False, "<ksr.Client open>"))
        client.close()
        client.close()
        self.assertTrue(client.closed)
        for use in (lambda: client.call(path="/"), lambda: client.stat("requests"), client.cancel):
            with self.assertRaises(ksr.Error) as raised:
                use()
            self.assertEqual(raised.exception.code, Code.INVALID)

    def test_after_cancel(self):
        with client_nowhere() as client:
            client.cancel()
            with self.assertRaises(ksr.Error) as raised:
                client.call(path="/")
            self.assertEqual(raised.exception.code, Code.CANCELLED)

    def test_wrong_arguments(self):
        for arguments, keys in (((1,), {}), ((ksr.Config(),), {"server": NOWHERE}), ((), {"on_log": 1})):
            with self.assertRaises(TypeError):
                ksr.Client(*arguments, **keys)
        for keys in ({"colour": "blue"}, {"server": NOWHERE, "ca_file": "/nonexistent"}):
            with self.assertRaises(ksr.Error):
                ksr.Client(**keys)
        with ksr.Client(ksr.Config(server=NOWHERE)) as client, self.assertRaises(ksr.Error) as raised:
            client.stat("colour")
        self.assertEqual(raised.exception.code, Code.UNKNOWN_KEY)

    def test_log(self):
        lines = []

        def on_log(client, level, line):
            lines.append((client, level, line))
            if len(lines) == 1:
                raise RuntimeError("of the program's own")
            with self.assertRaises(ksr.Error):
                client.call(path="/", retries="never")

        with mock.patch.object(sys, "unraisablehook", lambda raised: None):
            with client_nowhere(on_log=on_log) as client:
                for _ in range(2):
                    with self.assertRaises(ksr.Error):
                        client.call(path="/", retries="never")
                self.assertIs(lines[0][0], client)

    def test_closed_in_its_log(self):
        client = client_nowhere(on_log=lambda client, level, line: client.close())
        with self.assertRaises(ksr.Error):
            while True:
                client.call(path="/", retries="never", timeout=5)
        wait_until(lambda: client.closed, "the end")

    def test_collected(self):
        client = client_nowhere()
        with warnings.catch_warnings(record=True) as caught:
            warnings.simplefilter("always")
            del client
            gc.collect()
        self.assertTrue(any(issubclass(one.category, ResourceWarning) for one in caught), caught)
        registered = sys.modules["ksr.client"]._registered
        wait_until(lambda: not registered, "its destroy")

    def test_forked(self):
        with client_nowhere() as client:

            def child():
                codes = []
                for use in (lambda: client.call(path="/"), lambda: client.stat("requests"), client_nowhere):
                    try:
                        use()
                    except ksr.Error as error:
                        codes.append(error.code)
                client.close()
                return codes == [Code.FORKED] * 3

            self.assertTrue(in_child(child))
            self.assertFalse(client.closed)

    @needs_server
    def test_responses_are_values(self):
        with client_here() as client:
            response = client.call(path="/version")
        self.assertIs(copy.copy(response), response)
        self.assertIs(copy.deepcopy(response), response)
        with self.assertRaises(TypeError):
            pickle.dumps(response)
        self.assertEqual(repr(response), f"<ksr.Response 200: {len(response)} bytes>")


if __name__ == "__main__":
    unittest.main()
