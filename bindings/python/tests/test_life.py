"""The life of a stream that reaches no server: errors, callbacks, the end, fork, exit. No server is needed."""

import asyncio
import ctypes
import functools
import gc
import os
import select
import signal
import socket
import subprocess
import sys
import tempfile
import threading
import time
import unittest
import warnings
from unittest import mock

import ksr
from ksr import _inbox
from ksr._library import LogFn, library

from .support import NOWHERE, TEST_TIMEOUT, in_child, poll_until

KUBECONFIG = f"""
apiVersion: v1
kind: Config
current-context: here
contexts: [{{name: here, context: {{cluster: here}}}}]
clusters: [{{name: here, cluster: {{server: "{NOWHERE}"}}}}]
"""


def nowhere(**more):
    return ksr.open("v1/pods", server=NOWHERE, **more)


def ignore_error(stream, error):
    pass


class Unreachable(unittest.TestCase):
    def test_errors_are_information(self):
        errors, states = [], []
        with nowhere(on_error=lambda _, error: errors.append(error), on_state=lambda _, s: states.append(s)) as stream:
            poll_until(stream, lambda: errors and ksr.State.WAITING in states)
            self.assertEqual(errors[0].code, ksr.Code.TRANSPORT)
            self.assertEqual(errors[0].http_status, 502)
            self.assertGreater(errors[0].retry, 0)
            self.assertFalse(errors[0].fatal)
            self.assertEqual(stream.last_error.message, errors[-1].message)
            self.assertLessEqual(stream.last_error.retry, errors[-1].retry)
            self.assertIsNone(stream.latest())
            self.assertGreaterEqual(stream.stat("errors"), 1)
            self.assertNotEqual(stream.state, ksr.State.CLOSED)
        self.assertEqual(states[-1], ksr.State.CLOSED)
        self.assertEqual(states.count(ksr.State.CLOSED), 1)
        self.assertEqual(stream.state, ksr.State.CLOSED)

    def test_errors_without_a_callback_are_logged(self):
        with self.assertLogs("ksr", "WARNING") as logs, nowhere() as stream:
            poll_until(stream, lambda: logs.output)
        self.assertIn("127.0.0.1", logs.output[0])

    def test_log_lines(self):
        lines = []
        with tempfile.TemporaryDirectory() as folder:
            kubeconfig = os.path.join(folder, "config")
            with open(kubeconfig, "w") as file:
                file.write(KUBECONFIG)
            with mock.patch.dict(os.environ, KUBECONFIG=f"{folder}/nothing:{kubeconfig}"):
                stream = ksr.open("v1/pods", on_log=lambda _, *line: lines.append(line), on_error=ignore_error)
        with stream:
            poll_until(stream, lambda: lines)
        level, text = lines[0]
        self.assertEqual(level, 7)
        self.assertIn(f"{folder}/nothing", text)

    def test_a_fatal_error_is_raised(self):
        with nowhere(reconnect=False) as stream:
            with self.assertRaises(ksr.Error) as caught:
                for _ in stream:
                    self.fail("a snapshot out of nowhere")
            self.assertTrue(caught.exception.fatal)
            self.assertEqual(caught.exception.code, ksr.Code.TRANSPORT)
            with self.assertRaises(ksr.Error):
                stream.poll()

    def test_a_fatal_error_is_raised_in_a_loop(self):
        async def main():
            async with nowhere(reconnect=False) as stream:
                async for _ in stream:
                    self.fail("a snapshot out of nowhere")

        with self.assertRaises(ksr.Error) as caught:
            asyncio.run(asyncio.wait_for(main(), TEST_TIMEOUT))
        self.assertTrue(caught.exception.fatal)

    def test_waiting_has_an_end(self):
        with nowhere(on_error=ignore_error) as stream:
            with self.assertRaises(ksr.Error):
                stream.wait_synced(0.05)
            self.assertIsNone(stream.poll(0.05))

    def test_a_wait_in_vain_says_why(self):
        with nowhere(on_error=ignore_error) as stream:
            poll_until(stream, lambda: stream.last_error)
            with self.assertRaises(ksr.Error) as caught:
                stream.wait_synced(0)
            why = caught.exception
            self.assertEqual((why.code, why.http_status), (ksr.Code.TRANSPORT, 502))
            self.assertIsNotNone(why.retry)
            self.assertIn(stream.last_error.message, why.message)
            self.assertIn("within 0 s", why.message)
            stream.cancel()
            with self.assertRaises(ksr.Error) as caught:
                stream.wait_synced()
            self.assertEqual(caught.exception.code, ksr.Code.CANCELLED)
            self.assertIn(stream.last_error.message, caught.exception.message)
        self.assertEqual(stream.last_error.code, ksr.Code.TRANSPORT)

    def test_a_wait_for_what_failed_for_good(self):
        with nowhere(reconnect=False) as stream:
            with self.assertRaises(ksr.Error) as caught:
                stream.wait_synced()
            self.assertEqual(caught.exception.code, ksr.Code.TRANSPORT)
            self.assertTrue(caught.exception.fatal)

    def test_a_wait_in_vain_without_an_error_says_what_the_stream_does(self):
        with socket.create_server(("127.0.0.1", 0)) as silent:
            with ksr.open("v1/pods", server=f"http://127.0.0.1:{silent.getsockname()[1]}", initial="list") as stream:
                with self.assertRaises(ksr.Error) as caught:
                    stream.wait_synced(0.05)
        self.assertEqual(caught.exception.code, ksr.Code.TIMEOUT)
        self.assertRegex(caught.exception.message, "within 0.05 s: the stream is (connecting|listing)")

    def test_an_unknown_statistic(self):
        with nowhere(on_error=ignore_error) as stream:
            for name in ("", "colour"):
                with self.assertRaises(ksr.Error) as caught:
                    stream.stat(name)
                self.assertEqual(caught.exception.code, ksr.Code.UNKNOWN_KEY)


class Callbacks(unittest.TestCase):
    def test_what_they_raise_is_reported_and_the_stream_goes_on(self):
        reports, calls = [], []

        def fail(stream, error):
            calls.append(error)
            raise LookupError("a defect of the callback")

        with mock.patch.object(sys, "unraisablehook", lambda report: reports.append(report.exc_type)):
            with nowhere(on_error=fail, backoff_initial="10ms", backoff_max="10ms") as stream:
                poll_until(stream, lambda: len(calls) > 1)
        self.assertEqual(reports[:2], [LookupError, LookupError])

    def test_ctrl_c_inside_one_is_not_lost(self):
        def interrupt(stream, state):
            raise KeyboardInterrupt

        with self.assertRaises(KeyboardInterrupt):
            with nowhere(on_error=ignore_error, on_state=interrupt) as stream:
                poll_until(stream, lambda: False)
        self.assertTrue(stream.closed)

    def test_ctrl_c_before_one_begins_is_not_lost(self):
        # A log line at which C alone raises the signal: Python's handler runs at the beginning of the next callback.
        press = LogFn(functools.partial(getattr(ctypes.CDLL(None), "raise"), int(signal.SIGINT)))
        reports = []

        class CountsLines:
            def __getattr__(self, name):
                return getattr(library(), name)

            def ksr_dispatch(self, pointer):
                before, reported = stream._inbox.calls, len(reports)
                made = library().ksr_dispatch(pointer)
                stream._inbox.calls = before + made - (len(reports) - reported)
                return made

        with mock.patch.object(_inbox, "on_log", press):
            stream = nowhere(reconnect=False, on_error=ignore_error, on_log=ignore_error)
        stream._lib = CountsLines()
        while stream.state != ksr.State.CLOSED:  # all waits for one dispatch
            time.sleep(0.01)
        with mock.patch.object(sys, "unraisablehook", reports.append):
            with self.assertRaises(KeyboardInterrupt):
                stream.poll(TEST_TIMEOUT)
            handler = signal.signal(signal.SIGINT, signal.SIG_IGN)
            try:
                with stream, self.assertRaises(ksr.Error) as caught:
                    stream.poll(TEST_TIMEOUT)
            finally:
                signal.signal(signal.SIGINT, handler)
        self.assertTrue(caught.exception.fatal)
        self.assertTrue(reports)

    def test_closing_inside_one(self):
        ended = []

        def close(stream, error):
            stream.close()
            ended.append(stream.closed)

        with nowhere(on_error=close) as stream:
            self.assertEqual(list(stream), [])
        self.assertEqual(ended, [True])

    def test_cancelling_inside_one(self):
        with nowhere(on_error=lambda stream, _: stream.cancel()) as stream:
            self.assertEqual(list(stream), [])
            self.assertFalse(stream.closed)

    def test_polling_inside_one(self):
        codes = []

        def poll(stream, error):
            try:
                stream.poll(None)
            except ksr.Error as refused:
                codes.append(refused.code)

        with nowhere(on_error=poll) as stream:
            poll_until(stream, lambda: codes)
        self.assertEqual(codes[0], ksr.Code.WOULD_DEADLOCK)


class End(unittest.TestCase):
    def test_everything_after_close_raises(self):
        stream = nowhere(on_error=ignore_error)
        iterator = iter(stream)
        stream.close()
        stream.close()
        for use in (
            stream.poll,
            stream.latest,
            stream.wait_synced,
            lambda: stream.wait_until(lambda view: True),
            stream.cancel,
            stream.fileno,
            lambda: stream.stat("objects"),
            lambda: iter(stream),
            lambda: stream.__aiter__(),
        ):
            with self.assertRaises(ksr.Error) as caught:
                use()
            self.assertEqual(caught.exception.code, ksr.Code.INVALID)
        self.assertEqual(list(iterator), [])
        self.assertTrue(stream.closed)

    def test_cancel_ends_the_iteration(self):
        with nowhere(on_error=ignore_error) as stream:
            stream.cancel()
            stream.cancel()
            self.assertEqual(list(stream), [])
            with self.assertRaises(ksr.Error) as caught:
                stream.poll()
            self.assertEqual(caught.exception.code, ksr.Code.CANCELLED)

    def test_closing_ends_the_wait_of_another_thread(self):
        for _ in range(20):
            stream = nowhere(on_error=ignore_error)
            waiter = threading.Thread(target=list, args=(stream,))
            waiter.start()
            stream.close()
            waiter.join(TEST_TIMEOUT)
            self.assertFalse(waiter.is_alive())

    def test_closing_ends_the_wait_of_a_loop(self):
        async def main(from_a_thread):
            stream = nowhere(on_error=ignore_error)

            async def collect():
                return [snapshot async for snapshot in stream]

            tasks = [asyncio.ensure_future(collect()) for _ in range(3)]
            await asyncio.sleep(0)
            if from_a_thread:
                await asyncio.get_running_loop().run_in_executor(None, stream.close)
            else:
                stream.close()
            self.assertEqual(await asyncio.wait_for(asyncio.gather(*tasks), TEST_TIMEOUT), [[], [], []])

        for from_a_thread in (False, True) * 5:
            asyncio.run(main(from_a_thread))

    def test_the_end_is_seen_by_those_who_come_late(self):
        async def main():
            async with nowhere(on_error=ignore_error) as stream:
                async def collect():
                    return [snapshot async for snapshot in stream]

                early = asyncio.ensure_future(collect())
                await asyncio.sleep(0)
                stream.cancel()
                with self.assertRaises(ksr.Error):
                    stream.poll()
                self.assertEqual(await asyncio.wait_for(early, TEST_TIMEOUT), [])
                self.assertEqual(await asyncio.wait_for(collect(), TEST_TIMEOUT), [])

        asyncio.run(main())

    def test_a_cancelled_task_leaves_the_stream_usable(self):
        async def main():
            async with nowhere(on_error=ignore_error) as stream:
                async def collect():
                    return [snapshot async for snapshot in stream]

                task = asyncio.ensure_future(collect())
                await asyncio.sleep(0.01)
                task.cancel()
                with self.assertRaises(asyncio.CancelledError):
                    await task
                self.assertIsNone(stream.poll())

        asyncio.run(main())

    def test_a_cancelled_wait_leaves_the_iterator_usable(self):
        async def main():
            async with nowhere(on_error=ignore_error) as stream:
                iterator = stream.__aiter__()
                for _ in range(3):
                    with self.assertRaises(asyncio.TimeoutError):
                        await asyncio.wait_for(iterator.__anext__(), 0.01)
                self.assertIsNone(await stream.next(0.01))
                self.assertIsNone(await stream.next(0))
                stream.cancel()
                with self.assertRaises(StopAsyncIteration):
                    await asyncio.wait_for(iterator.__anext__(), TEST_TIMEOUT)
                for timeout in (None, 0, TEST_TIMEOUT):
                    with self.assertRaises(ksr.Error) as caught:
                        await stream.next(timeout)
                    self.assertEqual(caught.exception.code, ksr.Code.CANCELLED)
            for timeout in (None, 0, TEST_TIMEOUT):
                with self.assertRaises(ksr.Error) as caught:
                    await stream.next(timeout)
                self.assertEqual(caught.exception.code, ksr.Code.INVALID)

        asyncio.run(main())

    def test_an_interrupted_iteration_leaves_the_iterator_usable(self):
        def interrupt(stream, error):
            if not interrupted:
                interrupted.append(error)
                raise KeyboardInterrupt

        interrupted = []
        with nowhere(on_error=interrupt, backoff_initial="10ms", backoff_max="10ms") as stream:
            iterator = iter(stream)
            with self.assertRaises(KeyboardInterrupt):
                next(iterator)
            canceller = threading.Timer(0.05, stream.cancel)
            canceller.start()
            self.assertEqual(list(iterator), [])
            canceller.join()

    def test_a_stream_that_is_not_closed_is_closed_with_a_warning(self):
        before = len(_inbox._inboxes)
        with warnings.catch_warnings(record=True) as caught:
            warnings.simplefilter("always")
            stream = nowhere(on_error=ignore_error, token="hush")
            del stream
            gc.collect()
        self.assertEqual([warning.category for warning in caught], [ResourceWarning])
        self.assertNotIn("hush", str(caught[0].message))
        self.assertEqual(len(_inbox._inboxes), before)

    def test_nothing_is_left_after_many(self):
        def use():
            with nowhere(on_error=ignore_error) as stream:
                poll_until(stream, lambda: stream.last_error)

        use()
        descriptors = len(os.listdir("/proc/self/fd"))
        for _ in range(30):
            use()
        gc.collect()
        self.assertLessEqual(len(os.listdir("/proc/self/fd")), descriptors)

    def test_ctrl_c_ends_the_wait(self):
        def press():
            time.sleep(0.1)
            os.kill(os.getpid(), signal.SIGINT)

        for wait in (lambda stream: list(stream), lambda stream: stream.wait_synced()):
            presser = threading.Thread(target=press)
            with nowhere(on_error=ignore_error) as stream, self.assertRaises(KeyboardInterrupt):
                presser.start()
                wait(stream)
            presser.join()

    def test_in_a_foreign_event_loop(self):
        errors = []
        with nowhere(on_error=lambda _, error: errors.append(error)) as stream:
            end = time.monotonic() + TEST_TIMEOUT
            while not errors and time.monotonic() < end:
                if select.select([stream], [], [], 1.0)[0]:
                    stream.poll()
        self.assertTrue(errors)

    def test_exit_with_open_streams(self):
        code = (
            "import ksr, sys\n"
            f"streams = [ksr.open('v1/pods', server='{NOWHERE}', on_error=print) for _ in range(5)]\n"
            "streams[0].poll(0.01)\n"
        )
        environment = dict(os.environ, PYTHONPATH=os.pathsep.join(sys.path))
        for _ in range(5):
            command, quiet = [sys.executable, "-c", code], subprocess.DEVNULL
            ended = subprocess.run(command, env=environment, timeout=TEST_TIMEOUT, stdout=quiet)
            self.assertEqual(ended.returncode, 0)


class Fork(unittest.TestCase):
    def test_no_stream_works_in_a_child(self):
        def child():
            for use in (
                stream.poll,
                stream.latest,
                stream.wait_synced,
                lambda: stream.wait_until(lambda view: True),
                stream.cancel,
                stream.fileno,
                lambda: list(stream),
                lambda: stream.state,
                lambda: nowhere(on_error=ignore_error),
            ):
                try:
                    use()
                except ksr.Error as error:
                    if error.code == ksr.Code.FORKED:
                        continue
                return False
            stream.close()
            return True

        with nowhere(on_error=ignore_error) as stream:
            stream.poll()
            self.assertTrue(in_child(child))
            self.assertIsNone(stream.poll())

    def test_while_another_thread_waits(self):
        stream = nowhere(on_error=ignore_error)
        waiter = threading.Thread(target=list, args=(stream,))
        waiter.start()
        try:
            self.assertTrue(in_child(lambda: stream.close() is None))
        finally:
            stream.close()
            waiter.join()


if __name__ == "__main__":
    unittest.main()
