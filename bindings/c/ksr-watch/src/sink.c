#include "sink.h"

#include <errno.h>
#include <poll.h>
#include <string.h>
#include <unistd.h>

enum {
  /* Linux: a pipe that polls as writable takes this much without blocking. */
  PIECE = 4096,
  ENOUGH = 256 * 1024,
  /* More is not kept for a slow reader. */
  MOST = 64 * 1024 * 1024
};

/* Waits until `sink` takes bytes or the program is to end, so that Ctrl-C works when the reader has stopped reading. */
static int wait_writable(struct sink* sink, int timeout_ms) {
  struct pollfd fds[2];
  fds[0].fd = sink->fd;
  fds[0].events = POLLOUT;
  fds[1].fd = sink->end_fd;
  fds[1].events = POLLIN;
  for (;;) {
    int ready = poll(fds, 2, timeout_ms);
    if (ready < 0 && errno == EINTR) continue;
    if (ready < 0 || fds[0].revents) return 1;
    if (timeout_ms == 0) return 0;
    sink->state = SINK_INTERRUPTED;
    return 0;
  }
}

static void note_failure(struct sink* sink, int error) {
  sink->error = error;
  sink->state = error == EPIPE || error == ECONNRESET || error == EIO ? SINK_READER_GONE : SINK_FAILED;
}

static size_t left_in(const struct sink* sink) {
  return sink->pending.len - sink->written;
}

static void forget_written(struct sink* sink) {
  size_t left = left_in(sink);
  if (sink->state != SINK_OPEN || !left) {
    sink->enough = 0;
    text_clear(&sink->pending);
    if (sink->pending.capacity > 4 * (size_t)ENOUGH) text_free(&sink->pending);
  } else if (sink->written > left) {
    memmove(sink->pending.at, sink->pending.at + sink->written, left);
    sink->pending.len = left;
  } else {
    return;
  }
  sink->written = 0;
}

static void write_within(struct sink* sink, int timeout_ms) {
  while (left_in(sink) && sink->state == SINK_OPEN && wait_writable(sink, timeout_ms)) {
    slice rest = slice_after(text_slice(&sink->pending), sink->written);
    ssize_t written = write(sink->fd, rest.at, rest.len < PIECE ? rest.len : PIECE);
    if (written >= 0) {
      sink->written += (size_t)written;
    } else if (errno != EINTR && errno != EAGAIN) {
      note_failure(sink, errno);
    }
  }
  forget_written(sink);
}

void sink_flush(struct sink* sink) {
  write_within(sink, sink->timeout_ms);
}

void sink_push(struct sink* sink) {
  write_within(sink, 0);
}

int sink_waits(const struct sink* sink) {
  return left_in(sink) > 0;
}

int sink_relieve(struct sink* sink) {
  if (left_in(sink) < sink->enough || left_in(sink) < ENOUGH) return 0;
  sink_push(sink);
  sink->enough = left_in(sink) + ENOUGH;
  return left_in(sink) >= MOST;
}

short sink_events(const struct sink* sink) {
  return sink_waits(sink) ? POLLOUT : 0;
}

void sink_note(struct sink* sink, short revents) {
  if (revents & (POLLERR | POLLHUP | POLLNVAL) && sink->state == SINK_OPEN) sink->state = SINK_READER_GONE;
  sink_push(sink);
}

void sink_free(struct sink* sink) {
  text_free(&sink->pending);
}
