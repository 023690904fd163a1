"""The comparison on a real kube-apiserver: who has the first snapshot when, what it costs, and what a change costs."""

import json
import os
import shutil
import subprocess
import threading
import time
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from urllib.parse import urlsplit

from . import build, work

POD, GADGET = "v1/pods", "bench.ksr.test/v1/gadgets"


@dataclass(frozen=True)
class Candidate:
    name: str  # CLIENT/WHAT
    arguments: tuple = ()
    resources: tuple = (POD,)

    @property
    def client(self):
        return self.name.split("/")[0]


# Each with its own defaults but for what its name says. client-go's Config asks for JSON unless told otherwise; Kubernetes'
# own components and controller-runtime set protobuf, and so does `typed`.
CANDIDATES = [
    Candidate("libksr/auto", ("real",), (POD, GADGET)),
    Candidate("libksr/json", ("real", "--encoding", "json")),
    Candidate("libksr/protobuf", ("real", "--encoding", "protobuf")),
    Candidate("client-go/typed", ("--mode", "protobuf")),
    Candidate("client-go/typed-json", ("--mode", "json")),
    Candidate("client-go/dynamic", ("--mode", "dynamic"), (POD, GADGET)),
    Candidate("kube-rs/typed", ("--mode", "typed")),
    Candidate("kube-rs/dynamic", ("--mode", "dynamic"), (POD, GADGET)),
]

# Gets of one pod over a warm connection. curl speaks HTTP/2 here unless told otherwise.
CALLS = 5_000
CALLERS = [
    Candidate("libksr/calls", ("calls",)),
    Candidate("client-go/calls", ("--mode", "calls")),
    Candidate("curl/calls", ("--http1.1",)),
    Candidate("curl/calls-http2"),
]

SETTLE = 1.0  # seconds that count as the first snapshot's for the server: what it has to clean up
LONGEST = 300


@dataclass(frozen=True)
class Job:
    pods: int
    gadgets: int
    churn: int
    rate: int
    rounds: int
    calls: int

    @staticmethod
    def of(options):
        if options.quick:
            return Job(2_000, 500, max(1, options.churn // 10), options.rate, options.repeat, CALLS // 10)
        return Job(20_000, 5_000, options.churn, options.rate, options.repeat, CALLS)

    def described(self):
        return (f"kube-apiserver over TLS on loopback with {self.pods:,} pods and {self.gadgets:,} custom objects, "
                f"{self.churn} s of {self.rate} changes a second, and before them {self.calls:,} gets of one pod; server, "
                f"etcd, writer and client share the machine; "
                f"the median of {self.rounds} rounds.")


class Program:
    """A program that says a line of JSON when it is ready, and answers each line of its standard input with one."""

    def __init__(self, command, environment=None):
        variables = {**os.environ, **(environment or {})}
        words = [str(word) for word in command]
        self.name = " ".join(words[:2])
        self.process = subprocess.Popen(words, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True, env=variables)

    def read(self, longest=LONGEST):
        watchdog = threading.Timer(longest, self.process.kill)
        watchdog.start()
        try:
            line = self.process.stdout.readline()
        finally:
            watchdog.cancel()
        if not line:
            raise work.Failed(f"{self.name} ended, or was not done within {longest} s")
        return json.loads(line)

    def ask(self, word, longest=LONGEST):
        self.process.stdin.write(word + "\n")
        self.process.stdin.flush()
        return self.read(longest)

    def end(self):
        """It ends with its standard input; one that does not is killed."""
        self.process.stdin.close()
        self.process.stdout.close()
        try:
            self.process.wait(timeout=20)
        except subprocess.TimeoutExpired:
            self.process.kill()
            self.process.wait()


@contextmanager
def running(command):
    program = Program(command)
    try:
        yield program
    finally:
        program.end()


class Server:
    """The kube-apiserver, which ksr-cluster has started."""

    def __init__(self, announced):
        self.url, *pairs = announced.removeprefix("listening on ").split()
        self.ca, self.token = (pair.split("=", 1)[1] for pair in pairs)
        self.address = urlsplit(self.url).netloc
        self.process = self.find(f"--secure-port={urlsplit(self.url).port}")
        self.idle = 0.0  # CPU seconds a second with no client

    @staticmethod
    def find(flag):
        for each in Path("/proc").glob("[0-9]*/cmdline"):
            try:
                words = each.read_bytes().decode(errors="replace").split("\0")
            except OSError:
                continue
            if words[0].endswith("/kube-apiserver") and flag in words:
                return each.parent
        raise work.Failed("no kube-apiserver is running")

    def cpu(self):
        fields = (self.process / "stat").read_text().rsplit(")", 1)[1].split()
        return (int(fields[11]) + int(fields[12])) / os.sysconf("SC_CLK_TCK")

    def access(self, address=None):
        return ["--server", f"https://{address or self.address}", "--ca_file", self.ca, "--token", self.token]


@contextmanager
def cluster(program, programs):
    """A real kube-apiserver for as long as the block runs; it ends with its standard input."""
    command = [program, "--stdin-eof", "--bin-dir", programs, "--pods", "0"]
    process = subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True)
    try:
        line = process.stdout.readline().strip()
        if not line:
            raise work.Failed("the kube-apiserver does not start")
        yield Server(line)
    finally:
        process.stdin.close()
        process.stdout.close()
        process.wait(timeout=60)


def programs(picked, directory, say):
    """Builds what the candidates need; a client whose tools are missing, or that cannot be built, is omitted."""
    made = {"real": build.real_server(), "bin": build.cluster_programs()}
    made["libksr"], made["cluster"] = build.libksr_and_cluster(directory)
    if shutil.which("curl"):
        made["curl"] = "curl"
    for client, make in (("client-go", build.client_go), ("kube-rs", build.kube_rs)):
        if client not in {candidate.client for candidate in picked}:
            continue
        try:
            program = make()
            if not program.exists():
                raise build.Missing(f"{program} was not built")
            made[client] = program
        except (build.Missing, SystemExit) as missing:
            say(f"{missing}: no {client}")
    return made


def measure(picked, made, job, say):
    """Each round runs all candidates, in an order that differs, so that load affects not one alone. Figures by candidate."""
    candidates = [each for each in picked if each.client in made and each not in CALLERS]
    rounds = {}
    with cluster(made["cluster"], made["bin"]) as server:
        flags = ["-pods", job.pods, "-gadgets", job.gadgets]
        say("fill the kube-apiserver ...")
        with running([made["real"], "writer", *server.access(), *flags]) as writer:
            filled = writer.read(1800)
            say(f"filled in {filled['fill_seconds']:.0f} s, a pod has {filled['pod_bytes']:,} bytes of JSON")
            time.sleep(5)
            called = calls(picked, made, job, server, filled["pod"], say)
            for turn in range(job.rounds):
                Round(server, writer, made, job, f"round {turn + 1} of {job.rounds}", say).run(
                    rotated(candidates, turn * 2), rounds)
    merged = {candidate.name: merge(rounds[candidate.name]) for candidate in candidates}
    return {**merged, **called, "server": {**filled, "rounds": job.rounds}}


def rotated(items, by):
    lead = by % max(len(items), 1)
    return items[lead:] + items[:lead]


def calls(picked, made, job, server, pod, say):
    """Before objects are changed: which pod there is, is known, and the server does nothing else."""
    callers = [each for each in CALLERS if each in picked and each.client in made]
    rounds = {caller.name: [] for caller in callers}
    for turn in range(job.rounds):
        for caller in rotated(callers, turn):
            say(f"{caller.name}, round {turn + 1} of {job.rounds}")
            try:
                rounds[caller.name].append(call(caller, made, job, server, pod))
            except (work.Failed, ValueError) as failed:
                say(f"{caller.name} failed: {failed}")
                rounds[caller.name].append({"correct": False})
    return {name: merge(found) for name, found in rounds.items()}


def call(caller, made, job, server, pod):
    if caller.client == "curl":
        space, name = pod.split("/")
        options = ["--cacert", server.ca, "--header", f"Authorization: Bearer {server.token}", *caller.arguments]
        return work.calls(f"{server.url}/api/v1/namespaces/{space}/pods/{name}", job.calls, options)
    command = [made[caller.client], *caller.arguments, *server.access(), "--pod", pod, "--events", str(job.calls)]
    done = work.execute(command, LONGEST)
    if done.returncode != 0:
        raise work.Failed(f"exit status {done.returncode}: {done.stderr.strip()[-400:]}")
    return json.loads(done.stdout.splitlines()[-1])


def merge(rounds):
    """The median of each figure; none if a round was void or failed."""
    return work.merge(rounds) if all(each["correct"] for each in rounds) else {"correct": False, "rounds": rounds}


class Round:
    def __init__(self, server, writer, made, job, name, say):
        self.server, self.writer, self.made, self.job, self.name, self.say = server, writer, made, job, name, say

    def run(self, candidates, rounds):
        self.say(f"without a client, {self.name}")
        begin, before = time.monotonic(), self.server.cpu()
        time.sleep(5)
        self.server.idle = (self.server.cpu() - before) / (time.monotonic() - begin)
        alone = self.changes()
        for candidate in candidates:
            self.say(f"{candidate.name}, {self.name}")
            try:
                rounds.setdefault(candidate.name, []).append(self.compare(candidate, alone))
            except (work.Failed, OSError, ValueError) as failed:
                if self.writer.process.poll() is not None:
                    raise SystemExit(f"the writer of objects has ended: {failed}") from None
                self.say(f"{candidate.name} failed: {failed}")
                rounds.setdefault(candidate.name, []).append({"correct": False})

    def compare(self, candidate, alone):
        found = {"correct": True}
        with self.client(candidate, POD) as client:
            self.first(client, "pods", "", found)
            self.churn(client, alone, found)
        with running([self.made["real"], "line", "-to", self.server.address]) as line:
            address = line.read()["address"]
            with self.client(candidate, POD, address) as client:
                self.first(client, "pods", "slow_", found)
                found.update({f"slow_{name}": value for name, value in line.ask("bytes").items()})
        if GADGET in candidate.resources:
            with self.client(candidate, GADGET) as client:
                self.first(client, "gadgets", "gadgets_", found)
        return found

    @contextmanager
    def client(self, candidate, resource, address=None):
        time.sleep(1)
        command = [self.made[candidate.client], *candidate.arguments, *self.server.access(address), "--resource", resource]
        if candidate.client == "client-go":
            command += ["--objects", self.writer.ask("gadgets" if resource == GADGET else "pods")["objects"]]
        self.begin, self.before = time.monotonic(), self.server.cpu()
        with running(command) as client:
            yield client

    def first(self, client, what, prefix, found):
        """Until the first snapshot, and what it took."""
        found.update({prefix + name: value for name, value in client.read().items()})
        time.sleep(SETTLE)
        idle = self.server.idle * (time.monotonic() - self.begin)
        found[prefix + "server_cpu_seconds"] = self.server.cpu() - self.before - idle
        found.update({prefix + name: value for name, value in client.ask("memory").items()})
        self.check(client, what, found)

    def check(self, client, what, found):
        """The client ends with exactly the objects of the server; a change may take its time."""
        expected = self.writer.ask(what)
        for _ in range(50):
            held = client.ask("held")
            if all(held[name] == expected[name] for name in ("objects", "version_sum")):
                return
            time.sleep(0.1)
        self.say(f"it holds {held}, the server has {expected}")
        found["correct"] = False

    def changes(self):
        """CPU seconds of the server, and how many changes there were."""
        before = self.server.cpu()
        done = self.writer.ask(f"churn {self.job.churn} {self.job.rate}", self.job.churn * 10 + LONGEST)
        time.sleep(SETTLE)
        return self.server.cpu() - before, done["changes"]

    def churn(self, client, alone, found):
        before = client.ask("cpu")["cpu_seconds"]
        server, changes = self.changes()
        found["changes"] = changes
        found["cpu_us_per_change"] = (client.ask("cpu")["cpu_seconds"] - before) / changes * 1e6
        found["server_cpu_us_per_change"] = (server / changes - alone[0] / alone[1]) * 1e6
        found["server_cpu_us_per_change_alone"] = alone[0] / alone[1] * 1e6
        self.check(client, "pods", found)
