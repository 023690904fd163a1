#include "output.h"

#include <stdlib.h>

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
  sink_relieve(&watch->out);
}

static void print_view(struct watch* watch) {
  struct text* out = &watch->out.pending;
  struct view view;
  size_t i, count = ksr_snapshot_count(watch->latest);
  view.snapshot = watch->latest;
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
    sink_relieve(&watch->out);
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

static void drop_changes(struct watch* watch) {
  while (watch->change_count) ksr_object_release(watch->changes[--watch->change_count].object);
}

void output_sort(struct watch* watch) {
  size_t i, count = ksr_snapshot_count(watch->latest);
  if (!printer_sorts(watch->printer)) {
    free(watch->sorted);
    watch->sorted = NULL;
    return;
  }
  watch->sorted = resize(watch->sorted, count + 1, sizeof *watch->sorted);
  for (i = 0; i < count; ++i) watch->sorted[i] = ksr_snapshot_at(watch->latest, i);
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

/* 1 when the rows of all that is to be printed are there. */
static int rows_are_there(struct watch* watch) {
  const ksr_object** objects;
  size_t i, count = is_by_change(&watch->options) ? watch->change_count : ksr_snapshot_count(watch->latest);
  int there;
  if (watch->options.output != OUTPUT_TABLE) return 1;
  objects = resize(NULL, count + 1, sizeof *objects);
  for (i = 0; i < count; ++i) {
    objects[i] = is_by_change(&watch->options) ? watch->changes[i].object : ksr_snapshot_at(watch->latest, i);
  }
  there = printer_prepare(watch->printer, objects, count, ksr_snapshot_count(watch->latest));
  free(objects);
  return there;
}

/* What is known of the order once the rows have come. Changes after the first view stay in their own order. */
static void order_as_server(struct watch* watch) {
  const ksr_object** objects;
  size_t i;
  if (!printer_order_is_servers(watch->printer)) return;
  if (!is_by_change(&watch->options)) {
    output_sort(watch);
  } else if (!watch->has_printed) {
    objects = resize(NULL, watch->change_count + 1, sizeof *objects);
    for (i = 0; i < watch->change_count; ++i) objects[i] = watch->changes[i].object;
    printer_sort(watch->printer, objects, watch->change_count);
    for (i = 0; i < watch->change_count; ++i) watch->changes[i].object = objects[i];
    free(objects);
  }
}

static void print_warnings(struct watch* watch) {
  struct text line = {NULL, 0, 0};
  while (printer_take_warning(watch->printer, &line)) {
    report_plain(text_slice(&line));
    text_clear(&line);
  }
  text_free(&line);
}

static void print_what_waits(struct watch* watch) {
  struct text* out = &watch->out.pending;
  size_t i;
  order_as_server(watch);
  print_warnings(watch);
  if (is_by_change(&watch->options)) {
    for (i = 0; i < watch->change_count; ++i) print_change(watch, &watch->changes[i]);
    drop_changes(watch);
  } else {
    print_view(watch);
  }
  if (watch->options.output == OUTPUT_TABLE) printer_take_lines(watch->printer, out);
  if (watch->options.output == OUTPUT_TABLE && !watch->options.by_change && !ksr_snapshot_count(watch->latest)) {
    text_add(out, slice_of("No resources found\n"));
  }
  if (printer_trouble(watch->printer).len) {
    struct text line = {NULL, 0, 0};
    text_add(&line, slice_of("the server's table did not come: "));
    text_add(&line, printer_trouble(watch->printer));
    report_line(text_slice(&line));
    text_free(&line);
  }
  watch->has_printed = 1;
  watch->has_unprinted_view = 0;
  sink_flush(&watch->out);
}

void output_continue(struct watch* watch) {
  if (watch->has_unprinted_view && rows_are_there(watch)) print_what_waits(watch);
  if (watch->has_unprinted_view || (!watch->ends_when_printed && watch->out.state == SINK_OPEN)) return;
  watch->is_over = 1;
  ksr_cancel(watch->stream);
}

void output_snapshot(struct watch* watch, int is_first) {
  output_sort(watch);
  if (is_by_change(&watch->options)) add_changes(watch, is_first);
  if (watch->options.output == OUTPUT_TABLE) printer_forget_gone(watch->printer, watch->latest);
  watch->has_unprinted_view = 1;
  watch->ends_when_printed = watch->options.once;
  output_continue(watch);
}

void output_free(struct watch* watch) {
  drop_changes(watch);
  free(watch->changes);
  free(watch->sorted);
}
