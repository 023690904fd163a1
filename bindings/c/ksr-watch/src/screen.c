#include "screen.h"

#include <stdlib.h>
#include <unistd.h>

#include "clock.h"
#include "output.h"
#include "signals.h"
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

static void count_cell(void* user_data, slice cell) {
  (void)cell;
  ++*(size_t*)user_data;
}

static void add_cell(void* user_data, slice cell) {
  table_add(user_data, cell);
}

/* A row may have fewer cells than there are columns, or more. */
static void add_row(struct watch* watch, const ksr_object* object) {
  struct table* table = &watch->table;
  size_t end = table->cells + table->columns;
  if (!printer_each_cell(watch->printer, object, add_cell, table)) watch->has_placeholders = 1;
  while (table->cells < end) table_add(table, slice_of(""));
}

/* The row of titles, then the others. */
static void fill_table(struct watch* watch) {
  size_t i, columns = 0;
  printer_each_title(watch->printer, count_cell, &columns);
  if (watch->has_placeholders) table_free(&watch->table);
  watch->has_placeholders = 0;
  table_begin(&watch->table, columns);
  printer_each_title(watch->printer, add_cell, &watch->table);
  for (i = 0; i < watch->rows.count; ++i) add_row(watch, watch->rows.at[i].object);
}

/* What the server has not told yet is shown once it has. */
static void prepare_rows(struct watch* watch) {
  const ksr_object** objects = resize(NULL, watch->rows.count + 1, sizeof *objects);
  size_t i;
  for (i = 0; i < watch->rows.count; ++i) objects[i] = watch->rows.at[i].object;
  printer_prepare(watch->printer, objects, watch->rows.count, ksr_snapshot_count(watch->latest));
  printer_refresh(watch->printer, watch->rows.at[0].object, ksr_snapshot_count(watch->latest));
  printer_forget_gone(watch->printer, watch->latest);
  free(objects);
}

static void add_rows(struct canvas* canvas, struct watch* watch, int64_t now) {
  struct layout layout;
  size_t i;
  prepare_rows(watch);
  fill_table(watch);
  layout = table_layout(&watch->table, canvas->size.width);
  if (!watch->options.no_headers) {
    start_style(canvas, BOLD);
    table_add_row(&watch->table, &layout, 0, &canvas->lines);
    end_line(canvas, BOLD);
  }
  for (i = 0; i < watch->rows.count; ++i) {
    const char* style = style_of(&watch->rows.at[i], now);
    start_style(canvas, style);
    table_add_row(&watch->table, &layout, i + 1, &canvas->lines);
    end_line(canvas, style);
  }
}

static void add_cut(struct canvas* canvas, const struct watch* watch, size_t count) {
  struct text line = {NULL, 0, 0};
  size_t shown = watch->rows.existing, hidden = count - shown;
  if (watch->first) {
    text_addf(&line, "rows %lu to %lu of %lu", (unsigned long)watch->first + 1, (unsigned long)(watch->first + shown),
              (unsigned long)count);
  } else {
    text_addf(&line, "\xE2\x80\xA6 %lu more row%s", (unsigned long)hidden, hidden == 1 ? "" : "s");
  }
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

static struct view view_of(const struct watch* watch) {
  struct view view;
  view.snapshot = watch->latest;
  view.sorted = watch->sorted;
  return view;
}

/* The last row that is there stays at the bottom. */
static void keep_in_view(struct watch* watch, size_t height) {
  size_t count = ksr_snapshot_count(watch->latest);
  size_t last = count > height ? count - height : 0;
  watch->page = height;
  if (watch->first > last) watch->first = last;
}

static void compose(struct canvas* canvas, struct watch* watch, int64_t now) {
  size_t count = ksr_snapshot_count(watch->latest);
  struct view view = view_of(watch);
  size_t height;
  add_status(canvas, watch);
  add_news(canvas, watch, now);
  if (!watch->latest) return;
  height = rows_that_fit(canvas, count_lines(&canvas->lines));
  keep_in_view(watch, height);
  rows_show(&watch->rows, &view, watch->first, height, 0, now);
  if (watch->rows.count) add_rows(canvas, watch, now);
  if (!count && height > watch->rows.count) {
    text_add(&canvas->lines, utf8_front(slice_of("No resources found"), canvas->size.width));
    end_line(canvas, NULL);
  }
  if (count > watch->rows.existing) add_cut(canvas, watch, count);
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
  size_t height = rows_that_fit(&canvas, 1);
  struct view view;
  output_sort(watch, watch->latest);
  view = view_of(watch);
  keep_in_view(watch, height);
  rows_show(&watch->rows, &view, watch->first, height, marked, monotonic_ms());
  watch->is_dirty = 1;
}

void screen_scroll(struct watch* watch, enum key key) {
  size_t page = watch->page ? watch->page : 1, half = (page + 1) / 2;
  size_t up = 0, down = 0;
  switch (key) {
    case KEY_UP:
      up = 1;
      break;
    case KEY_DOWN:
      down = 1;
      break;
    case KEY_PAGE_UP:
      up = page;
      break;
    case KEY_PAGE_DOWN:
      down = page;
      break;
    case KEY_HALF_UP:
      up = half;
      break;
    case KEY_HALF_DOWN:
      down = half;
      break;
    case KEY_TOP:
      up = watch->first;
      break;
    case KEY_BOTTOM:
      down = ksr_snapshot_count(watch->latest);
      break;
    default:
      return;
  }
  watch->first = watch->first > up ? watch->first - up : 0;
  watch->first += down; /* as far as there are rows, see keep_in_view */
  watch->is_dirty = 1;
}

int screen_draw(struct watch* watch) {
  struct canvas canvas;
  int64_t now = monotonic_ms();
  int is_fading = rows_expire(&watch->rows, now);
  /* A job that runs is not told that it comes into the foreground. */
  if (watch->is_hidden == terminal_is_ours()) screen_enter(watch);
  if (watch->is_hidden) {
    watch->is_dirty = 0;
    return TICK_MS;
  }
  canvas = new_canvas(watch);
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
  watch->is_hidden = !terminal_is_ours();
  if (watch->is_hidden) {
    terminal_lose(&watch->out.pending);
  } else {
    terminal_enter(&watch->out.pending);
  }
  sink_flush(&watch->out);
  screen_forget(watch);
}

void screen_begin(struct watch* watch) {
  if (!watch->goes_live || watch->is_live) return;
  watch->is_live = 1;
  signals_for_terminal();
  screen_enter(watch);
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
