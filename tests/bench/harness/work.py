"""Runs one case: its own server, one client, one line of JSON as the result."""

import json
import os
import subprocess
import sys
from contextlib import contextmanager
from statistics import median

from . import build


class Failed(Exception):
    pass


@contextmanager
def replaying(program, objects):
    """A replay server for as long as the block runs; it ends with its standard input."""
    certificate = build.OUT / "ca.pem"
    command = [program, "-objects", str(objects), "-ca", certificate]
    server = subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True)
    try:
        line = server.stdout.readline()
        if not line:
            raise Failed("the replay server does not start")
        yield {**json.loads(line), "ca": str(certificate)}
    finally:
        server.stdin.close()
        server.stdout.close()
        server.wait(timeout=30)


def run(case, programs):
    if case.client == "micro":
        name = case.name.split("/")[1]
        command = [programs["micro"] / name / f"bench_{name}", *case.arguments]
        return {"text": execute(command, case.timeout).stdout, "correct": True}
    with replaying(programs["server"], case.objects) as server:
        if case.client == "curl":
            if "/calls" not in case.name:
                return fetch(case, server)
            url = server["https" if case.tls else "http"]
            return calls(f"{url}/api/v1/namespaces/default/pods/pod", case.events, ["--cacert", server["ca"]])
        command = [programs[case.client], *case.arguments, "--events", str(case.events), "--control", server["http"]]
        command += ["--server", server["https" if case.tls else "http"]]
        if case.tls:
            command += ["--ca_file", server["ca"]]
        done = execute(command, case.timeout, case.environment)
        try:
            found = json.loads(done.stdout.splitlines()[-1])
        except (IndexError, ValueError):
            raise Failed(f"exit status {done.returncode}: {done.stderr.strip()[-400:]}") from None
        if done.stderr.strip():
            print(done.stderr.strip()[-400:], file=sys.stderr)
        return found


def execute(command, longest, environment=None):
    try:
        return subprocess.run(
            command, capture_output=True, text=True, timeout=longest, env={**os.environ, **(environment or {})}
        )
    except subprocess.TimeoutExpired:
        raise Failed(f"not done after {longest} s") from None


def fetch(case, server):
    """The floor: the same bytes, discarded."""
    url = server["https" if case.tls else "http"] + "/api/v1/pods"
    command = ["curl", "--silent", "--fail", "--noproxy", "*", "--cacert", server["ca"], "--output", os.devnull]
    command += ["--write-out", '{"list_seconds":%{time_total},"bytes":%{size_download}}', url]
    done = execute(command, case.timeout)
    if done.returncode != 0:
        raise Failed(f"curl ended with {done.returncode}")
    return {**json.loads(done.stdout), "correct": True}


def calls(url, count, options, longest=600):
    """Gets over one connection that is kept alive."""
    command = ["curl", "--silent", "--fail", "--noproxy", "*", "--output", os.devnull, *options]
    command += ["--write-out", "%{time_total} %{num_connects}\\n", f"{url}?n=[1-{count}]"]
    done = execute(command, longest)
    if done.returncode != 0:
        raise Failed(f"curl ended with {done.returncode}")
    rows = [line.split() for line in done.stdout.splitlines()]
    times = sorted(float(row[0]) * 1e6 for row in rows)
    return {
        "calls": len(rows),
        "call_us": times[len(times) // 2],
        "call_p99_us": times[len(times) * 99 // 100],
        "correct": len(rows) == count and sum(int(row[1]) for row in rows) == 1,
    }


def merge(rounds):
    """The median of each figure; figures of an incorrect round are void."""
    if len(rounds) == 1:
        return rounds[0]
    merged = dict(rounds[-1])
    for name, value in merged.items():
        if isinstance(value, (int, float)) and not isinstance(value, bool):
            merged[name] = median(each[name] for each in rounds)
    merged["correct"] = all(each.get("correct") for each in rounds)
    merged["rounds"] = rounds
    return merged
