"""What a configuration takes and refuses. No server is needed."""

import os
import pathlib
import subprocess
import sys
import unittest
from datetime import timedelta

import ksr


class Keys(unittest.TestCase):
    def refused(self, code, **keys):
        with self.assertRaises(ksr.Error) as caught:
            ksr.Config(**keys)
        self.assertEqual(caught.exception.code, code)
        return str(caught.exception)

    def test_an_unknown_key_is_named(self):
        self.assertIn("colour", self.refused(ksr.Code.UNKNOWN_KEY, colour="blue"))

    def test_a_bad_value_names_its_key(self):
        self.assertIn("limit", self.refused(ksr.Code.INVALID, limit="many"))
        self.refused(ksr.Code.INVALID, backoff_max="soon")
        self.refused(ksr.Code.INVALID, transport="pigeon")

    def test_python_values(self):
        config = ksr.Config(
            ["deployments.apps", "v1/pods"],
            limit=3,
            metadata_only=True,
            backoff_max=timedelta(seconds=1.5),
            ca_file=pathlib.Path("/nowhere/ca.pem"),
            namespace=("a", "b"),
            **{"header.X-Team": "a"},
        )
        self.assertIn("metadata_only", repr(config))

    def test_a_list_is_anything_that_can_be_iterated(self):
        names = {"v1/pods": 1, "v1/nodes": 2}
        for resource in (list(names), tuple(names), names.keys(), iter(names), (name for name in names)):
            self.assertEqual(ksr.Config(resource)._entries["resource"][1], b"v1/pods,v1/nodes")
        self.assertEqual(ksr.Config("v1/pods", columns=iter(["/a", "/b"]), index=range(2))._entries["index"][1], b"0 1")

    def test_values_that_cannot_be_meant(self):
        for value in (1.5, b"v1/pods", memoryview(b"v1/pods"), object(), {"a": 1}, [1.5], iter([b"a"]), None, [None]):
            with self.subTest(value=value), self.assertRaises(TypeError):
                ksr.Config(resource=value)
        with self.assertRaises(ValueError):
            ksr.Config("v1/pods\0evil")
        with self.assertRaises(ValueError):
            ksr.Config("v1/pods", namespace="\ud800")
        with self.assertRaises(TypeError):
            ksr.Config("v1/pods", delivery="thread")

    def test_secrets_do_not_show(self):
        config = ksr.Config("v1/pods", token="hush")
        self.assertNotIn("hush", repr(config))
        self.assertNotIn("hush", self.refused(ksr.Code.INVALID, token="hush\nhush"))


class Opening(unittest.TestCase):
    def test_without_a_resource(self):
        with self.assertRaises(ksr.Error) as caught:
            ksr.open(ksr.Config(server="http://127.0.0.1:1"))
        self.assertEqual(caught.exception.code, ksr.Code.INVALID)

    def test_a_file_that_is_not_there(self):
        with self.assertRaises(ksr.Error) as caught:
            ksr.open("v1/pods", server="https://127.0.0.1:1", ca_file="/nowhere/ca.pem")
        self.assertIn("/nowhere/ca.pem", str(caught.exception))

    def test_a_config_and_keys(self):
        with self.assertRaises(TypeError):
            ksr.open(ksr.Config("v1/pods"), server="http://127.0.0.1:1")

    def test_failing_leaves_no_stream_open(self):
        from ksr import _inbox

        before = len(_inbox._inboxes)
        for _ in range(50):
            with self.assertRaises(ksr.Error):
                ksr.open(ksr.Config(server="http://127.0.0.1:1"))
        self.assertEqual(len(_inbox._inboxes), before)


class Loading(unittest.TestCase):
    def run_with(self, library, code):
        environment = dict(os.environ, KSR_LIBRARY=library, PYTHONPATH=os.pathsep.join(sys.path))
        return subprocess.run(
            [sys.executable, "-c", code], env=environment, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True
        )

    def test_a_library_that_is_not_there(self):
        ended = self.run_with("/nowhere/libksr.so.0", "import ksr; ksr.version()")
        self.assertIn("OSError: cannot load libksr from '/nowhere/libksr.so.0'", ended.stdout)

    def test_a_library_that_is_another(self):
        ended = self.run_with("libc.so.6", "import ksr; ksr.version()")
        self.assertIn("OSError: cannot load libksr from 'libc.so.6'", ended.stdout)

    def test_importing_loads_nothing(self):
        self.assertEqual(self.run_with("/nowhere/libksr.so.0", "import ksr").returncode, 0)

    def test_what_it_is(self):
        self.assertRegex(ksr.version(), r"^\d+\.\d+\.\d+$")
        self.assertEqual(ksr.build_info()["version"], ksr.version())
        self.assertTrue(ksr.has_feature("manual_delivery"))
        self.assertFalse(ksr.has_feature("teleportation"))


class Constants(unittest.TestCase):
    def test_numbers_of_a_newer_library_stay_numbers(self):
        error = ksr.Error(-99, "something new")
        self.assertEqual(error.code, -99)
        self.assertNotIn(error.code, list(ksr.Code))
        self.assertEqual(str(error), "something new (UNKNOWN_MINUS_99)")

    def test_an_error_can_be_pickled(self):
        import pickle

        error = pickle.loads(pickle.dumps(ksr.Error(-43, "too old", reason="Expired", http_status=410, retry=0.8)))
        seen = (error.code, error.reason, error.http_status, error.retry)
        self.assertEqual(seen, (ksr.Code.GONE, "Expired", 410, 0.8))
        self.assertFalse(error.fatal)

    def test_numbers_of_a_newer_library_can_be_pickled_and_copied(self):
        import copy
        import pickle

        for again in (copy.copy, copy.deepcopy, lambda one: pickle.loads(pickle.dumps(one))):
            for code in (ksr.Code.GONE, -99):
                error = again(ksr.Error(code, "what is new"))
                self.assertEqual((error.code, error.message), (code, "what is new"))
                self.assertIsInstance(error.code, ksr.Code)
            self.assertEqual(again(ksr.Error(-99, "x").code).name, "UNKNOWN_MINUS_99")
            for member in (ksr.Code.GONE, ksr.State.LIVE, ksr.EventKind.GAP, ksr.DeltaKind.ADDED, ksr.Field.UID):
                self.assertIs(again(member), member)


if __name__ == "__main__":
    unittest.main()
