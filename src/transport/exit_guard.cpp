#include "transport/exit_guard.hpp"

#include <openssl/crypto.h>
#include <openssl/err.h>
#include <openssl/ssl.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <atomic>
#include <chrono>
#include <new>
#include <set>
#include <thread>
#include <vector>

#include "base/instant.hpp"
#include "base/mutex.hpp"
#include "base/standard_descriptors.hpp"
#include "transport/network_thread.hpp"

// The network thread outlives the beginning of exit(), so nothing it may use can be destroyed there: the static objects
// of cpprestsdk, Boost, yaml-cpp and ours. The link option --wrap=__cxa_atexit (CMakeLists.txt) redirects the
// registrations of static destructors to this function, which drops them. The linker gives the names.
// NOLINTBEGIN(bugprone-reserved-identifier)
extern "C" int __wrap___cxa_atexit(void (*)(void*), void*, void*) noexcept;
extern "C" int __wrap___cxa_atexit(void (*)(void*), void*, void*) noexcept {
  return 0;
}
extern "C" int __real___cxa_atexit(void (*)(void*), void*, void*) noexcept;
// NOLINTEND(bugprone-reserved-identifier)

namespace ksr::transport {
namespace {

constexpr std::chrono::seconds kMaxWaitInExit{2};
constexpr std::chrono::milliseconds kTickInExit{1};
// More than all that OpenSSL allocates until its first connection.
constexpr std::size_t kMemoryOfOpenssl = std::size_t{2} * 1024 * 1024;
// Below what malloc maps: a larger block that is freed raises that limit, and the one up to which freed memory stays,
// for the whole process (mallopt(3), M_MMAP_THRESHOLD).
constexpr std::size_t kProbeBlock = std::size_t{64} * 1024;

struct Guard {
  const pid_t process = getpid();
  std::atomic<bool> ready{false};
  std::atomic<bool> exiting{false};
  // Shared by those who call OpenSSL, exclusive for its initialisation and for the end of its use.
  SharedMutex use;
  // Counted before `exiting` is looked at, so that a call is either seen by exit() or not begun.
  std::atomic<int> calls_under_way{0};
  bool registered KSR_GUARDED_BY(use) = false;
  bool registered_with_openssl KSR_GUARDED_BY(use) = false;
  // There was a TlsUser, and so there is a network thread.
  std::atomic<bool> had_users{false};
  // Network thread only.
  std::set<TlsUser*> users;
  Mutex unreleased_mutex;
  std::vector<void*> unreleased KSR_GUARDED_BY(unreleased_mutex);
};

Guard& guard() {
  static Guard* const leaked = new Guard;
  return *leaked;
}

class CallUnderWay {
 public:
  CallUnderWay() { ++guard().calls_under_way; }
  ~CallUnderWay() { --guard().calls_under_way; }
  CallUnderWay(const CallUnderWay&) = delete;
  CallUnderWay& operator=(const CallUnderWay&) = delete;
};

// Of nested scopes the outermost alone holds the lock. Plain numbers: no constructor runs in any thread for them.
thread_local int scopes_on_this_thread = 0;
thread_local bool initialising_on_this_thread = false;

void abort_all() {
  // Aborting one may end others.
  const std::set<TlsUser*> users = guard().users;
  for (TlsUser* user : users) {
    if (guard().users.count(user) != 0) user->abort();
  }
}

bool memory_is_left() noexcept {
  std::array<void*, kMemoryOfOpenssl / kProbeBlock> blocks{};
  for (void*& block : blocks) block = ::operator new(kProbeBlock, std::nothrow);
  const bool left = std::find(blocks.begin(), blocks.end(), nullptr) == blocks.end();
  for (void* const block : blocks) ::operator delete(block);
  return left;
}

// Whether OpenSSL must not be called.
bool tls_shut_down() {
  return guard().exiting || !guard().ready;
}

// A signal handler that exits inside OpenSSL would wait for its own thread.
bool would_wait_for_itself() noexcept {
  return scopes_on_this_thread != 0 || initialising_on_this_thread;
}

// False in a forked child, which has no other thread that could use OpenSSL, and where a lock may be held by a thread
// it has not.
bool give_up_tls() {
  if (getpid() != guard().process) return false;
  if (guard().exiting.exchange(true) || !guard().had_users) return true;
  try {
    // Streams of a process that lives on after OPENSSL_cleanup() must not take the missing data for an idle connection.
    NetworkThread::instance().post(abort_all);
  } catch (...) {
    // Without memory they end at their next step.
  }
  return true;
}

// Called by OPENSSL_cleanup(), which a host may call itself or have registered for exit(), before it frees anything.
void before_openssl_cleanup() {
  if (!give_up_tls() || would_wait_for_itself()) return;
  const ExclusiveLock until_no_call_is_under_way(guard().use);
}

// Called by exit(). A call that goes on, in a provider that waits for a smart card or for CAs on a network file system,
// is left alone after a while: when something is going to be freed, before_openssl_cleanup() is still to come.
void end_of_process(void*) {
  if (!give_up_tls() || would_wait_for_itself()) return;
  const Instant give_up_at = std::chrono::steady_clock::now() + kMaxWaitInExit;
  while (guard().calls_under_way != 0 && std::chrono::steady_clock::now() < give_up_at) {
    std::this_thread::sleep_for(kTickInExit);
  }
}

}  // namespace

bool run_in_exit(void (*run)(void*)) noexcept {
  return __real___cxa_atexit(run, nullptr, nullptr) == 0;
}

void register_atexit_hook() {
  Guard& state = guard();
  if (state.ready || state.exiting) return;
  const ExclusiveLock lock(state.use);
  const CallUnderWay call;
  if (state.ready || state.exiting) return;
  // OpenSSL's parts are initialised once in a process, and what fails then for lack of memory fails for good.
  if (!memory_is_left()) return;
  initialising_on_this_thread = true;
  // It reads openssl.cnf.
  const StandardDescriptorsReserved reserved;
  // Ours is not the use for which OpenSSL cleans up in exit(): another thread may be in exit() by now, which would run
  // a clean-up that is registered here at once, or out of its order in the finalisation of libcrypto. A host's own use
  // may have registered it before. exit() runs its functions in the reverse order of their registration, so ours is
  // registered after OpenSSL is initialised, from when on no clean-up is registered any more.
  if (OPENSSL_init_crypto(OPENSSL_INIT_NO_ATEXIT, nullptr) == 1) {
    // What fails leaves no trace in the error queue, which is the host's too. Before, this would initialise otherwise.
    ERR_set_mark();
    const bool initialised = OPENSSL_init_ssl(OPENSSL_INIT_NO_ATEXIT, nullptr) == 1;
    ERR_pop_to_mark();
    state.registered = state.registered || run_in_exit(end_of_process);
    state.registered_with_openssl = state.registered_with_openssl || OPENSSL_atexit(before_openssl_cleanup) == 1;
    state.ready = initialised && state.registered && state.registered_with_openssl;
  }
  initialising_on_this_thread = false;
}

Error tls_unusable(const std::string& step) {
  if (guard().exiting) return Error{Status::tls, step + ": the process is exiting", {}, 502};
  return Error{Status::out_of_memory, step + ": OpenSSL could not be initialised"};
}

void keep_unreleased(void* object) noexcept {
  try {
    const MutexLock lock(guard().unreleased_mutex);
    guard().unreleased.push_back(object);
  } catch (...) {
    // Without memory for the entry it is a leak of a process that ends.
  }
}

TlsUse::TlsUse() {
  register_atexit_hook();
  // Looked at before the lock is asked for, so that exit() gets it soon; a nested scope ends as the outer one began.
  if (scopes_on_this_thread == 0) {
    if (tls_shut_down()) return;
    guard().use.lock_shared();
    ++guard().calls_under_way;
    if (tls_shut_down()) {
      end_call();
      return;
    }
    locked_ = true;
  }
  ++scopes_on_this_thread;
  allowed_ = true;
}

TlsUse::~TlsUse() {
  if (allowed_) --scopes_on_this_thread;
  if (locked_) end_call();
}

void TlsUse::end_call() {
  --guard().calls_under_way;
  guard().use.unlock_shared();
}

TlsUser::TlsUser() {
  guard().users.insert(this);
  guard().had_users = true;
}
TlsUser::~TlsUser() {
  guard().users.erase(this);
}

}  // namespace ksr::transport
