/* Signals as bytes in a pipe, so that one poll waits for everything. */
#ifndef KSR_WATCH_SIGNALS_H
#define KSR_WATCH_SIGNALS_H

/* SIGINT, SIGTERM, SIGHUP and SIGQUIT end the program; SIGPIPE is ignored. 0 when no pipe can be made (errno).
 */
int signals_start(void);

/* With a terminal, SIGWINCH, SIGTSTP and SIGCONT come too. */
void signals_for_terminal(void);

/* Readable from then on once a signal that ends the program has come. */
int signals_end_fd(void);
/* Its number; 0 before. */
int signals_ended(void);

/* Readable while signals_take has something to return. */
int signals_fd(void);

/* What came since the last call. */
struct signals {
  int resized;
  int stopped;
  int continued;
};

struct signals signals_take(void);

/* Stops this process as SIGTSTP does by itself, and comes back once it goes on: at once where nobody could continue it
 * (an orphaned process group). The SIGCONT that continues it is not told. */
void signals_stop_self(void);

#endif
