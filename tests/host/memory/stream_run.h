/* `run_stream` opens, uses and closes a stream while allocations fail: it fails cleanly or continues; used by
 * out_of_memory. On the main thread of its own process. */
#ifndef KSR_TESTS_HOST_STREAM_RUN_H
#define KSR_TESTS_HOST_STREAM_RUN_H

/* How a run ended, as the exit status of its process. A signal is a crash. */
enum {
  RUN_OK = 0,              /* the stream synced, perhaps after an error */
  RUN_FAILED_TO_OPEN = 10, /* config or open reported that memory ran out; everything was freed */
  RUN_STALLED = 11,        /* the stream never synced, though allocations succeeded again */
  RUN_BROKE_OTHERS = 12,   /* another stream did not sync afterwards */
  RUN_WRONG = 1            /* a CHECK failed; standard error says which */
};

/* When allocations fail: until ksr_open has returned, on its thread; from ksr_open to ksr_close; or from ksr_close on.
 */
enum { DURING_OPEN, DURING_ALL, DURING_CLOSE };

/* Runs a stream in which the `nth` allocation and the `more` after it fail, and exits. *allocations receives how many
 * there were. */
void run_stream(int during, long nth, long more, long* allocations);

#endif
