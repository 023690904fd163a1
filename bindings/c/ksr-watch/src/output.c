#include "output.h"

#include <stdlib.h>
#include <string.h>

#include "json_line.h"
#include "object.h"
#include "report.h"
#include "utf8.h"

static void add_full_name(struct text* out, const ksr_object* object) {
  slice namespace_name = object_field(object, KSR_FIELD_NAMESPACE);
  utf8_add_shown(out, namespace_name);
  if (namespace_name.len) text_add_char(out, '/');
  utf8_add_shown(out, object_field(object, KSR_FIELD_NAME));
}

static const char* delta_name(ksr_delta delta) {
  switch (delta) {
    case KSR_DELTA_ADDED:
      return "ADDED";
    case KSR_DELTA_MODIFIED:
      return "MODIFIED";
    case KSR_DELTA_DELETED:
      return "DELETED";
    default:
      return "OTHER";
  }
}

static void print_event(const struct change* change, struct text* out) {
  text_addf(out, "%s ", delta_name(change->delta));
  add_full_name(out, change->object);
  text_add_char(out, ' ');
  utf8_add_shown(out, object_field(change->object, KSR_FIELD_RESOURCE_VERSION));
  text_add_char(out, '\n');
}

static void print_json_event(const struct change* change, struct text* out) {
  text_addf(out, "{\"type\":\"%s\",\"object\":", delta_name(change->delta));
  json_add_line(out, object_field(change->object, KSR_FIELD_JSON));
  text_add(out, slice_of("}\n"));
}

/* Meanwhile the library goes on, and what it delivers next is what has changed until then. */
static void wait_for_reader(struct watch* watch) {
  if (!watch->has_told_slow_reader && !watch->ends_when_printed) {
    report_line(slice_of(
        "standard output is read too slowly: 64 MiB wait for it; several changes of an object may become one line"));
  }
  watch->has_told_slow_reader = 1;
  sink_flush(&watch->out);
}

static void print_change(struct watch* watch, const struct change* change) {
  struct text* out = &watch->out.pending;
  switch (watch->options.output) {
    case OUTPUT_EVENTS:
      print_event(change, out);
      break;
    case OUTPUT_JSON_EVENTS:
      print_json_event(change, out);
      break;
    case OUTPUT_JSON:
      json_add_line(out, object_field(change->object, KSR_FIELD_JSON));
      text_add_char(out, '\n');
      break;
    case OUTPUT_YAML:
      printer_add_yaml(watch->printer, change->object, out);
      break;
    case OUTPUT_NAME:
      printer_add_name(change->object, out);
      break;
    default:
      printer_add_row(watch->printer, change->object);
      break;
  }
  if (sink_relieve(&watch->out)) wait_for_reader(watch);
}

static void print_view(struct watch* watch) {
  struct text* out = &watch->out.pending;
  struct view view;
  size_t i, count = ksr_snapshot_count(watch->view);
  output_sort(watch, watch->view);
  view.snapshot = watch->view;
  view.sorted = watch->sorted;
  if (watch->options.output == OUTPUT_JSON) {
    text_add_char(out, '[');
  } else if (watch->has_printed) {
    text_add_char(out, '\n');
  }
  if (watch->options.output == OUTPUT_TABLE) printer_begin_view(watch->printer);
  for (i = 0; i < count; ++i) {
    const ksr_object* object = view_at(&view, i);
    if (watch->options.output == OUTPUT_JSON) {
      if (i) text_add_char(out, ',');
      json_add_line(out, object_field(object, KSR_FIELD_JSON));
    } else if (watch->options.output == OUTPUT_NAMES) {
      add_full_name(out, object);
      text_add_char(out, '\n');
    } else {
      printer_add_row(watch->printer, object);
    }
    if (sink_relieve(&watch->out)) sink_flush(&watch->out);
  }
  if (watch->options.output == OUTPUT_JSON) text_add(out, slice_of("]\n"));
}

static int is_by_change(const struct options* options) {
  switch (options->output) {
    case OUTPUT_EVENTS:
    case OUTPUT_JSON_EVENTS:
    case OUTPUT_YAML:
    case OUTPUT_NAME:
      return 1;
    case OUTPUT_TABLE:
    case OUTPUT_JSON:
      return options->by_change;
    default:
      return 0;
  }
}

/* The first ones. */
static void drop_changes(struct watch* watch, size_t count) {
  size_t i;
  for (i = 0; i < count; ++i) ksr_object_release(watch->changes[i].object);
  watch->change_count -= count;
  if (watch->change_count)
    memmove(watch->changes, watch->changes + count, watch->change_count * sizeof *watch->changes);
}

void output_sort(struct watch* watch, const ksr_snapshot* snapshot) {
  size_t i, count = ksr_snapshot_count(snapshot);
  if (!printer_sorts(watch->printer)) {
    free(watch->sorted);
    watch->sorted = NULL;
    return;
  }
  watch->sorted = resize(watch->sorted, count + 1, sizeof *watch->sorted);
  for (i = 0; i < count; ++i) watch->sorted[i] = ksr_snapshot_at(snapshot, i);
  printer_sort(watch->printer, watch->sorted, count);
}

static void add_change(struct watch* watch, ksr_delta delta, const ksr_object* object) {
  struct change* change;
  watch->changes = resize(watch->changes, watch->change_count + 1, sizeof *watch->changes);
  change = &watch->changes[watch->change_count++];
  change->delta = delta;
  change->object = ksr_object_retain(object);
}

static void add_changes(struct watch* watch, int is_first) {
  size_t i, count = ksr_snapshot_delta_count(watch->latest);
  struct view view;
  if (is_first) output_sort(watch, watch->latest);
  view.snapshot = watch->latest;
  view.sorted = watch->sorted;
  for (i = 0; i < count; ++i) {
    const ksr_object* object = NULL;
    ksr_delta delta = ksr_snapshot_delta_at(watch->latest, i, &object);
    /* The first view is all that is there, which has its own order. */
    if (is_first) object = view_at(&view, i);
    if (object) add_change(watch, delta, object);
  }
}

static void begin_batch(struct watch* watch) {
  if (is_by_change(&watch->options)) {
    watch->batch_count = watch->change_count;
  } else {
    ksr_snapshot_release(watch->view);
    watch->view = ksr_snapshot_retain(watch->latest);
  }
  if (watch->options.output == OUTPUT_TABLE) printer_forget_gone(watch->printer, watch->latest);
  watch->has_batch = 1;
  watch->has_news = 0;
}

/* 1 when the rows of the whole batch are there. */
static int rows_are_there(struct watch* watch) {
  int by_change = is_by_change(&watch->options);
  const ksr_object** objects;
  size_t i, count;
  int there;
  if (watch->options.output != OUTPUT_TABLE) return 1;
  /* Of what was deleted meanwhile there may be no row. */
  if (!by_change && watch->has_news && printer_has_rows(watch->printer, watch->latest)) begin_batch(watch);
  count = by_change ? watch->batch_count : ksr_snapshot_count(watch->view);
  objects = resize(NULL, count + 1, sizeof *objects);
  for (i = 0; i < count; ++i) {
    objects[i] = by_change ? watch->changes[i].object : ksr_snapshot_at(watch->view, i);
  }
  there = printer_prepare(watch->printer, objects, count, ksr_snapshot_count(watch->latest));
  free(objects);
  return there;
}

/* Of the first view, as is known once its rows have come. Changes after it stay in their own order. */
static void order_as_server(struct watch* watch) {
  const ksr_object** objects;
  size_t i;
  if (watch->has_printed || !is_by_change(&watch->options) || !printer_order_is_servers(watch->printer)) return;
  objects = resize(NULL, watch->batch_count + 1, sizeof *objects);
  for (i = 0; i < watch->batch_count; ++i) objects[i] = watch->changes[i].object;
  printer_sort(watch->printer, objects, watch->batch_count);
  for (i = 0; i < watch->batch_count; ++i) watch->changes[i].object = objects[i];
  free(objects);
}

void output_warnings(struct watch* watch) {
  struct text line = {NULL, 0, 0};
  while (printer_take_warning(watch->printer, &line)) {
    report_warning(watch, text_slice(&line));
    text_clear(&line);
  }
  text_free(&line);
}

static void print_batch(struct watch* watch) {
  struct text* out = &watch->out.pending;
  size_t i;
  order_as_server(watch);
  output_warnings(watch);
  if (is_by_change(&watch->options)) {
    for (i = 0; i < watch->batch_count; ++i) print_change(watch, &watch->changes[i]);
    drop_changes(watch, watch->batch_count);
  } else {
    print_view(watch);
  }
  if (watch->options.output == OUTPUT_TABLE) printer_take_lines(watch->printer, out);
  if (watch->options.output == OUTPUT_TABLE && !watch->options.by_change && !ksr_snapshot_count(watch->view) &&
      !(watch->options.name && watch->options.once)) {
    report_plain(slice_of("No resources found"));
  }
  if (printer_trouble(watch->printer).len) {
    struct text line = {NULL, 0, 0};
    text_add(&line, slice_of("the server's table did not come: "));
    text_add(&line, printer_trouble(watch->printer));
    report_line(text_slice(&line));
    text_free(&line);
  }
  watch->has_printed = 1;
  ksr_snapshot_release(watch->view);
  watch->view = NULL;
  watch->has_batch = 0;
  if (is_by_change(&watch->options) && sink_relieve(&watch->out)) wait_for_reader(watch);
  sink_push(&watch->out);
}

int output_waits(const struct watch* watch) {
  return watch->has_batch || watch->has_news;
}

void output_continue(struct watch* watch) {
  while (output_waits(watch)) {
    /* A slow reader gets every change, but the newest view alone. */
    if (!is_by_change(&watch->options) && sink_waits(&watch->out)) return;
    if (!watch->has_batch) begin_batch(watch);
    if (!rows_are_there(watch)) return;
    print_batch(watch);
  }
  if (!watch->ends_when_printed && watch->out.state == SINK_OPEN) return;
  watch->is_over = 1;
  ksr_cancel(watch->stream);
}

void output_finish(struct watch* watch) {
  while (output_waits(watch)) {
    if (!watch->has_batch) begin_batch(watch);
    print_batch(watch);
  }
}

void output_snapshot(struct watch* watch, int is_first) {
  if (watch->ends_when_printed) return;
  if (is_by_change(&watch->options)) add_changes(watch, is_first);
  watch->has_news = 1;
  watch->ends_when_printed = watch->options.once;
  output_continue(watch);
}

void output_free(struct watch* watch) {
  drop_changes(watch, watch->change_count);
  ksr_snapshot_release(watch->view);
  free(watch->changes);
  free(watch->sorted);
}
