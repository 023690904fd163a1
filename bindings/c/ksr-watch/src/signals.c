#include "signals.h"

#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <string.h>
#include <unistd.h>

static int end_pipe[2] = {-1, -1};
static int news_pipe[2] = {-1, -1};
static volatile sig_atomic_t ended, resized, stopped, continued;

static void note_end(int number) {
  int saved = errno;
  ssize_t ignored;
  ended = number;
  ignored = write(end_pipe[1], "", 1);
  (void)ignored;
  errno = saved;
}

static void note_news(int number) {
  int saved = errno;
  ssize_t ignored;
  if (number == SIGWINCH) resized = 1;
  if (number == SIGTSTP) stopped = 1;
  if (number == SIGCONT) continued = 1;
  ignored = write(news_pipe[1], "", 1);
  (void)ignored;
  errno = saved;
}

static void handle(int number, void (*handler)(int)) {
  struct sigaction action;
  memset(&action, 0, sizeof action);
  action.sa_handler = handler;
  sigemptyset(&action.sa_mask);
  sigaction(number, &action, NULL);
}

/* A signal that nohup or & has set to be ignored stays ignored. */
static void handle_unless_ignored(int number, void (*handler)(int)) {
  struct sigaction before;
  if (sigaction(number, NULL, &before) == 0 && before.sa_handler == SIG_IGN) return;
  handle(number, handler);
}

static int open_pipe(int ends[2]) {
  int i;
  if (pipe(ends) != 0) return 0;
  for (i = 0; i < 2; ++i) {
    fcntl(ends[i], F_SETFD, FD_CLOEXEC);
    fcntl(ends[i], F_SETFL, O_NONBLOCK);
  }
  return 1;
}

int signals_start(void) {
  if (!open_pipe(end_pipe) || !open_pipe(news_pipe)) return 0;
  handle(SIGPIPE, SIG_IGN);
  handle_unless_ignored(SIGINT, note_end);
  handle_unless_ignored(SIGTERM, note_end);
  handle_unless_ignored(SIGHUP, note_end);
  handle_unless_ignored(SIGQUIT, note_end);
  return 1;
}

void signals_for_terminal(void) {
  handle(SIGWINCH, note_news);
  handle(SIGCONT, note_news);
  handle_unless_ignored(SIGTSTP, note_news);
}

int signals_end_fd(void) {
  return end_pipe[0];
}
int signals_fd(void) {
  return news_pipe[0];
}
int signals_ended(void) {
  return ended;
}

struct signals signals_take(void) {
  struct signals taken;
  char bytes[64];
  while (read(news_pipe[0], bytes, sizeof bytes) > 0) {
  }
  taken.resized = resized;
  taken.stopped = stopped;
  taken.continued = continued;
  resized = stopped = continued = 0;
  return taken;
}

void signals_stop_self(void) {
  handle(SIGTSTP, SIG_DFL);
  raise(SIGTSTP);
  handle(SIGTSTP, note_news);
  /* The caller goes on by itself. */
  continued = 0;
}
