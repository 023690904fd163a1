"""Streams on the test server: snapshots, deltas, objects, and what the server does to them."""

import asyncio
import collections
import contextlib
import copy
import gc
import json
import os
import pathlib
import pickle
import signal
import subprocess
import sys
import threading
import unittest
import weakref
from unittest import mock

import ksr
from ksr._library import library, short

from .support import CA, TEST_TIMEOUT, SERVER, TOKEN, in_child, needs_server, next_where, open_here, poll_until, script

D = ksr.DeltaKind


def changes(snapshot):
    return [(kind, item.name) for kind, item in snapshot.deltas()]


@needs_server
class Views(unittest.TestCase):
    def setUp(self):
        # A namespace of its own keeps the tests apart.
        self.space = self.id().rsplit(".", 1)[1].replace("_", "-")[:60].strip("-")
        script(f"create configmap {self.space}/b team=red\ncreate configmap {self.space}/a team=blue")

    def tearDown(self):
        # The faults that a test did not use up.
        script("clear")

    def open(self, **keys):
        return open_here(namespace=self.space, **keys)

    def test_the_first_snapshot_is_the_whole_list(self):
        with self.open() as stream:
            snapshot = next(iter(stream))
            self.assertEqual([item.name for item in snapshot], ["a", "b"])
            self.assertEqual(changes(snapshot), [(D.ADDED, "a"), (D.ADDED, "b")])
            self.assertEqual(snapshot.sequence, 1)
            self.assertTrue(snapshot.resource_version)
            synced = stream.wait_synced(0)
            self.assertEqual([item.name for item in synced], ["a", "b"])
            poll_until(stream, lambda: stream.state == ksr.State.LIVE)
            self.assertIsNone(stream.last_error)
            self.assertEqual(stream.stat("objects"), 2)
            self.assertEqual(len(stream.latest()), 2)

    def test_waiting_until_something_is_true(self):
        with self.open() as stream:
            snapshot = stream.wait_until(lambda view: view.find(self.space, "a"), TEST_TIMEOUT)
            self.assertEqual([item.name for item in snapshot], ["a", "b"])
            tests = []
            with self.assertRaises(ksr.Error) as raised:
                stream.wait_until(lambda view: tests.append(view.sequence), 0.3)
            self.assertEqual((raised.exception.code, len(tests)), (ksr.Code.TIMEOUT, 1))
            changing = threading.Thread(target=script, args=(f"delete configmap {self.space}/a",))
            changing.start()
            gone = stream.wait_until(lambda view: view.find(self.space, "a") is None)
            changing.join()
            self.assertEqual([item.name for item in gone], ["b"])
            with self.assertRaises(ZeroDivisionError):
                stream.wait_until(lambda view: 1 // 0)
            with self.assertRaises(ksr.Error) as raised:
                stream.wait_until(lambda view: stream.cancel())
            self.assertEqual(raised.exception.code, ksr.Code.CANCELLED)
        with self.assertRaises(ksr.Error) as raised:
            stream.wait_until(lambda view: True)
        self.assertEqual(raised.exception.code, ksr.Code.INVALID)

    @contextlib.contextmanager
    def changing(self):
        """Meanwhile the view changes all the time."""
        over = threading.Event()

        def change():
            while not over.is_set():
                script(f"create configmap {self.space}/c team=red\ndelete configmap {self.space}/c")

        changer = threading.Thread(target=change)
        changer.start()
        try:
            yield
        finally:
            over.set()
            changer.join()

    def test_ctrl_c_in_a_wait_while_the_view_changes(self):
        reports = []
        with mock.patch.object(sys, "unraisablehook", reports.append), self.changing(), self.open() as stream:
            stream.wait_synced(TEST_TIMEOUT)
            for press in range(10):
                presser = threading.Timer(0.05 + 0.013 * press, os.kill, (os.getpid(), signal.SIGINT))
                with self.assertRaises(KeyboardInterrupt):
                    presser.start()
                    stream.wait_until(lambda view: False, 10)
                presser.join()
        self.assertEqual(reports, [])

    def test_the_process_ends_while_a_daemon_thread_waits(self):
        code = (
            "import ksr, sys, threading, time\n"
            f"stream = ksr.open('v1/configmaps', server={SERVER!r}, ca_file={CA!r}, token={TOKEN!r}, namespace={self.space!r})\n"
            "stream.wait_synced()\n"
            "waits = {'until': lambda: stream.wait_until(lambda view: False), 'next': lambda: list(stream)}\n"
            "threading.Thread(target=waits[sys.argv[1]], daemon=True).start()\n"
            "time.sleep(0.05)\n"
        )
        environment = dict(os.environ, PYTHONPATH=os.pathsep.join(sys.path))
        with self.changing():
            for waits in ("until", "next") * 3:
                ended = subprocess.run([sys.executable, "-c", code, waits], env=environment, timeout=TEST_TIMEOUT)
                self.assertEqual(ended.returncode, 0)

    def test_waiting_in_a_stream_that_was_cancelled(self):
        tests = []
        with self.open() as stream:
            stream.wait_synced(TEST_TIMEOUT)
            stream.cancel()
            with self.assertRaises(ksr.Error) as raised:
                stream.wait_until(lambda view: tests.append(len(view)))
        self.assertEqual((raised.exception.code, tests), (ksr.Code.CANCELLED, [2]))

    def test_waiting_in_a_view_without_objects(self):
        tests = []
        with self.open(label_selector="team=none") as stream, self.assertRaises(ksr.Error) as raised:
            stream.wait_synced(TEST_TIMEOUT)
            stream.wait_until(lambda view: tests.append(len(view)), 0.3)
        self.assertEqual((raised.exception.code, tests), (ksr.Code.TIMEOUT, [0]))

    def test_a_snapshot_is_a_sequence(self):
        with self.open() as stream:
            snapshot = stream.poll(TEST_TIMEOUT)
        a, b = snapshot
        self.assertEqual(snapshot[0], a)
        self.assertEqual(snapshot[-1], b)
        self.assertEqual(snapshot[::-1], [b, a])
        self.assertEqual(list(reversed(snapshot)), [b, a])
        self.assertIn(a, snapshot)
        self.assertEqual(snapshot.index(b), 1)
        self.assertEqual({a: 1}[snapshot[0]], 1)
        self.assertEqual(snapshot.find(self.space, "b"), b)
        self.assertEqual(snapshot.find_uid(a.uid), a)
        for nothing in (snapshot.find(self.space, "c"), snapshot.find("", ""), snapshot.find_uid("")):
            self.assertIsNone(nothing)
        for outside in (2, -3, 2**70):
            with self.assertRaises(IndexError):
                snapshot[outside]
        for wrong in ("0", None, 1.0):
            with self.assertRaises(TypeError):
                snapshot[wrong]
        with self.assertRaises(TypeError):
            snapshot.find(None, "a")

    def test_what_an_object_says(self):
        with self.open(label_selector="team=blue") as stream:
            (item,) = stream.poll(TEST_TIMEOUT)
        self.assertEqual((item.kind, item.api_version), ("ConfigMap", "v1"))
        self.assertEqual((item.namespace, item.name), (self.space, "a"))
        self.assertTrue(item.uid and item.resource_version and item.creation_timestamp)
        self.assertEqual(item.field(99), "")
        self.assertEqual(item.get("/metadata/labels"), {"team": "blue"})
        self.assertEqual(item.get("/metadata/name"), "a")
        self.assertEqual(bytes(item.raw("/metadata/name")), b'"a"')
        for nothing in ("/status/phase", "metadata", "/", "/metadata/labels/team/0"):
            self.assertEqual(item.get(nothing, "none"), "none")
            self.assertIsNone(item.raw(nothing))
        self.assertEqual(item.get("")["kind"], "ConfigMap")
        self.assertEqual(item.decode(), json.loads(bytes(item.json)))
        self.assertIn("ConfigMap", repr(item))

    def test_values_by_their_pointers(self):
        with self.open(label_selector="team=blue") as stream:
            (item,) = stream.poll(TEST_TIMEOUT)
        self.assertEqual((item["/metadata/labels"], item["/metadata/name"]), ({"team": "blue"}, "a"))
        self.assertTrue("/metadata/name" in item and "/status" not in item)
        for nothing in ("/status/phase", "metadata"):
            with self.assertRaises(KeyError):
                item[nothing]
        for wrong in (0, None):
            with self.assertRaises(TypeError):
                item[wrong]
        with self.assertRaises(ValueError):
            item["/a\0"]
        with self.assertRaises(TypeError):
            list(item)

    def test_columns_and_indexes(self):
        script(f"create configmap {self.space}/c team=red extra=red2")
        pointers = ["/metadata/labels/team", "/metadata/labels/*"]
        with self.open(columns=pointers, index=[0, 1], keep_fields=["/data"], notify="columns") as stream:
            snapshot = stream.poll(TEST_TIMEOUT)
        item = snapshot[1]
        self.assertEqual((item.column(0), item.columns), ("red", ["red", "red"]))
        for place in (2, -1, 2**63, 2**64, 2**64 + 1):
            self.assertIsNone(item.column(place))
            self.assertEqual(snapshot.by_index(place, "red"), [])
        for use in (item.column, item.field, lambda place: snapshot.by_index(place, "red")):
            for wrong in (1.5, "0", None):
                with self.assertRaises(TypeError):
                    use(wrong)
        self.assertNotIn("/metadata/labels", item)

        def names(column, value):
            return [found.name for found in snapshot.by_index(column, value)]

        self.assertEqual((names(0, "red"), names(0, "blue"), names(1, "red2")), (["b", "c"], ["a"], ["c"]))
        self.assertEqual((names(0, "green"), names(2, "red"), names(-1, "red")), ([], [], []))
        with self.assertRaises(ValueError):
            names(0, "red\0")

    def test_what_was_before(self):
        def told(snapshot):
            return [
                (kind, item.name, before and before["/metadata/labels/team"], left)
                for kind, item, before, left in snapshot.changes()
            ]

        with self.open(label_selector="team", limit=1, field_selector="metadata.name!=b") as stream:
            self.assertEqual(told(stream.poll(TEST_TIMEOUT)), [(D.ADDED, "a", None, False)])
            script(f"update configmap {self.space}/a team=green")
            self.assertEqual(told(stream.poll(TEST_TIMEOUT)), [(D.MODIFIED, "a", "blue", False)])
            newest = '{"metadata":{"creationTimestamp":"2199-01-01T00:00:00Z"}}'
            script(f"create configmap {self.space}/c team=red {newest}")
            self.assertEqual(
                told(stream.poll(TEST_TIMEOUT)), [(D.DELETED, "a", "green", True), (D.ADDED, "c", None, False)]
            )

    def test_a_field_is_fetched_once(self):
        with self.open() as stream:
            item, other = stream.wait_synced(TEST_TIMEOUT)
        with mock.patch.object(short, "field", wraps=short.field) as fetched:
            self.assertEqual([item.name for _ in range(3)], ["a"] * 3)
            self.assertEqual(fetched.call_count, 1)
            self.assertEqual((item.uid, item.name, other.name), (item.uid, "a", "b"))
            self.assertEqual(fetched.call_count, 3)

    def test_a_copy_is_the_same(self):
        with self.open() as stream:
            snapshot = stream.wait_synced(TEST_TIMEOUT)
        item = snapshot[0]
        self.assertIs(copy.copy(item), item)
        self.assertIs(copy.deepcopy([item])[0], item)
        self.assertIs(copy.copy(snapshot), snapshot)
        self.assertIs(copy.deepcopy([snapshot])[0], snapshot)
        for what in (item, snapshot):
            with self.assertRaises(TypeError):
                pickle.dumps(what)

    def test_a_view_keeps_its_object_alive(self):
        stream = self.open()
        snapshot = stream.poll(TEST_TIMEOUT)
        item = snapshot[0]
        alive = weakref.ref(item)
        view, part = item.json, snapshot[1].raw("/metadata/name")
        stream.close()
        del stream, snapshot, item
        gc.collect()
        self.assertIsNotNone(alive())
        self.assertTrue(view.readonly)
        self.assertEqual(view.format, "B")
        self.assertEqual(json.loads(bytes(view))["metadata"]["name"], "a")
        self.assertEqual(str(part, "utf-8"), '"b"')
        with self.assertRaises(TypeError):
            view[0] = 0
        rest = view[1:]
        del view
        gc.collect()
        self.assertIsNotNone(alive())
        del rest
        gc.collect()
        self.assertIsNone(alive())

    def test_what_is_taken_is_given_back(self):
        lib, balance = library(), collections.Counter()

        def counted(owner, name, step):
            function = getattr(owner, name)

            def call(address):
                balance[address] += step
                return function(address)

            return mock.patch.object(owner, name, call)

        with counted(lib, "ksr_snapshot_retain", 1), counted(lib, "ksr_snapshot_release", -1):
            with counted(short, "retain", 1), counted(short, "release", -1):
                with self.open() as stream:
                    snapshot = stream.poll(TEST_TIMEOUT)
                    kept = [*snapshot, *(item for _, item in snapshot.deltas()), snapshot.find(self.space, "a")]
                self.assertEqual(sum(balance.values()), 6)
                del snapshot
                self.assertEqual(sum(balance.values()), 5)
                self.assertEqual([item.name for item in kept], ["a", "b", "a", "b", "a"])
                del kept
                gc.collect()
        self.assertEqual(set(balance.values()), {0})

    def test_text_beyond_ascii(self):
        script('update configmap %s/a {"data":{"gruß":"日本 \\u0000 \U0001f600"}}' % self.space)
        with self.open(field_selector="metadata.name=a") as stream:
            (item,) = stream.poll(TEST_TIMEOUT)
        self.assertEqual(item.get("/data/gruß"), "日本 \0 \U0001f600")
        self.assertEqual(item.decode()["data"], {"gruß": "日本 \0 \U0001f600"})

    def test_deltas(self):
        with self.open() as stream:
            next_where(stream, lambda snapshot: len(snapshot) == 2)
            script(f"create configmap {self.space}/c")
            self.assertEqual(changes(stream.poll(TEST_TIMEOUT)), [(D.ADDED, "c")])
            script(f"update configmap {self.space}/a team=green")
            snapshot = stream.poll(TEST_TIMEOUT)
            self.assertEqual(changes(snapshot), [(D.MODIFIED, "a")])
            self.assertEqual(snapshot[0].get("/metadata/labels/team"), "green")
            script(f"delete configmap {self.space}/b")
            ((kind, gone),) = stream.poll(TEST_TIMEOUT).deltas()
            self.assertEqual((kind, gone.name), (D.DELETED, "b"))
            self.assertEqual(gone.get("/metadata/labels/team"), "red")

    def test_changes_are_merged_while_the_program_is_busy(self):
        with self.open() as stream:
            next_where(stream, lambda snapshot: len(snapshot) == 2)
            script("\n".join(f"create configmap {self.space}/x{n}" for n in range(20)))
            script(f"delete configmap {self.space}/x0")
            end = stream.stat("objects")
            snapshot = next_where(stream, lambda snapshot: len(snapshot) == 21)
            self.assertLessEqual(snapshot.sequence, 3)
            self.assertGreaterEqual(end, 2)

    def test_the_n_most_recent(self):
        with self.open(limit=1) as stream:
            snapshot = stream.poll(TEST_TIMEOUT)
            self.assertEqual(len(snapshot), 1)
            self.assertEqual(stream.stat("objects"), 2)

    def test_a_list_again_after_the_past_is_gone(self):
        lines = []
        callbacks = {"on_log": lambda _, *line: lines.append(line), "on_error": lambda *_: None}
        with self.open(transport="http", backoff_initial="10ms", **callbacks) as stream:
            next_where(stream, lambda snapshot: len(snapshot) == 2)
            script("fault watch configmaps error-event 410\ndrop connections")
            poll_until(stream, lambda: stream.stat("relists"))
            script(f"create configmap {self.space}/d\ndelete configmap {self.space}/a")
            snapshot = next_where(stream, lambda snapshot: snapshot.find(self.space, "d") and len(snapshot) == 2)
            self.assertEqual([item.name for item in snapshot], ["b", "d"])
        self.assertTrue(any(level == 5 and "ERROR event" in text for level, text in lines), lines)

    def test_errors_of_the_server(self):
        script("fault list configmaps answer 403")
        errors = []
        with self.open(initial="list", on_error=lambda _, error: errors.append(error)) as stream:
            poll_until(stream, lambda: errors)
            self.assertEqual((errors[0].code, errors[0].http_status), (ksr.Code.FORBIDDEN, 403))
            self.assertGreater(errors[0].retry, 0)
            with self.assertRaises(ksr.Error) as caught:
                stream.wait_synced(0)
            self.assertEqual((caught.exception.code, caught.exception.http_status), (ksr.Code.FORBIDDEN, 403))
            self.assertIn("403", str(caught.exception))

    def test_a_token_that_is_not_let_in(self):
        with ksr.open("v1/configmaps", server=SERVER, ca_file=CA, token="wrong", reconnect=False) as stream:
            with self.assertRaises(ksr.Error) as caught:
                list(stream)
        self.assertEqual(caught.exception.code, ksr.Code.AUTH)
        self.assertEqual(caught.exception.http_status, 401)
        self.assertNotIn("wrong", str(caught.exception))

    def test_a_certificate_that_is_not_trusted(self):
        with ksr.open("v1/configmaps", server=SERVER, reconnect=False) as stream:
            with self.assertRaises(ksr.Error) as caught:
                list(stream)
        self.assertEqual(caught.exception.code, ksr.Code.TLS)

    def test_in_a_loop(self):
        seen = []

        async def watch(stream):
            async for snapshot in stream:
                seen.append([item.name for item in snapshot])
                if len(snapshot) == 3:
                    return

        async def main():
            async with self.open() as stream, self.open() as other:
                tasks = [asyncio.ensure_future(watch(each)) for each in (stream, other)]
                await asyncio.get_running_loop().run_in_executor(None, stream.wait_synced)
                script(f"create configmap {self.space}/z")
                await asyncio.wait_for(asyncio.gather(*tasks), TEST_TIMEOUT)

        asyncio.run(main())
        self.assertEqual(seen.count(["a", "b", "z"]), 2)

    def test_waits_that_are_cancelled_lose_nothing(self):
        async def main():
            names, tries = set(), 0
            async with self.open() as stream:
                iterator = stream.__aiter__()
                while "last" not in names:
                    tries += 1
                    try:
                        # Often less than the time between two changes: the wait is cancelled at any point.
                        snapshot = await asyncio.wait_for(iterator.__anext__(), 0.0005 * (tries % 7))
                    except asyncio.TimeoutError:
                        snapshot = await stream.next(0.001) if tries % 3 == 0 else None
                    for kind, item in snapshot.deltas() if snapshot is not None else ():
                        (names.discard if kind == D.DELETED else names.add)(item.name)
                    self.assertEqual(names, {item.name for item in snapshot} if snapshot is not None else names)

        lines = [f"create configmap {self.space}/c{n}\nsleep 2ms" for n in range(100)]
        lines.append(f"delete configmap {self.space}/c0\ncreate configmap {self.space}/last")
        changing = threading.Thread(target=script, args=("\n".join(lines),))
        changing.start()
        try:
            asyncio.run(asyncio.wait_for(main(), TEST_TIMEOUT))
        finally:
            changing.join()

    def test_closing_while_events_pour_in(self):
        script("every 1ms update configmap %s/a" % self.space)
        for _ in range(10):
            stream = self.open()
            taken = []
            reader = threading.Thread(target=lambda: taken.extend(stream))
            reader.start()
            stream.wait_synced(TEST_TIMEOUT)
            stream.close()
            reader.join(TEST_TIMEOUT)
            self.assertFalse(reader.is_alive())

    def test_snapshots_can_be_read_in_a_child(self):
        with self.open() as stream:
            snapshot = stream.poll(TEST_TIMEOUT)

            def child():
                names = [item.decode()["metadata"]["name"] for item in snapshot]
                return names == ["a", "b"]

            self.assertTrue(in_child(child))

    def test_the_example(self):
        example = [sys.executable, str(pathlib.Path(__file__).parent.parent / "examples" / "pods.py")]
        keys = ["v1/configmaps", f"server={SERVER}", f"ca_file={CA}", f"token={TOKEN}", f"namespace={self.space}"]
        environment = dict(os.environ, PYTHONPATH=os.pathsep.join(sys.path))
        for mode in ([], ["--asyncio"]):
            with subprocess.Popen(example + mode + keys, env=environment, stdout=subprocess.PIPE, text=True) as running:
                lines = [running.stdout.readline().split() for _ in range(3)]
                running.send_signal(signal.SIGINT)
                self.assertEqual(running.wait(TEST_TIMEOUT), 0)
            self.assertEqual(lines[:2], [["ADDED", f"{self.space}/a"], ["ADDED", f"{self.space}/b"]])
            self.assertEqual(lines[2][:3], ["--", "2", "objects"])
        for wrong, status in ([[], 2], [["v1/pods", "colour=blue"], 1]):
            ended = subprocess.run(example + wrong, env=environment, stderr=subprocess.PIPE, timeout=TEST_TIMEOUT)
            self.assertEqual(ended.returncode, status)


if __name__ == "__main__":
    unittest.main()
