/* Lets each allocation of a stream's life fail once, from ksr_config_new to ksr_close: those of the library, of
 * OpenSSL and of the C library, on the host's thread and on the library's. Every life is a process of its own.
 * None may crash.
 *   out_of_memory ours|all open|life|close LIVES MORE [NTH]
 *       those of OpenSSL too, or not; when; at most that many lives, spread evenly; MORE allocations after the
 *       first fail too; only the NTH, and where it is */
#include <signal.h>
#include <sys/mman.h>
#include <sys/wait.h>
#include <unistd.h>

#include "host.h"
#include "life.h"
#include "malloc_fault.h"

#define AT_ONCE 4

struct life {
  pid_t pid;
  long nth;
  long* asked;
};

static int during;
static long went_on, failed, stalled, broken, bad, unreached;

static struct life begin(long nth, long more) {
  struct life life;
  life.nth = nth;
  life.asked = mmap(NULL, sizeof(long), PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);
  CHECK(life.asked != MAP_FAILED);
  life.pid = fork();
  CHECK(life.pid >= 0);
  if (life.pid == 0) life_run(during, nth, more, life.asked);
  return life;
}

static long end(struct life life) {
  int status = 0;
  const long asked = *life.asked;
  CHECK(waitpid(life.pid, &status, 0) == life.pid);
  if (*life.asked < life.nth && WIFEXITED(status) && WEXITSTATUS(status) == LIFE_WENT_ON) ++unreached;
  if (WIFEXITED(status) && WEXITSTATUS(status) == LIFE_WENT_ON) {
    ++went_on;
  } else if (WIFEXITED(status) && WEXITSTATUS(status) == LIFE_FAILED) {
    ++failed;
  } else if (WIFEXITED(status) && WEXITSTATUS(status) == LIFE_STALLED) {
    ++stalled;
    printf("allocation %ld: stalled\n", life.nth);
  } else if (WIFEXITED(status) && WEXITSTATUS(status) == LIFE_BROKEN) {
    ++broken;
    printf("allocation %ld: no stream came to life afterwards\n", life.nth);
  } else {
    ++bad;
    if (WIFSIGNALED(status))
      printf("allocation %ld: ended by signal %d\n", life.nth, WTERMSIG(status));
    else
      printf("allocation %ld: ended with %d\n", life.nth, WEXITSTATUS(status));
  }
  munmap(life.asked, sizeof(long));
  return asked;
}

static long measure(void) {
  const struct life life = begin(0, 0);
  int status = 0;
  long asked;
  CHECK(waitpid(life.pid, &status, 0) == life.pid);
  CHECK(WIFEXITED(status) && WEXITSTATUS(status) == LIFE_WENT_ON);
  asked = *life.asked;
  CHECK(asked > 0);
  return asked;
}

int main(int argc, char** argv) {
  struct life running[AT_ONCE];
  int count = 0;
  long nth;
  CHECK(argc >= 5);
  const int ours = strcmp(argv[1], "ours") == 0;
  const long lives = atol(argv[3]);
  const long more = atol(argv[4]);
  during = argv[2][0] == 'o' ? DURING_OPEN : argv[2][0] == 'c' ? DURING_CLOSE : DURING_LIFE;
  if (ours) malloc_fault_except_openssl();
  setvbuf(stdout, NULL, _IOLBF, 0);
  if (argc == 6) {
    long asked = 0;
    malloc_fault_show_where();
    life_run(during, atol(argv[5]), more, &asked);
  }
  const long all = measure();
  const long step = all / lives + 1;
  for (nth = 1; nth <= all; nth += step) {
    if (count == AT_ONCE) {
      end(running[0]);
      memmove(running, running + 1, sizeof running - sizeof running[0]);
      --count;
    }
    running[count++] = begin(nth, more);
  }
  while (count > 0) end(running[--count]);
  printf(
      "%ld allocations, every %ld: %ld went on, %ld failed cleanly, %ld stalled, %ld broken, %ld bad, "
      "%ld unreached\n",
      all, step, went_on, failed, stalled, broken, bad, unreached);
  return bad > 0 || (ours && stalled + broken > 0);
}
