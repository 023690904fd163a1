#include "report.h"

#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "clock.h"
#include "log_level.h"
#include "permanent.h"
#include "utf8.h"

static const char* line_prefix = "ksr-watch: ";
static const char* failure_prefix = "ksr-watch: ";

void report_as_get(void) {
  line_prefix = "ksr get: ";
  failure_prefix = "error: ";
}

static void write_line(const char* prefix, slice line) {
  struct text shown = {NULL, 0, 0};
  text_add(&shown, slice_of(prefix));
  utf8_add_shown(&shown, line);
  text_add_char(&shown, '\n');
  fputs(text_cstr(&shown), stderr);
  text_free(&shown);
}

void report_line(slice line) {
  write_line(line_prefix, line);
}

void report_failure(slice line) {
  write_line(failure_prefix, line);
}

void report_plain(slice line) {
  write_line("", line);
}

void report_setting(const struct setting* setting, const ksr_error* error) {
  struct text line = {NULL, 0, 0};
  text_addf(&line, "%s", setting->option);
  if (strcmp(setting->option, "--set") == 0) text_addf(&line, " %s", setting->key);
  text_addf(&line, ": %s", ksr_error_message(error, NULL));
  report_failure(text_slice(&line));
  text_free(&line);
}

void report_add_retry(const struct trouble* trouble, int64_t now, struct text* out) {
  int64_t left = trouble->at_ms + trouble->retry_ms - now;
  if (trouble->retry_ms <= 0) return;
  text_add(out, slice_of("; retry in "));
  if (left > 0 && left < 1000) {
    text_addf(out, "%ldms", (long)left);
  } else {
    age_add(out, left > 0 ? left : 0);
  }
}

static void note_error(struct trouble* trouble, const ksr_error* error) {
  text_clear(&trouble->message);
  utf8_add_shown(&trouble->message, slice_of(ksr_error_message(error, NULL)));
  trouble->at_ms = monotonic_ms();
  trouble->retry_ms = ksr_error_retry_ms(error);
}

void report_note_last_error(struct watch* watch) {
  ksr_error* error = ksr_last_error(watch->stream);
  if (error) note_error(&watch->trouble, error);
  ksr_error_free(error);
}

void report_error(struct watch* watch, const ksr_error* error) {
  struct trouble* trouble = &watch->trouble;
  int has_end = watch->options.once || watch->options.run_ms >= 0 || watch->of_get;
  note_error(trouble, error);
  watch->is_dirty = 1;
  if (trouble->retry_ms < 0 || (has_end && !watch->latest && is_permanent(error))) {
    watch->is_failed = watch->is_over = 1;
  } else if (!watch->is_live) {
    struct text line = {NULL, 0, 0};
    text_add(&line, text_slice(&trouble->message));
    report_add_retry(trouble, trouble->at_ms, &line);
    report_line(text_slice(&line));
    text_free(&line);
  }
}

static int is_on_table(const struct watch* watch) {
  return watch->is_live && isatty(STDERR_FILENO);
}

void report_warning(struct watch* watch, slice line) {
  if (!is_on_table(watch)) {
    report_plain(line);
    return;
  }
  text_clear(&watch->last_log);
  utf8_add_shown(&watch->last_log, line);
  text_add(&watch->warnings, text_slice(&watch->last_log));
  text_add_char(&watch->warnings, '\n');
  watch->is_dirty = 1;
}

void report_kept_warnings(struct watch* watch) {
  fputs(text_cstr(&watch->warnings), stderr);
  text_clear(&watch->warnings);
}

void report_log(struct watch* watch, int32_t level, slice line) {
  struct text labelled = {NULL, 0, 0};
  text_addf(&labelled, "%s: ", log_level_name(level));
  text_add(&labelled, line);
  if (is_on_table(watch)) {
    text_clear(&watch->last_log);
    utf8_add_shown(&watch->last_log, text_slice(&labelled));
    watch->is_dirty = 1;
  } else {
    report_line(text_slice(&labelled));
  }
  text_free(&labelled);
}
