/* What the rows of a view look like: the columns of the server's Tables, asked for beside the stream, or those of
 * --columns; and objects as YAML or names. It is written in C++, with the parts of the commands. Main thread. */
#ifndef KSR_WATCH_PRINTER_H
#define KSR_WATCH_PRINTER_H

#include <ksr.h>
#include <stddef.h>
#include <stdint.h>

#ifdef __cplusplus
extern "C" {
#endif

#include "options.h"
#include "text.h"

struct printer;

/* NULL with a line in `problem` where --columns or --sort-by is wrong. */
struct printer* printer_new(const struct options* options, struct text* problem);
/* Where rows are the server's: how it is reached. Of `config` the connection counts, and its log callback is taken off.
 * 0 with a line in `problem`. */
int printer_connect(struct printer* printer, const struct options* options, ksr_config* config, struct text* problem);
void printer_close(struct printer* printer);

/* For poll; -1: there is nothing to wait for. */
int printer_fd(const struct printer* printer);
/* 1: an answer has come. */
int printer_dispatch(struct printer* printer);

/* Asks the server for the rows of these objects, of `total` in the view, unless they are there as of their version or
 * were asked for a moment ago. 1 when all are there, or cannot be had. */
int printer_prepare(struct printer* printer, const ksr_object* const* objects, size_t count, size_t total);
/* 1: printer_prepare would ask for nothing. */
int printer_has_rows(const struct printer* printer, const ksr_snapshot* snapshot);
/* Of a table that stays on the screen, `shown` a row of it: times since, in the cells of the server, are not to get
 * old, nor are its columns. */
void printer_refresh(struct printer* printer, const ksr_object* shown, size_t total);
/* For poll: when rows that are missing may be asked for with printer_prepare; -1: never. */
int printer_due_ms(const struct printer* printer);
/* Why the last rows could not be had; empty: they came. Shown text. */
slice printer_trouble(const struct printer* printer);
/* 1: a warning of the server that has not been taken yet. */
int printer_take_warning(struct printer* printer, struct text* out);
/* Forgets the rows of objects that are not in the view any more, when there are many. */
void printer_forget_gone(struct printer* printer, const ksr_snapshot* snapshot);

/* Lines as kubectl writes them: titles once, then a row each; printer_take_lines moves them to `out`. A new view has
 * its own titles, and columns as wide as it needs. */
void printer_begin_view(struct printer* printer);
void printer_add_row(struct printer* printer, const ksr_object* object);
void printer_take_lines(struct printer* printer, struct text* out);

/* A row and its titles, cell by cell, for a table that is redrawn: ages are those of now. `add` is called for each. 0:
 * some cells are placeholders, until the row has come. */
typedef void (*printer_cell_fn)(void* user_data, slice cell);
void printer_each_title(struct printer* printer, printer_cell_fn add, void* user_data);
int printer_each_cell(struct printer* printer, const ksr_object* object, printer_cell_fn add, void* user_data);

/* Of -o yaml; documents but the first begin with a line of dashes. */
void printer_add_yaml(struct printer* printer, const ksr_object* object, struct text* out);
/* KIND.GROUP/NAME, of -o name. */
void printer_add_name(const ksr_object* object, struct text* out);
/* 1: the server's tables have an order of their own (FlowSchemas: by precedence), which comes with their rows. */
int printer_order_is_servers(const struct printer* printer);
/* 0: the order of a view is that of its snapshot. Else it is kubectl's, or that of --sort-by: printer_sort makes it of
 * the snapshot's. */
int printer_sorts(const struct printer* printer);
void printer_sort(const struct printer* printer, const ksr_object** objects, size_t count);

#ifdef __cplusplus
}
#endif

#endif
