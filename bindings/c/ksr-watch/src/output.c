#include "output.h"

#include "cell.h"
#include "clock.h"
#include "json.h"
#include "utf8.h"

static void add_full_name(struct text* out, const ksr_object* object) {
  slice namespace_name = object_field(object, KSR_FIELD_NAMESPACE);
  utf8_add_shown(out, namespace_name);
  if (namespace_name.len) text_add_char(out, '/');
  utf8_add_shown(out, object_field(object, KSR_FIELD_NAME));
}

static void print_json(struct watch* watch) {
  struct text* out = &watch->out.pending;
  size_t i, count = ksr_snapshot_count(watch->latest);
  text_add_char(out, '[');
  for (i = 0; i < count; ++i) {
    if (i) text_add_char(out, ',');
    json_add_line(out, object_field(ksr_snapshot_at(watch->latest, i), KSR_FIELD_JSON));
    sink_relieve(&watch->out);
  }
  text_add(out, slice_of("]\n"));
}

static const char* delta_name(ksr_delta delta) {
  switch (delta) {
    case KSR_DELTA_ADDED:
      return "ADDED ";
    case KSR_DELTA_MODIFIED:
      return "MODIFIED ";
    case KSR_DELTA_DELETED:
      return "DELETED ";
    default:
      return "OTHER ";
  }
}

static void print_events(struct watch* watch) {
  struct text* out = &watch->out.pending;
  size_t i, count = ksr_snapshot_delta_count(watch->latest);
  for (i = 0; i < count; ++i) {
    const ksr_object* object = NULL;
    text_add(out, slice_of(delta_name(ksr_snapshot_delta_at(watch->latest, i, &object))));
    add_full_name(out, object);
    text_add_char(out, ' ');
    utf8_add_shown(out, object_field(object, KSR_FIELD_RESOURCE_VERSION));
    text_add_char(out, '\n');
    sink_relieve(&watch->out);
  }
}

static void print_names(struct watch* watch) {
  struct text* out = &watch->out.pending;
  size_t i, count = ksr_snapshot_count(watch->latest);
  for (i = 0; i < count; ++i) {
    add_full_name(out, ksr_snapshot_at(watch->latest, i));
    text_add_char(out, '\n');
    sink_relieve(&watch->out);
  }
}

static void print_table(struct watch* watch) {
  struct table* table = &watch->table;
  struct text* out = &watch->out.pending;
  size_t i, count = ksr_snapshot_count(watch->latest);
  struct layout layout;
  if (!count) {
    text_add(out, slice_of("No resources found\n"));
    return;
  }
  table_begin(table, columns_for(ksr_snapshot_at(watch->latest, 0), !watch->options.one_namespace));
  for (i = 0; i < count; ++i) table_add(table, ksr_snapshot_at(watch->latest, i), wall_ms());
  layout = table_layout(table, 0);
  table_add_titles(table, &layout, out);
  text_add_char(out, '\n');
  for (i = 0; i < count; ++i) {
    table_add_row(table, &layout, i, out);
    text_add_char(out, '\n');
    sink_relieve(&watch->out);
  }
}

void output_snapshot(struct watch* watch, int is_first) {
  enum output output = watch->options.output;
  if (!is_first && (output == OUTPUT_NAMES || output == OUTPUT_TABLE)) text_add_char(&watch->out.pending, '\n');
  switch (output) {
    case OUTPUT_JSON:
      print_json(watch);
      break;
    case OUTPUT_EVENTS:
      print_events(watch);
      break;
    case OUTPUT_NAMES:
      print_names(watch);
      break;
    case OUTPUT_TABLE:
      print_table(watch);
      break;
  }
  sink_flush(&watch->out);
}
