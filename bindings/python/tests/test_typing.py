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
        for line in (4, 5, 6):
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
