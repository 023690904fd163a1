"""Draws results.json as a PNG: chart.py RESULTS PNG. Runs in a Python that has matplotlib."""

import json
import sys

import matplotlib

matplotlib.use("Agg")
import matplotlib.pyplot as plot  # noqa: E402  the backend comes first

COLOURS = {"libksr": "#2a7f62", "client-go": "#4a90d9", "kube-rs": "#c2703d", "curl": "#999999", "floor": "#999999"}


def bars(axes, results, figure, title, scale=1.0, form="{:,.1f}", logarithmic=False):
    chosen = [(name, found[figure] / scale) for name, found in results.items() if figure in found]
    if not chosen:
        axes.set_visible(False)
        return
    names, values = zip(*reversed(chosen))
    drawn = axes.barh(names, values, color=[COLOURS[name.split("/")[0]] for name in names])
    axes.bar_label(drawn, [form.format(value) for value in values], padding=3, fontsize=8)
    axes.set_title(title, loc="left", fontsize=10)
    if logarithmic:
        axes.set_xscale("log")
    axes.margins(x=0.15)
    axes.tick_params(labelsize=8)
    axes.spines[["top", "right"]].set_visible(False)


def delays(axes, results):
    chosen = [(name, found["delays_us"]) for name, found in results.items() if "delays_us" in found]
    if not chosen:
        axes.set_visible(False)
        return
    for name, values in chosen:
        shares = [100 * i / (len(values) - 1) for i in range(len(values))]
        style = "--" if name.endswith("websocket") else "-"
        axes.plot([value / 1e3 for value in values], shares, style, label=name, color=COLOURS[name.split("/")[0]])
    axes.axvline(1, color="#bbbbbb", linewidth=0.8)
    axes.set_xscale("log")
    axes.set_title("event to callback at 1,000 events/s: % within ms", loc="left", fontsize=10)
    axes.legend(fontsize=8)
    axes.tick_params(labelsize=8)
    axes.spines[["top", "right"]].set_visible(False)


def growth(axes, results):
    found = results.get("libksr/growth")
    if not found:
        axes.set_visible(False)
        return
    rounds = [value / 1e6 for value in found["resident_rounds_bytes"]]
    step = found["events"] / (len(rounds) - 1) / 1e6
    axes.plot([i * step for i in range(len(rounds))], rounds, "o-", color=COLOURS["libksr"])
    axes.set_ylim(0, max(rounds) * 1.2)
    axes.set_title("libksr: resident MB by millions of events", loc="left", fontsize=10)
    axes.tick_params(labelsize=8)
    axes.spines[["top", "right"]].set_visible(False)


def draw(document, path):
    results = {name: found for name, found in document["results"].items() if found.get("correct")}
    alone = ("million", "latency", "growth")
    compared = {name: found for name, found in results.items() if not any(word in name for word in alone)}
    figure, axes = plot.subplots(3, 2, figsize=(14, 13))
    bars(axes[0][0], compared, "events_per_second", "watch: events/s (more is better)", form="{:,.0f}")
    bars(axes[0][1], compared, "cpu_us_per_event", "watch: CPU, µs an event (less is better, log)", logarithmic=True)
    title = "list to the first update, s (less is better, log)"
    bars(axes[1][0], compared, "list_seconds", title, form="{:.2f}", logarithmic=True)
    bars(axes[1][1], compared, "resident_list_bytes", "resident after the list, MB (less is better)", 1e6, "{:,.0f}")
    delays(axes[2][0], results)
    growth(axes[2][1], results)
    about = document["about"]
    figure.suptitle(f"{about['work']}\n{about['date']}, {about['machine']}", fontsize=9)
    figure.tight_layout(rect=(0, 0, 1, 0.97))
    figure.savefig(path, dpi=110)


if __name__ == "__main__":
    with open(sys.argv[1]) as file:
        draw(json.load(file), sys.argv[2])
