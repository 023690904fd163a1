"""What a type checker makes of programs that use the package. Needs mypy."""

import pathlib
import subprocess
import sys
import tempfile
import unittest

import ksr

try:
    import mypy  # noqa: F401
except ImportError:
    mypy = None

FITS = """
from typing import Dict, Optional, Union
import ksr

def on_error(stream: ksr.Stream, error: ksr.Error) -> None:
    print(error.code.name, error.retry)

def watch(keys: Dict[str, str], flags: Dict[str, Union[str, bool]], handler: Optional[ksr.OnError]) -> None:
    with ksr.open("v1/pods", on_error=on_error, **keys) as pods:
        for pod in pods.wait_synced(5.0):
            print(pod.name.upper())
    ksr.open("v1/pods", on_error=on_error, on_state=lambda stream, state: print(state.name), limit=3).close()
    ksr.open("v1/pods", on_error=handler, **flags).close()
    ksr.open(ksr.Config("v1/pods", **keys), on_log=lambda stream, level, line: print(level, line.upper())).close()

def ask(keys: Dict[str, str]) -> None:
    with ksr.Client(on_log=lambda client, level, line: print(client.closed, line.upper()), **keys) as client:
        pod = client.get("v1/pods", "web-0", namespace="default", timeout=2.5).object
        print(pod.name if pod is not None else "")
        client.apply("v1/configmaps", "a", {"data": {"k": "v"}}, field_manager="me", force=True, dry_run=True)
        answer: ksr.Response = client.call(method="GET", path="/healthz", query={"a": ["b", "c"]}, headers={"d": "e"})
        for snapshot in client.stream("v1/pods", on_error=on_error, limit=3):
            print(snapshot.sequence)
        print(answer.text.upper(), answer.http_status + 1, answer.warnings[0].upper(), len(answer.body))

async def ask_in_loop(client: ksr.Client) -> None:
    response = await client.aio.list("v1/pods", label_selector="app=web")
    print(response.header("etag"), (await client.acall(path="/healthz")).json())

def stream_bytes(client: ksr.Client) -> None:
    with client.log("web-0", namespace="default", follow=True, on_event=lambda event: print(event.kind.name)) as log:
        for line in log:
            print(line.decode(), log.cursor.upper())
    with client.exec("web-0", ["ls"], stdin=True) as run:
        output, errors = run.communicate(b"x")
        code = run.wait()
        print(output + errors, 0 if code is None else code + 1)
    for message in client.websocket("/x"):
        print(message)

async def stream_bytes_in_loop(client: ksr.Client) -> None:
    async with client.aio.port_forward("web-0", 80) as port:
        await port.write(b"GET /")
        print((await port.read(5)).decode())

def refused(error: ksr.Error) -> None:
    print(error.status["details"] if error.status is not None else error.details, error.maybe_done)

async def watch_in_loop() -> None:
    async with ksr.open("v1/pods", namespace=["a", "b"]) as pods:
        snapshot = await pods.next(1.0)
        print(snapshot.sequence if snapshot is not None else 0)
        async for snapshot in pods:
            print([(kind.name, pod.kind) for kind, pod in snapshot.deltas()])
"""

DOES_NOT_FIT = """
import ksr
def on_error(error: ksr.Error) -> None: ...
ksr.open("v1/pods", on_error=on_error)
ksr.open("v1/pods", limit=1.5)
ksr.open(1)
ksr.Client().get("v1/pods", "a").upper()
ksr.Client().apply("v1/pods", "a", {})
ksr.Client().delete_collection("v1/pods", label_selector=None)
ksr.Client().delete_collection("v1/pods", namespace=None)
"""


@unittest.skipUnless(mypy, "needs mypy")
class Types(unittest.TestCase):
    def check(self, program):
        root = pathlib.Path(ksr.__file__).parent.parent
        with tempfile.TemporaryDirectory() as folder:
            path = pathlib.Path(folder) / "program.py"
            path.write_text(program, encoding="utf-8")
            return subprocess.run(
                [sys.executable, "-m", "mypy", "--strict", "--cache-dir", f"{folder}/cache", str(path)],
                cwd=root,
                stdout=subprocess.PIPE,
                text=True,
            )

    def test_a_program_passes_in_strict_mode(self):
        checked = self.check(FITS)
        self.assertEqual(checked.returncode, 0, checked.stdout)

    def test_mistakes_are_found(self):
        checked = self.check(DOES_NOT_FIT)
        for line in range(4, 11):
            self.assertIn(f"program.py:{line}: error", checked.stdout)

    def test_the_package_itself(self):
        root = pathlib.Path(ksr.__file__).parent
        with tempfile.TemporaryDirectory() as cache:
            checked = subprocess.run(
                [sys.executable, "-m", "mypy", "--strict", "--cache-dir", cache, str(root)],
                stdout=subprocess.PIPE,
                text=True,
            )
        self.assertEqual(checked.returncode, 0, checked.stdout)


if __name__ == "__main__":
    unittest.main()
