/* The life of a stream while memory may run out at any moment: it fails cleanly or goes on. */
#ifndef KSR_TESTS_HOST_LIFE_H
#define KSR_TESTS_HOST_LIFE_H

/* How a life ended, as the exit status of its process. A signal is a crash. */
enum {
  LIFE_WENT_ON = 0,  /* nothing was to be seen of it, but perhaps an error */
  LIFE_FAILED = 10,  /* config or open said that there is no memory; all was given back */
  LIFE_STALLED = 11, /* the stream never came to its view, though there was memory again */
  LIFE_BROKEN = 12,  /* another stream did not come to its view afterwards */
  LIFE_WRONG = 1     /* a CHECK failed; standard error says which */
};

/* While memory may run out: until ksr_open has returned, for its thread; the whole life; or from ksr_close on. */
enum { DURING_OPEN, DURING_LIFE, DURING_CLOSE };

/* Lives one life in which the `nth` allocation and the `more` after it fail, and exits. *asked receives how many there
 * were. */
void life_run(int during, long nth, long more, long *asked);

#endif
