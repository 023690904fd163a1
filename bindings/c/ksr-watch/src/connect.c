#include "connect.h"

#include <string.h>

#include "output.h"
#include "report.h"
#include "screen.h"
#include "utf8.h"

/* RESOURCE.GROUP, as kubectl names it, of GROUP/VERSION/RESOURCE; of any other spelling what is behind the last slash.
 */
static void add_resource_name(const char* resource, struct text* out) {
  const char* last = strrchr(resource, '/');
  const char* first = strchr(resource, '/');
  slice group = {resource, first ? (size_t)(first - resource) : 0};
  utf8_add_shown(out, slice_of(last ? last + 1 : resource));
  if (first == last || !group.len || strchr(first + 1, '/') != last) return;
  text_add_char(out, '.');
  utf8_add_shown(out, group);
}

/* As kubectl: a name that is not there is an error, unless it may come. */
static void note_missing_name(struct watch* watch) {
  if (!watch->options.name || !watch->options.once || ksr_snapshot_count(watch->latest)) return;
  text_clear(&watch->trouble.message);
  add_resource_name(watch->options.resource, &watch->trouble.message);
  text_add(&watch->trouble.message, slice_of(" \""));
  utf8_add_shown(&watch->trouble.message, slice_of(watch->options.name));
  text_add(&watch->trouble.message, slice_of("\" not found"));
  watch->is_failed = 1;
}

static void on_update(ksr_stream* stream, const ksr_snapshot* snapshot, void* user_data) {
  struct watch* watch = user_data;
  int is_first = watch->latest == NULL;
  (void)stream;
  screen_begin(watch);
  ksr_snapshot_release(watch->latest);
  watch->latest = ksr_snapshot_retain(snapshot);
  if (watch->is_live) {
    screen_note_changes(watch, !is_first);
  } else {
    output_snapshot(watch, is_first);
  }
  if (is_first) note_missing_name(watch);
}

static void on_error(ksr_stream* stream, const ksr_error* error, void* user_data) {
  struct watch* watch = user_data;
  screen_begin(watch);
  report_error(watch, error);
  if (watch->is_failed) ksr_cancel(stream);
}

static void on_state(ksr_stream* stream, ksr_state state, void* user_data) {
  struct watch* watch = user_data;
  (void)stream;
  watch->state = state;
  watch->is_dirty = 1;
  if (state == KSR_STATE_CLOSED) watch->is_over = 1;
}

static void on_log(int32_t level, const char* message, size_t len, void* user_data) {
  slice line = {message, len};
  report_log(user_data, level, line);
}

static int set(ksr_config* config, const struct setting* setting) {
  ksr_error* error = NULL;
  if (ksr_config_set(config, setting->key, setting->value, &error) == KSR_OK) return 1;
  report_setting(setting, error);
  ksr_error_free(error);
  return 0;
}

/* The defaults come first: the command line may override them. */
static int set_defaults(ksr_config* config, const struct watch* watch) {
  static char name[] = "ksr-watch/" KSR_WATCH_VERSION, frame[] = "100ms", inherit[] = "inherit";
  struct setting agent = {"user_agent", "user_agent", name};
  struct setting plugins = {"exec_stderr", "exec_stderr", inherit};
  struct setting interval = {"min_interval", "min_interval", frame};
  return set(config, &agent) && set(config, &plugins) && (!watch->goes_live || set(config, &interval));
}

static int set_all(ksr_config* config, struct watch* watch) {
  static char manual[] = "manual";
  struct setting delivery = {"delivery", "delivery", manual};
  size_t i;
  if (!set_defaults(config, watch)) return 0;
  for (i = 0; i < watch->options.setting_count; ++i) {
    if (!set(config, &watch->options.settings[i])) return 0;
  }
  if (!set(config, &delivery)) return 0;
  ksr_config_on_update(config, on_update);
  ksr_config_on_error(config, on_error);
  ksr_config_on_state(config, on_state);
  if (watch->options.log) ksr_config_on_log(config, on_log);
  return 1;
}

static int report_problem(struct text* problem, int status) {
  report_failure(text_slice(problem));
  text_free(problem);
  return status;
}

static int open_stream(ksr_config* config, struct watch* watch) {
  ksr_error* error = NULL;
  struct text problem = {NULL, 0, 0};
  watch->printer = printer_new(&watch->options, &problem);
  if (!watch->printer) return report_problem(&problem, EXIT_USAGE);
  if (ksr_open(config, watch, NULL, &watch->stream, &error) != KSR_OK) {
    text_add(&problem, slice_of(ksr_error_message(error, NULL)));
    ksr_error_free(error);
  } else if (!printer_connect(watch->printer, &watch->options, config, &problem)) {
    ksr_close(watch->stream);
  } else {
    return 0;
  }
  printer_close(watch->printer);
  return report_problem(&problem, EXIT_FAILED);
}

int connect_stream(struct watch* watch) {
  ksr_config* config = NULL;
  int status;
  if (ksr_config_new(&config) != KSR_OK) {
    report_failure(slice_of("no memory for a configuration"));
    return EXIT_FAILED;
  }
  status = set_all(config, watch) ? open_stream(config, watch) : EXIT_USAGE;
  ksr_config_free(config);
  options_hide_secrets(&watch->options);
  return status;
}
