/* The layout of lines. */
#include "table.h"

#include "check.h"

static struct table table;
static struct text out;

static void add_row(const char* a, const char* b, const char* c, const char* d) {
  table_add(&table, slice_of(a));
  table_add(&table, slice_of(b));
  table_add(&table, slice_of(c));
  table_add(&table, slice_of(d));
}

/* Titles and two rows. */
static void fill(const char* namespace_1, const char* name_1, const char* namespace_2, const char* name_2) {
  table_begin(&table, 4);
  add_row("NAMESPACE", "NAME", "DATA", "AGE");
  add_row(namespace_1, name_1, "1", "<unknown>");
  add_row(namespace_2, name_2, "1", "<unknown>");
}

static void draw(size_t width) {
  struct layout layout = table_layout(&table, width);
  size_t row;
  for (row = 0; row < 3; ++row) {
    if (row) text_add_char(&out, '\n');
    table_add_row(&table, &layout, row, &out);
  }
}

static void columns_are_as_wide_as_their_widest(void) {
  fill("default", "a", "b", "\xE4\xB8\xAD\xE6\x96\x87-long");
  draw(0);
  CHECK_TEXT(&out,
             "NAMESPACE   NAME        DATA   AGE\n"
             "default     a           1      <unknown>\n"
             "b           \xE4\xB8\xAD\xE6\x96\x87-long   1      <unknown>");
}

static void columns_do_not_jump(void) {
  fill("default", "a", "b", "c");
  draw(0);
  CHECK_TEXT(&out,
             "NAMESPACE   NAME        DATA   AGE\n"
             "default     a           1      <unknown>\n"
             "b           c           1      <unknown>");
  table_free(&table);
  fill("default", "a", "b", "c");
  draw(0);
  CHECK_TEXT(&out,
             "NAMESPACE   NAME   DATA   AGE\n"
             "default     a      1      <unknown>\n"
             "b           c      1      <unknown>");
}

static void narrow_lines_lose_gaps_then_width_then_their_end(void) {
  table_free(&table);
  fill("default", "a-name-of-some-length", "b", "c");
  draw(46);
  CHECK_TEXT(&out,
             "NAMESPACE NAME                  DATA AGE\n"
             "default   a-name-of-some-length 1    <unknown>\n"
             "b         c                     1    <unknown>");
  draw(40);
  CHECK_TEXT(&out,
             "NAMESPACE NAME            DATA AGE\n"
             "default   a-name-of-some\xE2\x80\xA6 1    <unknown>\n"
             "b         c               1    <unknown>");
  draw(34);
  CHECK_TEXT(&out,
             "NAMESPACE NAME         DATA AGE\n"
             "default   a-name-of-s\xE2\x80\xA6 1    <unkn\xE2\x80\xA6\n"
             "b         c            1    <unkn\xE2\x80\xA6");
}

static void no_line_is_wider_than_the_screen(void) {
  size_t width;
  for (width = 1; width < 60; ++width) {
    slice rest;
    size_t cells = 0;
    draw(width);
    for (rest = text_slice(&out); rest.len; rest = slice_after(rest, 1)) {
      if (*rest.at == '\n') cells = 0;
      /* Bytes that continue a character take no cell; here all characters take one. */
      if (*rest.at != '\n' && ((unsigned char)*rest.at & 0xC0u) != 0x80u) ++cells;
      CHECK(cells <= width);
    }
    text_clear(&out);
  }
}

static void cells_are_made_harmless(void) {
  table_free(&table);
  fill("x\x1b[31m", "a", "b", "c\nd");
  draw(0);
  CHECK_TEXT(&out,
             "NAMESPACE   NAME   DATA   AGE\n"
             "x^[[31m     a      1      <unknown>\n"
             "b           c d    1      <unknown>");
}

static void all_columns_are_drawn(void) {
  enum { MANY = 60 };
  char cell[16];
  size_t i;
  struct layout layout;
  struct text expected = {NULL, 0, 0};
  table_free(&table);
  table_begin(&table, MANY);
  for (i = 0; i < MANY; ++i) {
    snprintf(cell, sizeof cell, "T%02u", (unsigned)i);
    table_add(&table, slice_of(cell));
    text_addf(&expected, "%s%s", i ? " " : "", cell);
  }
  layout = table_layout(&table, 250);
  table_add_row(&table, &layout, 0, &out);
  CHECK_TEXT(&out, text_cstr(&expected));
  text_free(&expected);
}

int main(void) {
  columns_are_as_wide_as_their_widest();
  columns_do_not_jump();
  narrow_lines_lose_gaps_then_width_then_their_end();
  no_line_is_wider_than_the_screen();
  cells_are_made_harmless();
  all_columns_are_drawn();
  table_free(&table);
  text_free(&out);
  return check_result();
}
