/* The terminal on standard output: its size, its alternate screen, its keyboard. */
#ifndef KSR_WATCH_TERMINAL_H
#define KSR_WATCH_TERMINAL_H

#include <stddef.h>

#include "text.h"

struct terminal_size {
  size_t width;
  size_t height;
};

/* Whether `fd` is a terminal that can move its cursor. */
int terminal_is_usable(int fd);
struct terminal_size terminal_size_of(int fd);

/* Adds what takes over the screen, and makes the keyboard answer without echo. */
void terminal_enter(struct text* out);
/* Adds what gives the screen back as it was, and gives the keyboard back. */
void terminal_leave(struct text* out);

/* 1 when q was pressed. */
int terminal_key_quits(void);
/* The descriptor to wait on for keys; -1 when there is no keyboard of ours. */
int terminal_keys_fd(void);

#endif
