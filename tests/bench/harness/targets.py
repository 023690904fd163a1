"""The targets of libksr, as ratios and bounds within one run."""

from dataclasses import dataclass

MB = 1e6


@dataclass
class Line:
    what: str
    target: str
    measured: str
    met: bool


class Results(dict):
    """Figures by case; None if a case was not run or is void."""

    def figure(self, case, name):
        found = self.get(case)
        return found.get(name) if found and found.get("correct") else None


def lines(results):
    """Every line whose cases were run."""
    made = []
    for section in (watch, listing, memory, change, keeping, latency, blocked, sharing, streams, calls):
        made += [line for line in section(results) if line is not None]
    return made


def ratio(results, what, name, above, below, least):
    """The ratio of `above` to `below`; both are (case, figure)."""
    upper, lower = results.figure(*above), results.figure(*below)
    if upper is None or not lower:
        return None
    return Line(f"{what}: {name}", f"at least {least} ×", f"{upper / lower:.1f} ×", upper / lower >= least)


def bound(what, value, most, unit, scale=1.0, digits=1):
    if value is None:
        return None
    scaled = value / scale
    return Line(what, f"at most {most:g} {unit}".strip(), f"{scaled:.{digits}f} {unit}".strip(), scaled <= most)


def watch(results):
    peers = (
        ("client-go/protobuf", "client-go protobuf", 5),
        ("kube-rs/typed", "kube-rs typed", 10),
        ("client-go/json", "client-go JSON", 40),
    )
    for case in ("http", "websocket"):
        speed = (f"libksr/{case}", "events_per_second")
        for peer, name, least in peers:
            theirs = (peer, "events_per_second")
            yield ratio(results, f"watch, {case}", f"events/s against {name}", speed, theirs, least)
        yield bound(f"watch, {case}: CPU an event", results.figure(f"libksr/{case}", "cpu_us_per_event"), 6, "µs")
    for case in ("http-tls", "websocket-tls"):
        speed = (f"libksr/{case}", "events_per_second")
        peer = ("client-go/protobuf-tls", "events_per_second")
        yield ratio(results, f"watch, {case}", "events/s against client-go protobuf with TLS", speed, peer, 4)


def listing(results):
    peer = ("client-go/protobuf", "list_seconds")
    yield ratio(results, "list", "time of client-go protobuf against libksr", peer, ("libksr/http", "list_seconds"), 4)
    for case in ("http", "websocket", "http-tls", "websocket-tls"):
        found = results.get(f"libksr/{case}")
        if found and found.get("correct"):
            above = max(0, found["peak_list_bytes"] - found["resident_list_bytes"])
            yield bound(f"list, {case}: peak above the settled size", above, 32, "MB", MB)


def memory(results):
    peer, mine = ("client-go/protobuf", "resident_list_bytes"), ("libksr/http", "resident_list_bytes")
    yield ratio(results, "memory after the list", "client-go protobuf against libksr", peer, mine, 5)
    found = results.get("libksr/http")
    if found and found.get("correct"):
        allowed = 1.15 * found["store_bytes"] + 200 * found["objects"]
        yield bound("memory after the list against what is allowed (1.15 × bytes stored + 200 an object)",
                    found["resident_list_bytes"] / allowed, 1, "×", digits=2)
    grown = results.figure("libksr/growth", "growth_bytes")
    events = results.get("libksr/growth", {}).get("events", 0)
    yield bound(f"growth over {events:,} events, from a tenth of them on", grown, 1, "MB", MB)


def change(results):
    for case, name in (("million", "without limit"), ("million-limit", "with limit 500")):
        found = results.get(f"libksr/{case}")
        if not found or not found.get("correct"):
            continue
        what = f"one change in a large cache, {name}: CPU"
        events, slow, fast = found["events"], found["deliveries"], found["deliveries_at_10000"]
        at = f"{what}, %s/s, {events:,} changes in %s deliveries"
        floor = results.figure("floor/change", "cpu_us_per_change")
        floor_note = f" (reading and waking up only: {floor:.1f} µs)" if floor else ""
        yield bound(at % ("1,000", f"{slow:,}") + floor_note, found["cpu_us_per_change"], 20, "µs")
        yield bound(at % ("10,000", f"{fast:,}"), found["cpu_us_per_change_at_10000"], 20, "µs")
        yield bound(f"{what}, as fast as they come, a snapshot held", found["held_cpu_us_per_change"], 20, "µs")


def keeping(results):
    found = results.get("libksr/million")
    if found and found.get("correct"):
        changed = found["events"] * found["store_bytes"] / found["objects"]
        what = "held snapshot: memory against the changed objects alone"
        line = bound(what, found["held_bytes"] / changed, 1.5, "×", digits=2)
        line.met = line.met and found["held_unchanged"]
        yield line
    found = results.get("libksr/keep")
    if found and found.get("correct"):
        share = 100 * found["resident_kept_bytes"] / found["resident_full_bytes"]
        line = bound("a kept object, stream closed: resident of the full cache", share, 5, "%")
        line.met = line.met and found["kept_unchanged"]
        yield line


def latency(results):
    for case in ("latency", "latency-websocket"):
        yield bound(f"{case} at 1,000 events/s: p99", results.figure(f"libksr/{case}", "delay_p99_us"), 1, "ms", 1e3, 2)


def blocked(results):
    names = {"blocked": "http", "blocked-websocket": "websocket", "blocked-all": "http, every object changed"}
    for case, name in names.items():
        found = results.get(f"libksr/{case}")
        if found and found.get("correct"):
            events, objects = found["events_while_blocked"], found["next_deltas"]
            what = f"host blocked 10 s, {name}, {events:,} events meanwhile on {objects:,} objects"
            yield bound(f"{what}: peak above idle", found["above_idle_bytes"], 64, "MB", MB)
            right = found["next_right"]
            yield Line(f"host blocked, {name}: the next delivery", "right", "right" if right else "wrong", right)


def streams(results):
    for case in ("streams", "streams-websocket", "streams-tls", "streams-websocket-tls"):
        found = results.get(f"libksr/{case}")
        if found and found.get("correct"):
            yield bound(f"1,000 {case}: threads", found["threads"], 16, "", digits=0)
            yield bound(f"1,000 {case}: resident each", found["bytes_per_stream"], 150, "KB", 1e3)


def sharing(results):
    found = results.get("libksr/shared")
    if found and found.get("correct"):
        what = "10 streams that share one watch: resident against one"
        yield bound(what, found["resident_ratio"], 1.1, "×", digits=2)


def get(results, what, mine, floors):
    """`floors`: curl's candidates, of which the fastest counts."""
    call_us = results.figure(mine, "call_us")
    floor = min((time for name in floors if (time := results.figure(name, "call_us"))), default=None)
    if call_us and floor:
        yield bound(f"{what}: time against curl's keep-alive ({floor:.0f} µs)", call_us / floor, 1.3, "×", digits=2)
    yield bound(f"{what}: CPU beyond the kernel's", results.figure(mine, "user_us_per_call"), 60, "µs")


def calls(results):
    for case, name in (("calls", "http"), ("calls-tls", "https")):
        mine = f"libksr/{case}"
        if results.figure(mine, "call_us") is None:
            continue
        yield from get(results, f"get, {name}", mine, (f"curl/{case}",))
        peer = (f"client-go/{case}", "user_us_per_call")
        yield ratio(results, f"get, {name}", "CPU beyond the kernel's of client-go's RESTClient against libksr", peer,
                    (f"libksr/{case}", "user_us_per_call"), 1)
        yield bound(f"get, {name}: growth over 10,000", results.figure(f"libksr/{case}", "growth_bytes"), 0.5, "MB", MB)
