/* ksr-watch: Kubernetes resources as they change. Also an example of a host with an event loop of its own: the library
 * wakes it through ksr_fd, and calls back in ksr_dispatch only. */
#include "watch_main.h"

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "clock.h"
#include "connect.h"
#include "output.h"
#include "report.h"
#include "screen.h"
#include "server_context.h"
#include "signals.h"
#include "terminal.h"

enum { FRAME_MS = 30, LAST_ROWS_MS = 5000 };

int open_standard_files(void) {
  int has_output = fcntl(STDOUT_FILENO, F_GETFD) >= 0;
  int fd;
  for (fd = 0; fd <= STDERR_FILENO; ++fd) {
    if (fcntl(fd, F_GETFD) < 0 && open("/dev/null", O_RDWR) != fd) return 0;
  }
  return has_output;
}

/* Of what was asked for without a stream. */
static int end_of_text(void) {
  struct text line = {NULL, 0, 0};
  if (fflush(stdout) == 0 && !ferror(stdout)) return EXIT_SUCCESS;
  text_addf(&line, "standard output: %s", strerror(errno));
  report_failure(text_slice(&line));
  text_free(&line);
  return EXIT_FAILED;
}

static int print_version(void) {
  printf("ksr-watch %s, libksr %s\n%s\n", KSR_WATCH_VERSION, ksr_version_string(), ksr_build_info());
  return end_of_text();
}

static int print_help(void) {
  fputs(options_help(), stdout);
  return end_of_text();
}

static int earlier(int a, int b) {
  if (a < 0) return b;
  return b < 0 || a < b ? a : b;
}

static int left_of(int64_t deadline, int64_t now) {
  if (deadline < 0) return -1;
  if (deadline <= now) return 0;
  return deadline - now > 60000 ? 60000 : (int)(deadline - now);
}

static void stop_and_return(struct watch* watch) {
  terminal_leave(&watch->out.pending);
  sink_flush(&watch->out);
  signals_stop_self();
  screen_enter(watch);
}

static void obey_signals(struct watch* watch) {
  struct signals came = signals_take();
  if (!watch->is_live) return;
  if (came.stopped) {
    stop_and_return(watch);
  } else if (came.continued) {
    screen_enter(watch);
  }
  if (came.resized) screen_forget(watch);
}

static void obey_keys(struct watch* watch) {
  char typed[64];
  slice keys = {typed, terminal_take_keys(typed, sizeof typed)};
  while (keys.len) {
    enum key key = keys_next(&keys);
    if (key == KEY_QUIT) watch->is_over = 1;
    if (watch->latest) screen_scroll(watch, key);
  }
}

/* Rows of the server have come, or may be asked for again. */
static void go_on_printing(struct watch* watch) {
  output_warnings(watch);
  if (watch->is_live) {
    if (printer_order_is_servers(watch->printer)) output_sort(watch, watch->latest);
    watch->is_dirty = 1;
  } else {
    output_continue(watch);
  }
}

/* Waits for the stream, the rows of the server, a signal, a key or a timeout. */
static void wait_for_input(struct watch* watch, int timeout) {
  struct pollfd fds[6];
  /* In the background nothing is drawn, and so nothing is asked for. */
  int is_drawn = watch->is_live && !watch->is_hidden;
  int is_due = is_drawn || watch->has_batch ? printer_due_ms(watch->printer) : -1;
  memset(fds, 0, sizeof fds);
  fds[0].fd = ksr_fd(watch->stream);
  fds[0].events = POLLIN;
  fds[1].fd = signals_end_fd();
  fds[1].events = POLLIN;
  fds[2].fd = signals_fd();
  fds[2].events = POLLIN;
  fds[3].fd = terminal_keys_fd();
  fds[3].events = POLLIN;
  fds[4].fd = watch->out.fd; /* without events it tells that the reader has closed it */
  fds[4].events = sink_events(&watch->out);
  fds[5].fd = printer_fd(watch->printer);
  fds[5].events = POLLIN;
  if (poll(fds, 6, earlier(timeout, is_due)) <= 0) {
    if (is_due >= 0) go_on_printing(watch);
    return;
  }
  if (fds[2].revents) obey_signals(watch);
  if (fds[3].revents) obey_keys(watch);
  if (fds[4].revents) sink_note(&watch->out, fds[4].revents);
  if (fds[4].events && !watch->is_live && !sink_waits(&watch->out)) output_continue(watch);
  if (fds[0].revents) ksr_dispatch(watch->stream);
  if ((fds[5].revents && printer_dispatch(watch->printer)) || is_due == 0) go_on_printing(watch);
}

static int is_interrupted(const struct watch* watch) {
  return signals_ended() || watch->out.state != SINK_OPEN;
}

static int is_running(const struct watch* watch, int64_t deadline) {
  return !watch->is_over && !is_interrupted(watch) && (deadline < 0 || monotonic_ms() < deadline);
}

static void run(struct watch* watch) {
  int64_t start = monotonic_ms(), next_draw = start, last_drawn = 0;
  int64_t deadline = watch->options.run_ms < 0 ? -1 : start + watch->options.run_ms;
  while (is_running(watch, deadline)) {
    int64_t now = monotonic_ms();
    if (watch->is_live && (now >= next_draw || (watch->is_dirty && now - last_drawn >= FRAME_MS))) {
      next_draw = now + screen_draw(watch);
      last_drawn = now;
    }
    if (watch->is_live && watch->is_dirty) next_draw = last_drawn + FRAME_MS;
    wait_for_input(watch, earlier(left_of(deadline, now), watch->is_live ? left_of(next_draw, now) : -1));
  }
}

/* What has come is printed also after the end, when its rows have come. */
static void run_out(struct watch* watch) {
  int64_t deadline = monotonic_ms() + LAST_ROWS_MS, now;
  if (watch->is_live || (watch->options.once && !watch->is_over)) return;
  watch->ends_when_printed = 1;
  ksr_cancel(watch->stream);
  while (output_waits(watch) && !is_interrupted(watch) && (now = monotonic_ms()) < deadline) {
    wait_for_input(watch, left_of(deadline, now));
  }
  if (!is_interrupted(watch)) output_finish(watch);
}

/* The exit status; says on standard error why it is not 0. */
static int verdict(const struct watch* watch) {
  struct text line = {NULL, 0, 0};
  int was_in_vain = watch->options.once && !watch->has_printed && !watch->is_failed && !signals_ended() &&
                    watch->out.state != SINK_READER_GONE;
  if (watch->is_failed) {
    text_add(&line, text_slice(&watch->trouble.message));
  } else if (watch->out.state == SINK_FAILED) {
    text_addf(&line, "standard output: %s", strerror(watch->out.error));
  } else if (was_in_vain) {
    text_add(&line, slice_of("no complete view in time"));
    if (watch->trouble.message.len) text_add(&line, slice_of("; last error: "));
    text_add(&line, text_slice(&watch->trouble.message));
  }
  if (!line.len) return EXIT_SUCCESS;
  report_failure(text_slice(&line));
  text_free(&line);
  return EXIT_FAILED;
}

static int watch_resource(struct watch* watch) {
  const char* no_color = getenv("NO_COLOR");
  int status;
  watch->goes_live = watch->options.output == OUTPUT_TABLE && !watch->options.by_change && !watch->options.once &&
                     terminal_is_usable(STDOUT_FILENO);
  watch->has_color = watch->goes_live && !(no_color && *no_color);
  status = connect_stream(watch);
  if (status) return status;
  run(watch);
  run_out(watch);
  if (!watch->is_live) sink_flush(&watch->out);
  if (!watch->latest && !watch->is_failed) report_note_last_error(watch);
  ksr_cancel(watch->stream);
  if (watch->is_live) screen_leave(watch);
  report_kept_warnings(watch);
  ksr_close(watch->stream);
  output_free(watch);
  printer_close(watch->printer);
  return verdict(watch);
}

static void free_watch(struct watch* watch) {
  ksr_snapshot_release(watch->latest);
  rows_free(&watch->rows);
  table_free(&watch->table);
  text_free(&watch->frame);
  text_free(&watch->last_log);
  text_free(&watch->warnings);
  text_free(&watch->trouble.message);
  sink_free(&watch->out);
  options_free(&watch->options);
}

static int settle_context(struct options* options, struct text* problem) {
  if (!server_context_find(options->settings, options->setting_count, &options->context, problem)) return 0;
  options_add_context(options);
  return 1;
}

static int watch_as(int of_get, int argc, char** argv) {
  static struct watch watch;
  struct text problem = {NULL, 0, 0};
  int status = EXIT_USAGE;
  watch.of_get = of_get;
  if (!options_read(&watch.options, argc, argv, &problem)) {
    text_add(&problem, slice_of(of_get ? " (see ksr get --help)" : " (see ksr-watch --help)"));
    report_failure(text_slice(&problem));
  } else if (watch.options.help) {
    status = print_help();
  } else if (watch.options.version) {
    status = print_version();
  } else if (!settle_context(&watch.options, &problem)) {
    report_failure(text_slice(&problem));
    status = EXIT_FAILED;
  } else if (!signals_start()) {
    perror("ksr-watch: pipe");
    status = EXIT_FAILED;
  } else {
    watch.out.fd = STDOUT_FILENO;
    watch.out.end_fd = signals_end_fd();
    watch.out.timeout_ms = -1;
    status = watch_resource(&watch);
  }
  text_free(&problem);
  free_watch(&watch);
  return status;
}

int watch_main(int argc, char** argv) {
  return watch_as(0, argc, argv);
}

int watch_main_of_get(int argc, char** argv) {
  int status;
  report_as_get();
  status = watch_as(1, argc, argv);
  return status == EXIT_USAGE ? EXIT_FAILED : status;
}
