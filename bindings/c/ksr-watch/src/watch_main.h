/* ksr-watch: what main() calls where the program has that name, and for the command watch. */
#ifndef KSR_WATCH_WATCH_MAIN_H
#define KSR_WATCH_WATCH_MAIN_H

/* The exit status. The standard files are open. */
int watch_main(int argc, char** argv);

/* A pipe of this program must not get the number of a standard stream. 0 when there is no standard output. */
int open_standard_files(void);

#endif
