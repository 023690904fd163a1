#include "base/thread.hpp"

#include <doctest/doctest.h>
#include <pthread.h>
#include <signal.h>

#include <string>

TEST_CASE("a thread of the library is named, not cancelled and blocks signals, its creator keeps its mask") {
  sigset_t before;
  pthread_sigmask(SIG_SETMASK, nullptr, &before);
  sigset_t inside;
  char name[16] = "";
  int cancel_state = PTHREAD_CANCEL_ENABLE;
  auto thread = ksr::start_thread("ksr-test", [&] {
    pthread_sigmask(SIG_SETMASK, nullptr, &inside);
    pthread_getname_np(pthread_self(), name, sizeof name);
    pthread_setcancelstate(PTHREAD_CANCEL_DISABLE, &cancel_state);
  });
  REQUIRE(thread);
  thread->join();
  CHECK(std::string(name) == "ksr-test");
  CHECK(cancel_state == PTHREAD_CANCEL_DISABLE);
  for (int blocked : {SIGINT, SIGTERM, SIGHUP, SIGUSR1, SIGPIPE, SIGCHLD, SIGALRM}) {
    CHECK(sigismember(&inside, blocked) == 1);
    sigset_t after;
    pthread_sigmask(SIG_SETMASK, nullptr, &after);
    CHECK(sigismember(&after, blocked) == sigismember(&before, blocked));
  }
  for (int received : {SIGSEGV, SIGBUS, SIGFPE, SIGILL, SIGABRT, SIGTRAP, SIGPROF}) {
    CHECK(sigismember(&inside, received) == 0);
  }
}
