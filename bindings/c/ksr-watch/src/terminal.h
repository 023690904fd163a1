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

/* Adds the sequence that switches to the alternate screen, and turns off echo and line mode of the keyboard. Also after
 * a stop that this process did not know of: then all of it is done anew, and terminal_leave restores what was at first.
 */
void terminal_enter(struct text* out);
/* Adds the sequence that restores the screen, and restores the keyboard. Once terminal_enter has been called. */
void terminal_leave(struct text* out);
/* The same where the keyboard is the shell's by now. */
void terminal_lose(struct text* out);

/* 0: a shell has the terminal, and this process is a job in its background. */
int terminal_is_ours(void);

/* What was typed, at most `size` bytes; how many. */
size_t terminal_take_keys(char* to, size_t size);
/* The descriptor to wait on for keys; -1 when there is no keyboard. */
int terminal_keys_fd(void);

#endif
