"""Builds what the benchmarks run: the replay server, the peers and libksr with its host."""

import os
import shutil
import subprocess
import sys
import venv
from pathlib import Path

ROOT = Path(__file__).resolve().parents[3]
BENCH = ROOT / "tests" / "bench"
OUT = ROOT / "build" / "bench"
LIBKSR_BUILD = ROOT / "build" / "bench-release"

dry = False  # uses the programs of the last build


class Missing(Exception):
    """A missing tool; the cases that need it are omitted."""


def step(name, command, folder=ROOT, **environment):
    """Runs a command; its log is shown only when it fails."""
    if dry and name.split()[0] in ("build", "configure"):
        return
    log = OUT / "logs" / (name.replace(" ", "-") + ".log")
    log.parent.mkdir(parents=True, exist_ok=True)
    print(f"tests/bench/run: {name} ...", file=sys.stderr)
    with log.open("w") as out:
        words, variables = [str(word) for word in command], {**os.environ, **environment}
        done = subprocess.run(words, cwd=folder, stdout=out, stderr=subprocess.STDOUT, env=variables)
    if done.returncode != 0:
        tail = "\n".join(log.read_text(errors="replace").splitlines()[-30:])
        raise SystemExit(f"{tail}\ntests/bench/run: {name} failed; the whole log: {log}")


def require(tool, why):
    if shutil.which(tool) is None:
        raise Missing(f"{tool} is not installed: no {why}")


def server():
    return go_program("server", "server")


def client_go():
    return go_program("client-go", "peers/client-go")


def go_program(name, folder):
    require("go", name)
    program = OUT / "bin" / name
    step(f"build {name}", ["go", "build", "-o", program, f"./{folder}"], BENCH, GOWORK="off", GOFLAGS="-buildvcs=false")
    return program


def kube_rs():
    require("cargo", "kube-rs")
    target = OUT / "kube-rs"
    step("build kube-rs", ["cargo", "build", "--release"], BENCH / "peers" / "kube-rs", CARGO_TARGET_DIR=str(target))
    return target / "release" / "kube-rs-peer"


def libksr(directory=None):
    """The release build in a separate tree, or the build in `directory`, which is completed there if necessary."""
    tree = tree_in(directory)
    options = ["-DKSR_BUILD_BENCHMARKS=ON"] + ([] if directory else ["-DKSR_BUILD_TESTS=OFF"])
    step("configure libksr", ["cmake", "--preset", "release", "-B", tree, *options])
    targets = ["--target", "bench_libksr", "bench_json", "bench_store"]
    step("build libksr", ["cmake", "--build", tree, "-j", os.cpu_count() or 1, *targets])
    return tree / "tests" / "bench" / "libksr" / "bench_libksr"


def tree_in(directory):
    return Path(directory).resolve() if directory else LIBKSR_BUILD


def real_server():
    return go_program("real", "real")


def libksr_and_cluster(directory=None):
    """libksr's host and the program that starts a real kube-apiserver, of the same build."""
    tree = tree_in(directory)
    options = ["-DKSR_BUILD_BENCHMARKS=ON", "-DKSR_BUILD_TESTS=ON", "-DKSR_BUILD_CLUSTER_TESTS=ON"]
    step("configure libksr", ["cmake", "--preset", "release", "-B", tree, *options])
    targets = ["--target", "bench_libksr", "ksr-cluster"]
    step("build libksr", ["cmake", "--build", tree, "-j", os.cpu_count() or 1, *targets])
    tests = tree / "tests"
    return tests / "bench" / "libksr" / "bench_libksr", tests / "cluster" / "demo" / "ksr-cluster"


def cluster_programs():
    """The directory of etcd and kube-apiserver: $KSR_CLUSTER_BIN_DIR, else what tests/cluster/build makes."""
    given = os.environ.get("KSR_CLUSTER_BIN_DIR")
    if not given:
        step("build kube-apiserver", [ROOT / "tests" / "cluster" / "build"])
    return Path(given) if given else ROOT / "build" / "cluster" / "bin"


def plotter():
    """A Python that has matplotlib."""
    home = OUT / "venv"
    python = home / "bin" / "python"
    if not python.exists() or subprocess.run([python, "-c", "import matplotlib"], capture_output=True).returncode != 0:
        venv.create(home, with_pip=True)
        step("install matplotlib", [python, "-m", "pip", "install", "--quiet", "matplotlib"])
    return python
