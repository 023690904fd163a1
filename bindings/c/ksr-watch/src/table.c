#include "table.h"

#include <stdlib.h>
#include <string.h>

#include "utf8.h"

enum { WIDEST_GAP = 3, LEAST_WIDTH = 12 };

void table_begin(struct table* table, size_t columns) {
  if (table->columns != columns) {
    table->columns = columns;
    table->widths = resize(table->widths, 2 * columns + 1, sizeof *table->widths);
    memset(table->widths, 0, columns * sizeof *table->widths);
  }
  table->cells = 0;
  text_clear(&table->bytes);
}

static void end_cell(struct table* table) {
  if (table->cells == table->capacity) {
    table->capacity = table->capacity ? table->capacity * 2 : 256;
    table->ends = resize(table->ends, table->capacity, sizeof *table->ends);
  }
  table->ends[table->cells++] = table->bytes.len;
}

void table_add(struct table* table, slice cell) {
  size_t start = table->bytes.len, width, column;
  if (!table->columns) return;
  column = table->cells % table->columns;
  utf8_add_shown(&table->bytes, cell);
  end_cell(table);
  width = utf8_width(slice_after(text_slice(&table->bytes), start));
  if (width > table->widths[column]) table->widths[column] = width;
}

void table_free(struct table* table) {
  text_free(&table->bytes);
  free(table->ends);
  free(table->widths);
  memset(table, 0, sizeof *table);
}

static size_t line_width(const size_t* widths, size_t columns, size_t gap) {
  size_t i, width = columns ? (columns - 1) * gap : 0;
  for (i = 0; i < columns; ++i) width += widths[i];
  return width;
}

/* Takes `excess` cells off the widest columns, wherever one is above its least width. */
static void shrink(size_t* widths, size_t columns, size_t excess) {
  while (excess > 0) {
    size_t i, widest = 0;
    for (i = 1; i < columns; ++i) {
      if (widths[i] > widths[widest]) widest = i;
    }
    if (widths[widest] <= LEAST_WIDTH) return;
    --widths[widest];
    --excess;
  }
}

struct layout table_layout(struct table* table, size_t width) {
  struct layout layout = {table->widths, WIDEST_GAP, width};
  size_t* drawn = table->widths + table->columns;
  size_t needed;
  if (!width || !table->columns) return layout;
  while (layout.gap > 1 && line_width(table->widths, table->columns, layout.gap) > width) --layout.gap;
  needed = line_width(table->widths, table->columns, layout.gap);
  if (needed <= width) return layout;
  memcpy(drawn, table->widths, table->columns * sizeof *drawn);
  shrink(drawn, table->columns, needed - width);
  layout.widths = drawn;
  return layout;
}

/* One cell, cut to its column and to what is left of the line; 0 when the line is full. */
static int add_cell(const struct layout* layout, size_t column, slice shown, size_t* used, struct text* out) {
  size_t width = layout->widths[column];
  size_t gap = column ? layout->gap : 0;
  size_t start;
  if (layout->width && *used + gap >= layout->width) return 0;
  if (layout->width && *used + gap + width > layout->width) width = layout->width - *used - gap;
  text_add_spaces(out, gap);
  start = out->len;
  utf8_add_fitted(out, shown, width);
  text_add_spaces(out, width - utf8_width(slice_after(text_slice(out), start)));
  *used += gap + width;
  return 1;
}

static void trim(struct text* out, size_t start) {
  while (out->len > start && out->at[out->len - 1] == ' ') --out->len;
}

void table_add_row(const struct table* table, const struct layout* layout, size_t row, struct text* out) {
  size_t i, used = 0, start = out->len;
  for (i = 0; i < table->columns; ++i) {
    size_t cell = row * table->columns + i;
    size_t from = cell ? table->ends[cell - 1] : 0;
    slice shown = {table->bytes.at + from, table->ends[cell] - from};
    if (!add_cell(layout, i, shown, &used, out)) break;
  }
  trim(out, start);
}
