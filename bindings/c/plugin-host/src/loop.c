#include "loop.h"

#include <errno.h>
#include <poll.h>
#include <signal.h>
#include <string.h>
#include <time.h>

#define TICK_MS 1000

static volatile sig_atomic_t stop;

static void on_signal(int number) {
  (void)number;
  stop = 1;
}

/* Without SA_RESTART: a signal ends the wait, and one that comes just before it is seen at the next tick. */
static void take_signals(void) {
  struct sigaction action;
  memset(&action, 0, sizeof action);
  action.sa_handler = on_signal;
  sigemptyset(&action.sa_mask);
  sigaction(SIGINT, &action, NULL);
  sigaction(SIGTERM, &action, NULL);
}

static long long now_ms(void) {
  struct timespec now;
  clock_gettime(CLOCK_MONOTONIC, &now);
  return (long long)now.tv_sec * 1000 + now.tv_nsec / 1000000;
}

/* Whether the stream has something to dispatch; -1 when poll fails. */
static int wait_for(int fd, long long until_ms) {
  const long long left = until_ms - now_ms();
  struct pollfd waiting = {fd, POLLIN, 0};
  const int ready = poll(&waiting, 1, left > 0 ? (int)left : 0);
  if (ready < 0) return errno == EINTR ? 0 : -1;
  if ((waiting.revents & (POLLERR | POLLNVAL)) != 0) return -1;
  return ready > 0;
}

int loop_run(host* self, long seconds) {
  const int fd = self->ksr->fd(self->stream);
  long ticks = 0;
  long long next_tick_ms = now_ms() + TICK_MS;
  take_signals();
  while (!stop && !self->closed && (seconds == 0 || ticks < seconds)) {
    const int ready = wait_for(fd, next_tick_ms);
    if (ready < 0 || (ready > 0 && self->ksr->dispatch(self->stream) < 0)) return -1;
    if (now_ms() < next_tick_ms) continue;
    ++ticks;
    next_tick_ms += TICK_MS;
    host_report(self);
  }
  return 0;
}
