#include "terminal.h"

#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <termios.h>
#include <unistd.h>

static struct termios keyboard_before;
static int has_keyboard;
static int has_changed_keyboard; /* keyboard_before is still to be restored */
static int is_entered;

int terminal_is_usable(int fd) {
  const char* type = getenv("TERM");
  return isatty(fd) && type && *type && strcmp(type, "dumb") != 0;
}

struct terminal_size terminal_size_of(int fd) {
  struct terminal_size size = {80, 24};
  struct winsize window;
  if (ioctl(fd, TIOCGWINSZ, &window) == 0 && window.ws_col && window.ws_row) {
    size.width = window.ws_col;
    size.height = window.ws_row;
  }
  return size;
}

/* Also while the terminal is without echo and line mode: its settings may have been changed while this process was
 * stopped from outside. */
static void take_keyboard(void) {
  struct termios quiet;
  has_keyboard = 0;
  /* A background job that touches the terminal's settings would be stopped. */
  if (!isatty(STDIN_FILENO) || tcgetpgrp(STDIN_FILENO) != getpgrp()) return;
  if (!has_changed_keyboard && tcgetattr(STDIN_FILENO, &keyboard_before) != 0) return;
  quiet = keyboard_before;
  quiet.c_lflag &= ~(tcflag_t)(ICANON | ECHO);
  quiet.c_cc[VMIN] = 0;
  quiet.c_cc[VTIME] = 0;
  has_keyboard = tcsetattr(STDIN_FILENO, TCSANOW, &quiet) == 0;
  has_changed_keyboard |= has_keyboard;
}

static const char leave_sequence[] = "\x1b[0m\x1b[?7h\x1b[?25h\x1b[?1049l";

static void restore_keyboard(void) {
  if (has_keyboard) tcsetattr(STDIN_FILENO, TCSANOW, &keyboard_before);
  has_keyboard = has_changed_keyboard = 0;
}

/* For an unplanned exit, such as out of memory. */
static void leave_at_exit(void) {
  ssize_t ignored;
  if (!is_entered) return;
  ignored = write(STDOUT_FILENO, leave_sequence, strlen(leave_sequence));
  (void)ignored;
  restore_keyboard();
}

void terminal_enter(struct text* out) {
  static int is_registered;
  if (!is_registered) is_registered = atexit(leave_at_exit) == 0;
  /* Each switch to the alternate screen is followed by one back. */
  if (is_entered) text_add(out, slice_of(leave_sequence));
  is_entered = 1;
  take_keyboard();
  /* Alternate screen, cursor hidden, no wrapping at the right edge. */
  text_add(out, slice_of("\x1b[?1049h\x1b[?25l\x1b[?7l\x1b[2J"));
}

void terminal_leave(struct text* out) {
  if (!is_entered) return;
  is_entered = 0;
  text_add(out, slice_of(leave_sequence));
  restore_keyboard();
}

void terminal_lose(struct text* out) {
  if (is_entered) text_add(out, slice_of(leave_sequence));
  is_entered = has_keyboard = 0;
}

int terminal_is_ours(void) {
  pid_t group = tcgetpgrp(STDOUT_FILENO);
  return group < 0 || group == getpgrp();
}

int terminal_keys_fd(void) {
  return has_keyboard ? STDIN_FILENO : -1;
}

size_t terminal_take_keys(char* to, size_t size) {
  ssize_t count = has_keyboard ? read(STDIN_FILENO, to, size) : 0;
  return count > 0 ? (size_t)count : 0;
}
