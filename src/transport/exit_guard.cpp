#include "transport/exit_guard.hpp"

#include <openssl/crypto.h>
#include <openssl/ssl.h>
#include <unistd.h>

#include <atomic>
#include <chrono>
#include <condition_variable>
#include <mutex>
#include <set>

#include "transport/network_thread.hpp"

namespace ksr::transport {
namespace {

// Handlers of what was cut run before `drained`, or the exit goes on without them.
constexpr std::chrono::seconds longest_wait{1};
constexpr int rounds_to_drain = 8;

struct Guard {
  const pid_t process = getpid();
  std::atomic<bool> gone{false};
  // Network thread only.
  std::set<TlsUser*> users;
  std::mutex mutex;
  std::condition_variable changed;
  bool drained = false;
};

Guard& guard() {
  static Guard* const leaked = new Guard;
  return *leaked;
}

void cut_all() {
  // Cutting one may end others.
  const std::set<TlsUser*> users = guard().users;
  for (TlsUser* user : users) {
    if (guard().users.count(user) != 0) user->cut();
  }
}

void drain(int rounds) {
  if (rounds > 0) return NetworkThread::instance().post([rounds] { drain(rounds - 1); });
  guard().gone = true;
  const std::lock_guard lock(guard().mutex);
  guard().drained = true;
  guard().changed.notify_all();
}

// Called by exit(), before OpenSSL frees anything.
void give_up_tls() {
  // A forked child has no network thread to wait for.
  if (getpid() != guard().process) return;
  if (NetworkThread::instance().on_this_thread()) {
    // Nothing will run on it any more.
    guard().gone = true;
    return;
  }
  NetworkThread::instance().post([] {
    cut_all();
    drain(rounds_to_drain);
  });
  std::unique_lock lock(guard().mutex);
  guard().changed.wait_for(lock, longest_wait, [] { return guard().drained; });
  guard().gone = true;
}

}  // namespace

void guard_exit() {
  static const bool registered = [] {
    // OpenSSL's own clean-up must be in place before ours hooks into it.
    OPENSSL_init_ssl(0, nullptr);
    guard();
    return OPENSSL_atexit(give_up_tls) == 1;
  }();
  static_cast<void>(registered);
}

bool tls_is_gone() {
  return guard().gone;
}

TlsUser::TlsUser() {
  guard().users.insert(this);
}
TlsUser::~TlsUser() {
  guard().users.erase(this);
}

}  // namespace ksr::transport
