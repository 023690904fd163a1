"""Invalid arguments, and calls in the wrong place: each has a defined result. No server is needed."""

import asyncio
import copy
import gc
import pickle
import threading
import unittest
from unittest import mock

import ksr

from .support import NOWHERE, TEST_TIMEOUT, poll_until


def nowhere(**more):
    more.setdefault("on_error", lambda *_: None)
    return ksr.open("v1/pods", server=NOWHERE, backoff_initial="10ms", backoff_max="10ms", **more)


class TimeLimits(unittest.TestCase):
    """inf is no limit, as None; nan is refused; what is over is over at once."""

    @staticmethod
    def waits(stream):
        return (
            stream.poll,
            stream.wait_synced,
            lambda limit: stream.wait_until(lambda view: True, limit),
            lambda limit: asyncio.run(stream.next(limit)),
        )

    def test_inf_waits_for_the_end(self):
        for number in range(4):
            with nowhere(reconnect=False) as stream:
                with self.assertRaises(ksr.Error) as caught:
                    self.waits(stream)[number](float("inf"))
                self.assertEqual(caught.exception.code, ksr.Code.TRANSPORT)

    def test_nan_is_refused(self):
        with nowhere() as stream:
            for wait in self.waits(stream):
                with self.assertRaisesRegex(ValueError, "nan"):
                    wait(float("nan"))

    def test_minus_inf_is_over(self):
        with nowhere() as stream:
            self.assertIsNone(stream.poll(float("-inf")))
            with self.assertRaises(ksr.Error):
                stream.wait_synced(float("-inf"))

    def test_of_channels_and_requests(self):
        with ksr.Client(server=NOWHERE) as client, client.log("web", namespace="default", resume=False) as log:
            log.timeout = float("nan")
            with self.assertRaisesRegex(ValueError, "nan"):
                log.read()
            log.timeout = float("inf")
            with self.assertRaises(ksr.Error):
                log.read()
            with self.assertRaises(ksr.Error) as caught:
                client.get("v1/pods", "a", namespace="b", timeout=float("inf"), retries="never")
            self.assertEqual(caught.exception.code, ksr.Code.TRANSPORT)

    def test_what_is_no_test(self):
        with nowhere() as stream:
            for test in (None, 3):
                with self.assertRaisesRegex(TypeError, "wait_until: expected a function"):
                    stream.wait_until(test, 1)


class Nothing(unittest.TestCase):
    """None, and what is not a string, everywhere."""

    def test_in_place_of_a_resource(self):
        for open_it in (lambda: ksr.open(None), lambda: ksr.open(None, server=NOWHERE), lambda: ksr.Config(None)):
            with self.assertRaisesRegex(TypeError, "resource"):
                open_it()
        for open_it in (lambda: ksr.open(""), lambda: ksr.open(ksr.Config(server=NOWHERE))):
            with self.assertRaises(ksr.Error) as caught:
                open_it()
            self.assertEqual(caught.exception.code, ksr.Code.INVALID)
            self.assertIn("resource", str(caught.exception))

    def test_in_place_of_a_key(self):
        for key in (None, 1, b"limit"):
            with self.assertRaises(TypeError):
                ksr.Config("v1/pods").set(key, "1")

    def test_in_place_of_a_value(self):
        for value in (None, object(), 1.5, b"1"):
            with self.assertRaises(TypeError):
                ksr.Config("v1/pods").set("limit", value)

    def test_in_place_of_what_a_request_selects(self):
        with ksr.Client(server=NOWHERE) as client:
            maps = "v1/configmaps"
            for key in ("namespace", "label_selector", "field_selector", "precondition_uid", "timeout", "headers", "query"):
                for call in (
                    lambda **keys: client.call(verb="deletecollection", resource=maps, **keys),
                    lambda **keys: asyncio.run(client.acall(verb="deletecollection", resource=maps, **keys)),
                    lambda **keys: client.delete_collection(maps, **keys),
                    lambda **keys: client.delete(maps, "a", **keys),
                    lambda **keys: client.patch(maps, "a", {}, **keys),
                    lambda **keys: client.list(maps, **keys),
                    lambda **keys: asyncio.run(client.aio.delete_collection(maps, **keys)),
                    lambda **keys: client.log("web", **keys),
                    lambda **keys: client.download(**{"path": "/", **keys}),
                ):
                    with self.subTest(key), self.assertRaisesRegex(TypeError, key):
                        call(**{key: None})
            for call in (
                lambda: client.get(maps, None, namespace="a"),
                lambda: client.delete(None, "a"),
                lambda: client.apply(maps, "a", {}, field_manager=None),
                lambda: client.download(None),
                lambda: client.websocket(None),
                lambda: client.exec("web", ["ls"], container=None),
                lambda: client.stream(maps, namespace=None),
            ):
                with self.assertRaises(TypeError):
                    call()
            self.assertEqual(client.stat("requests"), 0)

    def test_in_place_of_callbacks(self):
        with ksr.open("v1/pods", server=NOWHERE, on_error=None, on_state=None, on_log=None):
            pass
        for name in ("on_error", "on_state", "on_log"):
            with self.assertRaisesRegex(TypeError, name):
                ksr.open("v1/pods", server=NOWHERE, **{name: "print"})

    def test_in_place_of_a_statistic(self):
        with nowhere() as stream:
            for name in (None, 1, b"errors"):
                with self.assertRaises(TypeError):
                    stream.stat(name)
            with self.assertRaises(ValueError):
                stream.stat("err\0ors")

    def test_in_place_of_a_feature(self):
        with self.assertRaises(TypeError):
            ksr.has_feature(None)

    def test_a_nul_byte_in_a_key_or_value(self):
        for key, value in (("lim\0it", "1"), ("namespace", "a\0b")):
            with self.assertRaises(ValueError):
                ksr.Config("v1/pods").set(key, value)


class Copies(unittest.TestCase):
    def test_a_config_is_copied(self):
        for copied in (copy.copy, copy.deepcopy, lambda config: copy.deepcopy([config])[0]):
            original = ksr.Config("v1/pods", server=NOWHERE, token="hush", reconnect=False)
            mine = copied(original).set("limit", 3)
            self.assertIs(type(mine), ksr.Config)
            self.assertNotIn("limit", repr(original))
            for key in ("resource", "server", "token", "limit"):
                self.assertIn(key, repr(mine))
            self.assertNotEqual(mine._pointer.value, original._pointer.value)
            del original
            gc.collect()
            # The library may have given its memory to another one.
            others = [ksr.Config("v1/nodes", server="http://127.0.0.1:2") for _ in range(8)]
            with ksr.open(mine, on_error=lambda *_: None) as stream:
                with self.assertRaises(ksr.Error) as caught:
                    stream.wait_synced(TEST_TIMEOUT)
            self.assertIn(f"v1/pods at {NOWHERE}:", str(caught.exception))
            self.assertEqual(len(others), 8)

    def test_a_copy_has_the_keys_in_the_order_in_which_they_were_set(self):
        config = ksr.Config("v1/pods", **{"header.X-A": "1", "header.x-a": "2"}).set("header.X-A", "3")
        self.assertEqual(list(copy.copy(config)._entries)[-1], "header.X-A")

    def test_what_is_open_is_not_copied(self):
        with ksr.Client(server=NOWHERE) as client, nowhere() as stream:
            channels = [opens.log("web", namespace="a") for opens in (client, client.aio)]
            runs = [opens.exec("web", ["a"], namespace="a", stdin=True) for opens in (client, client.aio)]
            readers = [one for run in runs for one in (run.stdout, run.stdin)]
            for one in (client, stream, *channels, *runs, *readers):
                name = f"a ksr.{type(one).__name__} cannot be copied"
                for copied in (copy.copy, copy.deepcopy):
                    with self.assertRaisesRegex(TypeError, name):
                        copied(one)

    def test_nothing_of_the_library_is_pickled(self):
        config = ksr.Config("v1/pods", token="hush")
        with ksr.Client(server=NOWHERE) as client, nowhere() as stream, client.log("web", namespace="a") as log:
            for one in (config, client, stream, log):
                with self.assertRaisesRegex(TypeError, f"a ksr.{type(one).__name__} cannot be pickled"):
                    pickle.dumps(one)


class WrongPlace(unittest.TestCase):
    def test_each_callback_may_raise(self):
        def fail(*_):
            calls.append(1)
            raise LookupError("on purpose")

        for name in ("on_error", "on_state"):
            calls, reports = [], []
            with mock.patch("sys.unraisablehook", lambda report: reports.append(report.exc_type)):
                with nowhere(**{name: fail}) as stream:
                    poll_until(stream, lambda: len(calls) > 1)
            self.assertEqual(set(reports), {LookupError})
            self.assertTrue(stream.closed)

    def test_the_last_callback_may_raise(self):
        def fail(_, state):
            if state == ksr.State.CLOSED:
                raise LookupError("on purpose")

        reports = []
        with mock.patch("sys.unraisablehook", lambda report: reports.append(report.exc_type)):
            nowhere(on_state=fail).close()
        self.assertEqual(reports, [LookupError])

    def test_closing_twice_inside_a_callback(self):
        def close(stream, _):
            stream.close()
            stream.close()
            with self.assertRaises(ksr.Error) as caught:
                stream.cancel()
            seen.append(caught.exception.code)

        seen = []
        with nowhere(on_error=close) as stream:
            self.assertEqual(list(stream), [])
        self.assertEqual(seen, [ksr.Code.INVALID])

    def test_closing_inside_a_callback_of_a_task(self):
        async def main():
            async with nowhere(on_error=lambda stream, _: stream.close()) as stream:
                self.assertEqual([snapshot async for snapshot in stream], [])

        asyncio.run(asyncio.wait_for(main(), TEST_TIMEOUT))

    def test_knowing_that_one_is_inside_a_callback(self):
        seen = []
        with nowhere(on_state=lambda *_: seen.append(ksr.in_callback())):
            pass
        self.assertEqual(set(seen), {True})
        self.assertFalse(ksr.in_callback())

    def test_waiting_inside_a_callback(self):
        def wait(stream, _):
            with self.assertRaises(ksr.Error) as caught:
                stream.wait_synced(0.0)
            seen.append(caught.exception.code)

        seen = []
        with nowhere(on_error=wait) as stream:
            poll_until(stream, lambda: seen)
        self.assertEqual(seen[0], ksr.Code.TRANSPORT)

    def test_closing_on_many_threads(self):
        for _ in range(20):
            stream = nowhere()
            threads = [threading.Thread(target=stream.close) for _ in range(8)]
            for thread in threads:
                thread.start()
            for thread in threads:
                thread.join(TEST_TIMEOUT)
                self.assertFalse(thread.is_alive())
            self.assertTrue(stream.closed)


if __name__ == "__main__":
    unittest.main()
