/* ksr-watch: what main() calls where the program has that name, and for the command watch. */
#ifndef KSR_WATCH_WATCH_MAIN_H
#define KSR_WATCH_WATCH_MAIN_H

/* The exit status. The standard files are open. */
int watch_main(int argc, char** argv);

/* The same for `ksr get -w`: "ksr get" in place of "ksr-watch", the exit status 1 for wrong usage, and an end where the
 * first list fails with what no retry mends. */
int watch_main_of_get(int argc, char** argv);

/* A pipe of this program must not get the number of a standard stream. 0 when there is no standard output. */
int open_standard_files(void);

#endif
