/* Standard output: buffered, written whole, and watched for a reader that has closed it. */
#ifndef KSR_WATCH_SINK_H
#define KSR_WATCH_SINK_H

#include "text.h"

enum sink_state { SINK_OPEN, SINK_READER_GONE, SINK_INTERRUPTED, SINK_FAILED };

struct sink {
  int fd;
  int end_fd;     /* readable: stop waiting for a slow reader */
  int timeout_ms; /* how long to wait for one; -1: without limit */
  enum sink_state state;
  int error; /* errno of SINK_FAILED */
  struct text pending;
  size_t written; /* of `pending` */
  size_t enough;  /* sink_relieve writes when so much is pending */
};

/* Writes all that is pending. Once the state is not SINK_OPEN nothing is written any more. */
void sink_flush(struct sink* sink);
/* Writes what is taken at once. */
void sink_push(struct sink* sink);
/* 1: something is pending. */
int sink_waits(const struct sink* sink);

/* For use while adding much: pushes when enough is pending. 1: so much is left that it is to be flushed. */
int sink_relieve(struct sink* sink);

/* For poll: what `revents` of sink->fd say; a reader that has closed it, or that takes more. */
short sink_events(const struct sink* sink);
void sink_note(struct sink* sink, short revents);
void sink_free(struct sink* sink);

#endif
