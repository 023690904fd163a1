"""The results on a real kube-apiserver as Markdown, and the targets of libksr there, as ratios within one run."""

from . import targets
from .table import row

PODS = (
    ("first snapshot, s", "list_seconds", lambda value: f"{value:.2f}"),
    ("apiserver CPU, s", "server_cpu_seconds", lambda value: f"{value:.2f}"),
    ("client CPU, s", "list_cpu_seconds", lambda value: f"{value:.2f}"),
    ("resident, MB", "resident_bytes", lambda value: f"{value / 1e6:.0f}"),
    ("on the wire, MB", "slow_received_bytes", lambda value: f"{value / 1e6:.1f}"),
    ("first snapshot over 50 ms and 50 Mbit/s, s", "slow_list_seconds", lambda value: f"{value:.2f}"),
    ("client CPU µs a change", "cpu_us_per_change", lambda value: f"{value:.0f}"),
    ("apiserver CPU µs a change", "server_cpu_us_per_change", lambda value: f"{value:.0f}"),
)

GADGETS = (
    ("first snapshot, s", "gadgets_list_seconds", lambda value: f"{value:.3f}"),
    ("apiserver CPU, s", "gadgets_server_cpu_seconds", lambda value: f"{value:.2f}"),
    ("client CPU, s", "gadgets_list_cpu_seconds", lambda value: f"{value:.2f}"),
    ("resident, MB", "gadgets_resident_bytes", lambda value: f"{value / 1e6:.0f}"),
)

GETS = (
    ("time of a get, µs", "call_us", lambda value: f"{value:.0f}"),
    ("p99, µs", "call_p99_us", lambda value: f"{value:.0f}"),
    ("CPU beyond the kernel's, µs", "user_us_per_call", lambda value: f"{value:.0f}"),
    ("CPU in the kernel, µs", "kernel_us_per_call", lambda value: f"{value:.0f}"),
)

TARGETS = (
    ("pods to the first snapshot", "client-go typed", "client-go/typed", "list_seconds", 2),
    ("pods to the first snapshot over 50 ms and 50 Mbit/s", "client-go typed", "client-go/typed", "slow_list_seconds", 3),
    ("custom objects to the first snapshot", "client-go dynamic", "client-go/dynamic", "gadgets_list_seconds", 4),
)


def markdown(results, about):
    server = results["server"]
    alone = [found["server_cpu_us_per_change_alone"] for found in results.values()
             if "server_cpu_us_per_change_alone" in found]
    parts = [f"{about['date']}, {about['machine']}. {about['work']} A pod has {server['pod_bytes']:,} bytes of JSON. "
             f"Load before: {about['load_before'][0]:.1f}.", ""]
    parts += [*clients(results, "pods", PODS), "", *clients(results, "custom objects", GADGETS), "", *clients(results, "gets of one pod", GETS)]
    if alone:
        parts += ["", f"Without a client, writing costs the apiserver {sorted(alone)[len(alone) // 2]:,.0f} µs CPU a change; "
                      "what is shown is beyond that."]
    made = [line for line in lines(targets.Results(results)) if line is not None]
    if made:
        parts += ["", row(("line", "target", "measured", "")), row(["---"] * 4)]
        parts += [row((line.what, line.target, line.measured, "met" if line.met else "**missed**")) for line in made]
    return "\n".join(parts) + "\n"


def clients(results, what, columns):
    yield row((what, *(title for title, _, _ in columns)))
    yield row(["---"] * (len(columns) + 1))
    for name, found in results.items():
        if name == "server" or ("/calls" in name) != (columns is GETS):
            continue
        if not found.get("correct"):
            yield row((name, "void: its objects are not the server's", *[""] * (len(columns) - 1)))
        elif columns[0][1] in found:
            yield row((name, *(form(found[figure]) if figure in found else "" for _, figure, form in columns)))


def lines(results):
    for what, peer, theirs, figure, least in TARGETS:
        yield targets.ratio(results, what, f"time of {peer} against libksr", (theirs, figure), ("libksr/auto", figure), least)
    yield from targets.get(results, "get", "libksr/calls", ("curl/calls", "curl/calls-http2"))
    yield targets.ratio(results, "get", "time of client-go's RESTClient against libksr", ("client-go/calls", "call_us"),
                        ("libksr/calls", "call_us"), 1)
    mine, theirs = (results.figure(name, "server_cpu_seconds") for name in ("libksr/auto", "client-go/typed"))
    if mine is not None and theirs:
        share = "pods to the first snapshot: apiserver CPU for libksr against that for client-go typed"
        yield targets.bound(share, mine / theirs, 0.7, "×", digits=2)
