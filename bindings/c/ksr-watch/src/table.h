/* Rows of cells laid out as lines of text. */
#ifndef KSR_WATCH_TABLE_H
#define KSR_WATCH_TABLE_H

#include <stddef.h>

#include "text.h"

struct table {
  size_t columns;
  size_t* widths;    /* of the columns, and as many again for table_layout */
  struct text bytes; /* the shown text of every cell, one after the other */
  size_t* ends;      /* where each cell ends in `bytes` */
  size_t cells;
  size_t capacity;
};

/* Empties the table. Widths only grow while the number of columns stays the same, so that columns do not jump;
 * table_free resets them. */
void table_begin(struct table* table, size_t columns);
/* The next cell, row by row; usually the first row is that of the titles. */
void table_add(struct table* table, slice cell);
void table_free(struct table* table);

/* How wide each column is drawn so that a line fits `width` cells (0: any width), and what stands between two. */
struct layout {
  const size_t* widths; /* the table's: until the next table_begin or table_layout */
  size_t gap;
  size_t width;
};

struct layout table_layout(struct table* table, size_t width);

/* Adds one line without its end. */
void table_add_row(const struct table* table, const struct layout* layout, size_t row, struct text* out);

#endif
