"""The results as Markdown."""

from . import cases, targets

COLUMNS = (
    ("list, s", "list_seconds", lambda value: f"{value:.2f}"),
    ("resident after the list, MB", "resident_list_bytes", lambda value: f"{value / 1e6:.0f}"),
    ("peak, MB", "peak_list_bytes", lambda value: f"{value / 1e6:.0f}"),
    ("events/s", "events_per_second", lambda value: f"{value:,.0f}"),
    ("CPU µs/event", "cpu_us_per_event", lambda value: f"{value:.1f}"),
    ("resident at the end, MB", "resident_watch_bytes", lambda value: f"{value / 1e6:.0f}"),
)

# By which factor libksr over HTTP is better.
COMPARISONS = {
    "libksr lists faster": "list_seconds",
    "watches faster": "events_per_second",
    "with less CPU": "cpu_us_per_event",
    "is smaller": "resident_list_bytes",
}


def row(cells):
    return "| " + " | ".join(cells) + " |"


def markdown(results, about):
    parts = [f"{about['date']}, {about['machine']}. {about['work']} "
        f"Load before: {about['load_before'][0]:.1f}.", "", *clients(results)]
    delays = latencies(results)
    if delays:
        parts += ["", *delays]
    made = targets.lines(results)
    if made:
        parts += ["", row(("line", "target", "measured", "")), row(["---"] * 4)]
        parts += [row((line.what, line.target, line.measured, "met" if line.met else "**missed**")) for line in made]
    for name in ("micro/json", "micro/store"):
        if name in results:
            parts += ["", f"{name}:", "```", results[name]["text"].rstrip(), "```"]
    return "\n".join(parts) + "\n"


def clients(results):
    """Each client's figures, and the ratio of libksr's to them."""
    yield row(("client", *(title for title, _, _ in COLUMNS), *COMPARISONS))
    yield row(["---"] * (len(COLUMNS) + len(COMPARISONS) + 1))
    for name, found in results.items():
        if name not in {case.name for case in cases.COMPARED}:
            continue
        if not found.get("correct"):
            blanks = [""] * (len(COLUMNS) + len(COMPARISONS) - 1)
            yield row((name, "void: its objects are not the server's", *blanks))
            continue
        cells = [form(found[figure]) if figure in found else "" for _, figure, form in COLUMNS]
        yield row((name, *cells, *comparisons(results, name)))


def comparisons(results, name):
    mine = "libksr/http-tls" if name.endswith(("-tls", "https")) else "libksr/http"
    if name.startswith("libksr"):
        return [""] * len(COMPARISONS)
    made = []
    for figure in COMPARISONS.values():
        theirs, ours = results.figure(name, figure), results.figure(mine, figure)
        if not theirs or not ours:
            made.append("")
        else:
            made.append(f"{ours / theirs if figure == 'events_per_second' else theirs / ours:.1f} ×")
    return made


def latencies(results):
    measured = [(name, found) for name, found in results.items() if "delay_p50_us" in found and found.get("correct")]
    if not measured:
        return []
    parts = ["p50", "p90", "p99", "p999", "max"]
    made = [row(("event to callback at 1,000/s, ms", *parts)), row(["---"] * 6)]
    for name, found in measured:
        made.append(row((name, *(f"{found[f'delay_{part}_us'] / 1e3:.2f}" for part in parts))))
    return made
