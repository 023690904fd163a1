#include "sink.h"

#include <errno.h>
#include <poll.h>
#include <unistd.h>

enum {
  /* Linux: a pipe that polls as writable takes this much without blocking. */
  PIECE = 4096,
  ENOUGH = 256 * 1024
};

/* Waits until `sink` takes bytes or the program is to end, so that Ctrl-C works when the reader has stopped reading. */
static int wait_writable(struct sink* sink) {
  struct pollfd fds[2];
  fds[0].fd = sink->fd;
  fds[0].events = POLLOUT;
  fds[1].fd = sink->end_fd;
  fds[1].events = POLLIN;
  for (;;) {
    int ready = poll(fds, 2, sink->timeout_ms);
    if (ready < 0 && errno == EINTR) continue;
    if (ready < 0 || fds[0].revents) return 1;
    sink->state = SINK_INTERRUPTED;
    return 0;
  }
}

static void note_failure(struct sink* sink, int error) {
  sink->error = error;
  sink->state = error == EPIPE || error == ECONNRESET || error == EIO ? SINK_READER_GONE : SINK_FAILED;
}

void sink_flush(struct sink* sink) {
  slice rest = text_slice(&sink->pending);
  while (rest.len && sink->state == SINK_OPEN && wait_writable(sink)) {
    ssize_t written = write(sink->fd, rest.at, rest.len < PIECE ? rest.len : PIECE);
    if (written >= 0) {
      rest = slice_after(rest, (size_t)written);
    } else if (errno != EINTR && errno != EAGAIN) {
      note_failure(sink, errno);
    }
  }
  text_clear(&sink->pending);
}

void sink_relieve(struct sink* sink) {
  if (sink->pending.len >= ENOUGH) sink_flush(sink);
}

void sink_note(struct sink* sink, short revents) {
  if (revents & (POLLERR | POLLHUP | POLLNVAL) && sink->state == SINK_OPEN) sink->state = SINK_READER_GONE;
}

void sink_free(struct sink* sink) {
  text_free(&sink->pending);
}
