"""The cases: which client does what, against how many objects."""

from dataclasses import dataclass, field, replace

OBJECTS = 50_000
EVENTS = 200_000


@dataclass(frozen=True)
class Case:
    name: str  # CLIENT/WHAT
    arguments: tuple = ()
    objects: int = OBJECTS
    events: int = EVENTS
    tls: bool = False
    repeated: bool = False  # compared with others: the median of all rounds counts
    timeout: int = 600
    environment: dict = field(default_factory=dict)

    @property
    def client(self):
        return self.name.split("/")[0]


# A server that cannot stream initial events would only cost client-go one more request.
_GO = {"KUBE_FEATURE_WatchListClient": "false"}


def _go(what, mode, **more):
    return Case(f"client-go/{what}", ("--mode", mode), environment=_GO, **more)


def _rust(what, mode, **more):
    return Case(f"kube-rs/{what}", ("--mode", mode), **more)


def _ksr(what, case, *arguments, **more):
    return Case(f"libksr/{what}", (case, *arguments), **more)


_PACED = ("--rate", "1000")
_COLUMNS = ("--columns", "/spec/nodeName /status/phase /spec/containers/*/image")
_SHOWN = "/spec/nodeName /status/phase /status/podIP /status/startTime /spec/containers/*/image"
_KEPT = ("--keep_fields", f"{_SHOWN} /metadata/labels", *_COLUMNS)
_FEW = ("--keep_fields", f"{_SHOWN} /metadata/labels/app.kubernetes.io~1name", *_COLUMNS)
_WEBSOCKET = ("--transport", "websocket")

COMPARED = [
    Case("curl/http", repeated=True),
    Case("curl/https", tls=True, repeated=True),
    Case("floor/watch", ("drain",), repeated=True),
    _ksr("http", "watch", repeated=True),
    _ksr("websocket", "watch", *_WEBSOCKET, repeated=True),
    _ksr("http-tls", "watch", tls=True, repeated=True),
    _ksr("websocket-tls", "watch", *_WEBSOCKET, tls=True, repeated=True),
    _go("protobuf", "protobuf", repeated=True),
    _go("protobuf-tls", "protobuf", tls=True, repeated=True),
    _rust("typed", "typed", repeated=True),
    _rust("typed-tls", "typed", tls=True, repeated=True),
    _rust("dynamic", "dynamic"),
    _go("json", "json"),
    _go("dynamic", "dynamic"),
]

CALLS = 10_000

COMPARED += [
    Case(f"curl/calls{suffix}", objects=1, events=CALLS, tls=tls, repeated=True)
    for suffix, tls in (("", False), ("-tls", True))
]
COMPARED += [
    make(f"calls{suffix}", "calls", objects=1, events=CALLS, tls=tls, repeated=True)
    for make in (_ksr, _go)
    for suffix, tls in (("", False), ("-tls", True))
]

ALONE = [
    _ksr("latency", "latency", events=10_000),
    _ksr("latency-websocket", "latency", *_WEBSOCKET, events=10_000),
    replace(_go("latency", "protobuf", events=10_000), arguments=("--mode", "protobuf", *_PACED)),
    replace(_rust("latency", "typed", events=10_000), arguments=("--mode", "typed", *_PACED)),
    # What a daemon keeps of a pod that it shows; the events change labels, which are told, or what is cut.
    _ksr("fields", "watch", *_KEPT),
    _ksr("fields-indexes", "watch", *_KEPT, "--index", "0 1"),
    _ksr("fields-quiet", "watch", *_FEW),
    _ksr("growth", "growth", events=2_000_000),
    _ksr("keep", "keep", events=100_000),
    _ksr("blocked", "blocked", "--newest", "5000", events=1_000_000),
    _ksr("blocked-websocket", "blocked", "--newest", "5000", *_WEBSOCKET, events=1_000_000),
    _ksr("blocked-all", "blocked", events=1_000_000),
    _ksr("shared", "shared"),
    _ksr("streams", "streams", objects=1),
    _ksr("streams-websocket", "streams", *_WEBSOCKET, objects=1),
    _ksr("streams-tls", "streams", objects=1, tls=True),
    _ksr("streams-websocket-tls", "streams", *_WEBSOCKET, objects=1, tls=True),
    Case("floor/change", ("handover",), events=10_000),
    _ksr("million", "million", objects=1_000_000, events=10_000),
    _ksr("million-limit", "million", "--limit", "500", objects=1_000_000, events=10_000),
]

# Separate programs, without a server: their output is the result.
MICRO = [Case("micro/json"), Case("micro/store", ("100000",))]

ALL = COMPARED + ALONE + MICRO


def quick(case):
    """A tenth of everything: shows whether the cases work, not how fast they are."""
    shrunk = tuple("500" if word == "5000" else word for word in case.arguments)
    return replace(case, arguments=shrunk, objects=max(1, case.objects // 10), events=max(1000, case.events // 10))
