#include "screen.h"

#include <unistd.h>

#include "clock.h"
#include "status.h"
#include "terminal.h"
#include "utf8.h"

enum { FADE_STEP_MS = 150, TICK_MS = 1000, SLOW_READER_MS = 500 };

#define BOLD "\x1b[1m"
#define REVERSE "\x1b[7m"
#define YELLOW "\x1b[33m"
#define PLAIN "\x1b[0m"

/* A screen being composed: lines that end with a newline, which no shown text contains. */
struct canvas {
  struct text lines;
  struct terminal_size size;
  int has_color;
};

static void start_style(struct canvas* canvas, const char* style) {
  if (canvas->has_color && style) text_add(&canvas->lines, slice_of(style));
}

static void end_line(struct canvas* canvas, const char* style) {
  if (canvas->has_color && style) text_add(&canvas->lines, slice_of(PLAIN));
  text_add_char(&canvas->lines, '\n');
}

static void add_status(struct canvas* canvas, const struct watch* watch) {
  const char* style = watch->state == KSR_STATE_LIVE ? REVERSE : REVERSE YELLOW;
  size_t start;
  start_style(canvas, style);
  start = canvas->lines.len;
  status_add(watch, canvas->size.width, &canvas->lines);
  if (canvas->has_color) {
    slice status = slice_after(text_slice(&canvas->lines), start);
    text_add_spaces(&canvas->lines, canvas->size.width - utf8_width(status));
  }
  end_line(canvas, style);
}

/* A long line is continued in the next one, as long as most of the screen is left for rows. */
static void add_news(struct canvas* canvas, const struct watch* watch, int64_t now) {
  size_t most = canvas->size.height < 8 ? 1 : canvas->size.height / 4;
  struct text news = {NULL, 0, 0};
  slice rest;
  status_add_news(watch, most * canvas->size.width, now, &news);
  for (rest = text_slice(&news); rest.len && most > 0; --most) {
    slice line = utf8_front(rest, canvas->size.width);
    if (!line.len) break;
    start_style(canvas, YELLOW);
    text_add(&canvas->lines, line);
    end_line(canvas, YELLOW);
    rest = slice_after(rest, line.len);
  }
  text_free(&news);
}

static const char* style_of(const struct row* row, int64_t now) {
  int64_t age = now - row->marked_ms;
  switch (row->mark) {
    case KSR_DELTA_ADDED:
      return "\x1b[32m";
    case KSR_DELTA_MODIFIED:
      return YELLOW;
    case KSR_DELTA_DELETED:
      if (age < MARK_MS / 3) return "\x1b[1;31m";
      return age < MARK_MS * 2 / 3 ? "\x1b[31m" : "\x1b[2;31m";
    default:
      return NULL;
  }
}

static void fill_table(struct watch* watch) {
  size_t i;
  table_begin(&watch->table, columns_for(watch->rows.at[0].object, !watch->options.one_namespace));
  for (i = 0; i < watch->rows.count; ++i) table_add(&watch->table, watch->rows.at[i].object, wall_ms());
}

static void add_rows(struct canvas* canvas, struct watch* watch, int64_t now) {
  struct layout layout;
  size_t i;
  fill_table(watch);
  layout = table_layout(&watch->table, canvas->size.width);
  start_style(canvas, BOLD);
  table_add_titles(&watch->table, &layout, &canvas->lines);
  end_line(canvas, BOLD);
  for (i = 0; i < watch->rows.count; ++i) {
    const char* style = style_of(&watch->rows.at[i], now);
    start_style(canvas, style);
    table_add_row(&watch->table, &layout, i, &canvas->lines);
    end_line(canvas, style);
  }
}

static void add_cut(struct canvas* canvas, size_t hidden) {
  struct text line = {NULL, 0, 0};
  text_addf(&line, "\xE2\x80\xA6 %lu more row%s", (unsigned long)hidden, hidden == 1 ? "" : "s");
  text_add(&canvas->lines, utf8_front(text_slice(&line), canvas->size.width));
  end_line(canvas, NULL);
  text_free(&line);
}

static size_t count_lines(const struct text* lines) {
  size_t i, count = 0;
  for (i = 0; i < lines->len; ++i) count += lines->at[i] == '\n';
  return count;
}

/* How many rows fit under `head` lines, with the titles and the line that says how many are cut. */
static size_t rows_that_fit(const struct canvas* canvas, size_t head) {
  return canvas->size.height > head + 2 ? canvas->size.height - head - 2 : 0;
}

static void compose(struct canvas* canvas, struct watch* watch, int64_t now) {
  size_t count = ksr_snapshot_count(watch->latest);
  size_t height;
  add_status(canvas, watch);
  add_news(canvas, watch, now);
  if (!watch->latest) return;
  height = rows_that_fit(canvas, count_lines(&canvas->lines));
  rows_show(&watch->rows, watch->latest, height, 0, now);
  if (watch->rows.count) add_rows(canvas, watch, now);
  if (!count && height > watch->rows.count) {
    text_add(&canvas->lines, utf8_front(slice_of("No resources found"), canvas->size.width));
    end_line(canvas, NULL);
  }
  if (count > watch->rows.existing) add_cut(canvas, count - watch->rows.existing);
}

static struct canvas new_canvas(const struct watch* watch) {
  struct canvas canvas = {{NULL, 0, 0}, {0, 0}, 0};
  canvas.size = terminal_size_of(watch->out.fd);
  canvas.has_color = watch->has_color;
  return canvas;
}

/* Line by line from the top left corner, as many as the screen has. Each line is cleared before it is written: clearing
 * after a line that fills the screen's width would take its last character. */
static void paint(struct watch* watch, const struct canvas* canvas) {
  struct text* out = &watch->out.pending;
  size_t i, line = 0;
  text_add(out, slice_of("\x1b[H\x1b[K"));
  for (i = 0; i < canvas->lines.len && line < canvas->size.height; ++i) {
    if (canvas->lines.at[i] != '\n') {
      text_add_char(out, canvas->lines.at[i]);
    } else if (++line < canvas->size.height) {
      text_add(out, slice_of("\r\n\x1b[K"));
    }
  }
  if (line < canvas->size.height) text_add(out, slice_of("\x1b[J"));
  sink_flush(&watch->out);
}

void screen_note_changes(struct watch* watch, int marked) {
  struct canvas canvas = new_canvas(watch);
  rows_show(&watch->rows, watch->latest, rows_that_fit(&canvas, 1), marked, monotonic_ms());
  watch->is_dirty = 1;
}

int screen_draw(struct watch* watch) {
  struct canvas canvas = new_canvas(watch);
  int64_t now = monotonic_ms();
  int is_fading = rows_expire(&watch->rows, now);
  compose(&canvas, watch, now);
  watch->is_dirty = 0;
  if (!slice_same(text_slice(&canvas.lines), text_slice(&watch->frame))) paint(watch, &canvas);
  text_free(&watch->frame);
  watch->frame = canvas.lines;
  return is_fading ? FADE_STEP_MS : TICK_MS;
}

void screen_forget(struct watch* watch) {
  text_clear(&watch->frame);
  table_free(&watch->table);
  watch->is_dirty = 1;
}

void screen_enter(struct watch* watch) {
  terminal_enter(&watch->out.pending);
  sink_flush(&watch->out);
  screen_forget(watch);
}

/* What the screen showed, for the scrollback. */
static void add_last_view(struct watch* watch) {
  struct canvas canvas = new_canvas(watch);
  canvas.has_color = 0;
  rows_expire(&watch->rows, INT64_MAX);
  compose(&canvas, watch, monotonic_ms());
  text_add(&watch->out.pending, text_slice(&canvas.lines));
  text_free(&canvas.lines);
}

void screen_leave(struct watch* watch) {
  watch->out.end_fd = -1;
  watch->out.timeout_ms = SLOW_READER_MS;
  if (watch->out.state == SINK_INTERRUPTED) watch->out.state = SINK_OPEN;
  terminal_leave(&watch->out.pending);
  add_last_view(watch);
  sink_flush(&watch->out);
}
