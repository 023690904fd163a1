/* Makes each allocation of a stream fail once, from ksr_config_new to ksr_close: those of the library, of OpenSSL and
 * of the C library, on the host's thread and on the library's. Every run is a separate process. None may crash.
 *   out_of_memory without-openssl|all open|use|close RUNS MORE [NTH]
 *       whether OpenSSL's allocations fail too; when they fail; at most that many runs, spread evenly; MORE allocations
 *       after the first fail too; only the NTH, with its backtrace */
#include <signal.h>
#include <sys/mman.h>
#include <sys/wait.h>
#include <unistd.h>

#include "host.h"
#include "malloc_fault.h"
#include "stream_run.h"

#define MAX_RUNNING 4

struct run {
  pid_t pid;
  long nth;
  long* allocations;
};

static int during;
static long went_on, failed, stalled, broken, bad, unreached;

static struct run start_run(long nth, long more) {
  struct run run;
  run.nth = nth;
  run.allocations = mmap(NULL, sizeof(long), PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);
  CHECK(run.allocations != MAP_FAILED);
  run.pid = fork();
  CHECK(run.pid >= 0);
  if (run.pid == 0) run_stream(during, nth, more, run.allocations);
  return run;
}

static long end(struct run run) {
  int status = 0;
  const long allocations = *run.allocations;
  CHECK(waitpid(run.pid, &status, 0) == run.pid);
  if (*run.allocations < run.nth && WIFEXITED(status) && WEXITSTATUS(status) == RUN_OK) ++unreached;
  if (WIFEXITED(status) && WEXITSTATUS(status) == RUN_OK) {
    ++went_on;
  } else if (WIFEXITED(status) && WEXITSTATUS(status) == RUN_FAILED_TO_OPEN) {
    ++failed;
  } else if (WIFEXITED(status) && WEXITSTATUS(status) == RUN_STALLED) {
    ++stalled;
    printf("allocation %ld: stalled\n", run.nth);
  } else if (WIFEXITED(status) && WEXITSTATUS(status) == RUN_BROKE_OTHERS) {
    ++broken;
    printf("allocation %ld: no other stream synced afterwards\n", run.nth);
  } else {
    ++bad;
    if (WIFSIGNALED(status))
      printf("allocation %ld: ended by signal %d\n", run.nth, WTERMSIG(status));
    else
      printf("allocation %ld: ended with %d\n", run.nth, WEXITSTATUS(status));
  }
  munmap(run.allocations, sizeof(long));
  return allocations;
}

static long measure(void) {
  const struct run run = start_run(0, 0);
  int status = 0;
  long allocations;
  CHECK(waitpid(run.pid, &status, 0) == run.pid);
  CHECK(WIFEXITED(status) && WEXITSTATUS(status) == RUN_OK);
  allocations = *run.allocations;
  CHECK(allocations > 0);
  return allocations;
}

int main(int argc, char** argv) {
  struct run running[MAX_RUNNING];
  int count = 0;
  long nth;
  CHECK(argc >= 5);
  const int without_openssl = strcmp(argv[1], "without-openssl") == 0;
  const long runs = atol(argv[3]);
  const long more = atol(argv[4]);
  during = argv[2][0] == 'o' ? DURING_OPEN : argv[2][0] == 'c' ? DURING_CLOSE : DURING_ALL;
  if (without_openssl) malloc_fault_except_openssl();
  setvbuf(stdout, NULL, _IOLBF, 0);
  if (argc == 6) {
    long allocations = 0;
    malloc_fault_show_where();
    run_stream(during, atol(argv[5]), more, &allocations);
  }
  const long all = measure();
  const long step = all / runs + 1;
  for (nth = 1; nth <= all; nth += step) {
    if (count == MAX_RUNNING) {
      end(running[0]);
      memmove(running, running + 1, sizeof running - sizeof running[0]);
      --count;
    }
    running[count++] = start_run(nth, more);
  }
  while (count > 0) end(running[--count]);
  printf(
      "%ld allocations, every %ld: %ld went on, %ld failed cleanly, %ld stalled, %ld broken, %ld bad, "
      "%ld unreached\n",
      all, step, went_on, failed, stalled, broken, bad, unreached);
  return bad > 0 || (without_openssl && stalled + broken > 0);
}
