"""The runner of the Python binding, see README.md of the scenario. `runner.py asyncio` awaits its streams in an event
loop."""

import asyncio
import sys
import threading
import time

import ksr

MARKS = {ksr.DeltaKind.ADDED: "+", ksr.DeltaKind.MODIFIED: "~", ksr.DeltaKind.DELETED: "-"}
FLOWING = 3

streams = {}
lock = threading.Lock()


def say(*words):
    with lock:
        print(*words, flush=True)


def key(item):
    return f"{item.namespace}/{item.name}"


def labels(item):
    raw = item.raw("/metadata/labels")
    return "" if raw is None else str(raw, "utf-8")


class Watched:
    def __init__(self, name, keys, *, pours, waits):
        self.name, self.pours, self.armed, self.closed, self.last = name, pours, False, False, 0
        open_it = clients[keys.pop("client")].stream if "client" in keys else ksr.open
        self.stream = open_it(
            keys.pop("resource", ""), **keys, on_error=self.on_error, on_state=self.on_state
        )
        self.waiter = threading.Thread(target=waits, args=(self,))
        self.waiter.start()

    def report(self, kind, *words):
        if self.closed:
            say("broken", self.name, kind, "after close")
        say(kind, self.name, *words)

    def on_error(self, stream, error):
        fatal = "fatal" if error.fatal else "retry"
        self.report("error", f"KSR_E_{error.code.name}", f"http={error.http_status}", f"reason={error.reason}", fatal)

    def on_state(self, stream, state):
        self.report("state", state.name)

    def on_update(self, snapshot):
        armed = self.armed  # before the report, which may be answered with the next step
        if snapshot.sequence != self.last + 1:
            say("broken", self.name, "sequence", snapshot.sequence, "after", self.last)
        self.last = snapshot.sequence
        if self.pours:
            if self.last == FLOWING:
                self.report("flowing")
            return
        keys = ",".join(map(key, snapshot))
        deltas = ",".join(f"{MARKS[kind]}{key(item)}{labels(item)}" for kind, item in snapshot.deltas())
        self.report("update", self.last, f"count={len(snapshot)}", f"keys={keys}", f"deltas={deltas}")
        if armed:
            self.stream.cancel()

    def close(self):
        self.stream.close()
        self.waiter.join()
        self.closed = True


def iterate(watched):
    try:
        for snapshot in watched.stream:
            watched.on_update(snapshot)
    except ksr.Error as error:
        if not error.fatal and not watched.stream.closed:
            say("broken", watched.name, error)


def iterate_in_a_loop(watched):
    async def main():
        try:
            async for snapshot in watched.stream:
                watched.on_update(snapshot)
        except ksr.Error as error:
            if not error.fatal and not watched.stream.closed:
                say("broken", watched.name, error)

    asyncio.run(main())


class Loop:
    """An event loop on a thread of its own."""

    def __init__(self):
        self.loop = asyncio.new_event_loop()
        threading.Thread(target=self.loop.run_forever, daemon=True).start()

    def run(self, coroutine):
        return asyncio.run_coroutine_threadsafe(coroutine, self.loop)


clients, requests = {}, {}


def came(response):
    item = response.object
    kind, name = ("-", "-") if item is None else (item.kind, item.name)
    data = item.raw("/data") if item is not None else None
    data = "" if data is None else str(data, "utf-8")
    warnings = response.warnings
    first = warnings[0] if warnings else "-"
    content = response.header("CONTENT-type", "-")
    return f"{response.http_status} {kind} {name} data={data} type={content} warnings={len(warnings)} {first}"


def failed(error):
    status = f"KSR_E_{error.code.name} http={error.http_status} reason={error.reason}"
    return f"{status} maybe_done={int(error.maybe_done)} details={error.details}"


async def begun(client, name, keys):
    try:
        say("answer", name, came(await client.acall(**keys)))
    except ksr.Error as error:
        say("answer", name, failed(error))


def opened(opens, keys):
    keys = dict(keys)
    kind, written = keys.pop("kind"), keys.pop("in", "")
    pod = keys.pop("name")
    if kind == "exec":
        return opens.exec(pod, [keys.pop("command")], **keys), written.encode()
    if kind == "portforward":
        return opens.port_forward(pod, int(keys.pop("port")), **keys), written.encode()
    return opens.log(pod, **keys), written.encode()


def outcome(error, code, out, errors):
    out, errors = (part.decode().replace("\n", "|") for part in (out, errors))
    ended = failed(error) if error else f"code={'-' if code is None else code}"
    return f"{ended} out={out} err={errors}"


def run(client, keys):
    """Opens a channel and reads it to its end."""
    ended, code, got = None, None, [b"", b""]
    try:
        channel, written = opened(client, keys)
    except ksr.Error as error:
        return outcome(error, None, b"", b"")
    with channel:
        is_exec = isinstance(channel, ksr.Exec)
        if written and is_exec:
            channel.stdin.write(written)
            channel.stdin.close()
        elif written:
            channel.write(written)
        for place, reader in enumerate([channel.stdout, channel.stderr] if is_exec else [channel]):
            try:
                for piece in iter(reader.read1, b"") if reader else ():
                    got[place] += piece
            except ksr.Error as error:
                ended = error
        if is_exec:
            try:
                code = channel.wait()
            except ksr.Error as error:
                ended = error
    return outcome(ended, code, *got)


async def run_in_loop(client, keys):
    """The same in an event loop."""
    ended, code, got = None, None, [b"", b""]
    try:
        channel, written = opened(client.aio, keys)
    except ksr.Error as error:
        return outcome(error, None, b"", b"")
    async with channel:
        is_exec = isinstance(channel, ksr.AsyncExec)
        if written and is_exec:
            await channel.stdin.write(written)
            await channel.stdin.close()
        elif written:
            await channel.write(written)
        for place, reader in enumerate([channel.stdout, channel.stderr] if is_exec else [channel]):
            try:
                while reader:
                    piece = await reader.read(4096)
                    if not piece:
                        break
                    got[place] += piece
            except ksr.Error as error:
                ended = error
        if is_exec:
            try:
                code = await channel.wait()
            except ksr.Error as error:
                ended = error
    return outcome(ended, code, *got)


def answer_of_client(loop, in_loop, verb, client, *words):
    if verb in ("ask", "begin", "run"):
        keys = dict(word.split("=", 1) for word in words if "=" in word)
    if verb == "ask":
        try:
            return came(loop.run(client.acall(**keys)).result() if in_loop else client.call(**keys))
        except ksr.Error as error:
            return failed(error)
    if verb == "run":
        return loop.run(run_in_loop(client, keys)).result() if in_loop else run(client, keys)
    if verb == "begin":
        requests[words[0]] = loop.run(begun(client, words[0], keys))
    elif verb == "drained":
        while client.stat("open_requests"):
            time.sleep(0.005)
    elif verb == "stat":
        return str(client.stat(words[0]))
    elif verb == "until":
        while client.stat(words[0]) < int(words[1]):
            time.sleep(0.005)
    elif verb == "close":
        client.close()
    else:
        return "unknown step"
    return "ok"


def answer(waits, loop, verb, name, *words):
    if verb == "client":
        clients[name] = ksr.Client(**dict(word.split("=", 1) for word in words))
        return "ok"
    if verb == "give-up":
        requests[name].cancel()
        return "ok"
    if name in clients:
        return answer_of_client(loop, waits is iterate_in_a_loop, verb, clients[name], *words)
    if verb in ("open", "pour"):
        keys = dict(word.split("=", 1) for word in words)
        streams[name] = Watched(name, keys, pours=verb == "pour", waits=waits)
        return "ok"
    watched = streams[name]
    stream = watched.stream
    if verb == "arm":
        watched.armed = True
    elif verb == "synced":
        stream.wait_synced()
    elif verb == "latest":
        snapshot = stream.latest() if not stream.closed else None
        return "none" if snapshot is None else f"{snapshot.sequence} {','.join(map(key, snapshot))}"
    elif verb == "stat":
        return str(stream.stat(words[0]))
    elif verb == "until":
        while stream.stat(words[0]) < int(words[1]):
            time.sleep(0.005)
    elif verb == "cancel":
        stream.cancel()
    elif verb == "close":
        watched.close()
    else:
        return "unknown step"
    return "ok"


def main():
    loop = Loop()
    waits = iterate_in_a_loop if sys.argv[1:] == ["asyncio"] else iterate
    for line in sys.stdin:
        try:
            say("=", answer(waits, loop, *line.split()))
        except ksr.Error as error:
            say("=", f"KSR_E_{error.code.name}")


main()
