#include "status.h"

#include "clock.h"
#include "report.h"
#include "utf8.h"

/* How long an error stays once the view is live again. */
enum { LINGER_MS = 10000 };

static const char* state_name(ksr_state state) {
  switch (state) {
    case KSR_STATE_CONNECTING:
      return "CONNECTING";
    case KSR_STATE_LISTING:
      return "LISTING";
    case KSR_STATE_LIVE:
      return "LIVE";
    case KSR_STATE_WAITING:
      return "WAITING";
    case KSR_STATE_CLOSED:
      return "CLOSED";
    default:
      return "STARTING";
  }
}

static void add_freshness(const struct watch* watch, struct text* out) {
  uint64_t fresh_ms = 0;
  if (ksr_stat(watch->stream, "fresh_ms", &fresh_ms) != KSR_OK) return;
  text_add(out, slice_of("  fresh "));
  age_add(out, fresh_ms > INT64_MAX ? INT64_MAX : (int64_t)fresh_ms);
}

static void add_counts(const struct watch* watch, struct text* out) {
  size_t count = ksr_snapshot_count(watch->latest);
  uint64_t events = 0;
  text_addf(out, "  %lu object%s", (unsigned long)count, count == 1 ? "" : "s");
  add_freshness(watch, out);
  if (ksr_stat(watch->stream, "events", &events) == KSR_OK) text_addf(out, "  %llu events", (unsigned long long)events);
  text_add(out, slice_of("  rv "));
  utf8_add_shown(out, slice_of(ksr_snapshot_resource_version(watch->latest, NULL)));
}

void status_add(const struct watch* watch, size_t width, struct text* out) {
  struct text line = {NULL, 0, 0};
  utf8_add_shown(&line, slice_of(watch->options.resource));
  text_addf(&line, "  %s", state_name(watch->state));
  if (watch->latest) add_counts(watch, &line);
  utf8_add_fitted(out, text_slice(&line), width);
  text_free(&line);
}

void status_add_news(const struct watch* watch, size_t cells, int64_t now, struct text* out) {
  const struct trouble* trouble = &watch->trouble;
  int matters = watch->state != KSR_STATE_LIVE || now - trouble->at_ms < LINGER_MS;
  struct text retry = {NULL, 0, 0};
  if (!trouble->message.len || !matters) {
    slice table = printer_trouble(watch->printer);
    utf8_add_fitted(out, table.len ? table : text_slice(&watch->last_log), cells);
    return;
  }
  if (watch->state != KSR_STATE_LIVE) report_add_retry(trouble, now, &retry);
  utf8_add_fitted(out, text_slice(&trouble->message), cells > retry.len ? cells - retry.len : 0);
  text_add(out, text_slice(&retry));
  text_free(&retry);
}
