#include "transport/dns_resolver.hpp"

#include <netdb.h>
#include <sys/socket.h>

#include <cerrno>
#include <condition_variable>
#include <cstring>
#include <deque>
#include <map>
#include <mutex>
#include <new>
#include <thread>
#include <utility>

#include "base/exception_error.hpp"
#include "base/thread.hpp"

namespace ksr::transport {
namespace {

constexpr int kMaxThreads = 16;
constexpr std::chrono::seconds kIdleTimeout{10};
constexpr std::chrono::milliseconds until_there_is_memory{20};

struct FreeAddressList {
  void operator()(addrinfo* list) const { freeaddrinfo(list); }
};

boost::asio::ip::address address_of(const sockaddr& raw) {
  if (raw.sa_family == AF_INET6) {
    const auto& ipv6 = reinterpret_cast<const sockaddr_in6&>(raw);
    boost::asio::ip::address_v6::bytes_type bytes;
    std::memcpy(bytes.data(), &ipv6.sin6_addr, bytes.size());
    return boost::asio::ip::address_v6(bytes, ipv6.sin6_scope_id);
  }
  const auto& ipv4 = reinterpret_cast<const sockaddr_in&>(raw);
  return boost::asio::ip::address_v4(ntohl(ipv4.sin_addr.s_addr));
}

}  // namespace

Expected<Addresses> look_up_with_the_system(const std::string& host) {
  addrinfo hints{};
  hints.ai_family = AF_UNSPEC;
  hints.ai_socktype = SOCK_STREAM;
  hints.ai_flags = AI_ADDRCONFIG;
  addrinfo* raw = nullptr;
  int code = getaddrinfo(host.c_str(), nullptr, &hints, &raw);
  if (code == EAI_NONAME || code == EAI_ADDRFAMILY) {
    // A machine with nothing but loopback has no configured family, and yet "localhost" must work.
    hints.ai_flags = 0;
    code = getaddrinfo(host.c_str(), nullptr, &hints, &raw);
  }
  if (code != 0) {
    const std::string reason = code == EAI_SYSTEM ? std::strerror(errno) : gai_strerror(code);
    return Error{Status::transport, "resolving " + host + ": " + reason, {}, 502};
  }
  const std::unique_ptr<addrinfo, FreeAddressList> list(raw);
  Addresses addresses;
  for (const addrinfo* entry = list.get(); entry != nullptr; entry = entry->ai_next) {
    if (entry->ai_family == AF_INET || entry->ai_family == AF_INET6) addresses.push_back(address_of(*entry->ai_addr));
  }
  if (addresses.empty()) return Error{Status::transport, "resolving " + host + ": no address", {}, 502};
  return addresses;
}

namespace {

struct Lookup {
  DnsResolver::Done done;
};

class PendingLookup final : public DnsResolver::Waiting {
 public:
  explicit PendingLookup(std::shared_ptr<Lookup> lookup) : lookup_(std::move(lookup)) {}
  ~PendingLookup() override { lookup_->done = nullptr; }

 private:
  std::shared_ptr<Lookup> lookup_;
};

}  // namespace

// Shared with the threads, which may outlive the resolver: a look-up cannot be stopped.
struct DnsResolver::Pool {
  Pool(Executor& executor_in, LookUp look_up_in) : executor(executor_in), look_up(std::move(look_up_in)) {}

  Executor& executor;
  const LookUp look_up;

  // Executor's thread only.
  std::map<std::string, std::vector<std::shared_ptr<Lookup>>> asked;

  std::mutex mutex;
  std::condition_variable work_came;
  std::deque<std::string> hosts;
  int threads = 0;
  int idle_threads = 0;
  bool closed = false;

  void answer(const std::string& host, const Expected<Addresses>& outcome) {
    const auto found = asked.find(host);
    if (found == asked.end()) return;
    const auto lookups = std::move(found->second);
    asked.erase(found);
    for (const auto& lookup : lookups) {
      const Done done = std::exchange(lookup->done, nullptr);
      if (!done) continue;
      // The one who asks deals with exceptions of its own: here it is the copy that lacks memory.
      try {
        done(outcome);
      } catch (...) {
        done(error_of_exception());
      }
    }
  }

  // Empty when the thread should leave.
  std::string next_host() {
    std::unique_lock lock(mutex);
    ++idle_threads;
    const bool woken = work_came.wait_for(lock, kIdleTimeout, [this] { return closed || !hosts.empty(); });
    --idle_threads;
    if (!woken || closed) {
      --threads;
      return {};
    }
    std::string host = std::move(hosts.front());
    hosts.pop_front();
    return host;
  }

  static void work(const std::shared_ptr<Pool>& pool) {
    for (std::string host = pool->next_host(); !host.empty(); host = pool->next_host()) {
      report(pool, host, looked_up(*pool, host));
    }
  }

  static Expected<Addresses> looked_up(const Pool& pool, const std::string& host) noexcept {
    try {
      return pool.look_up(host);
    } catch (...) {
      return error_of_exception();
    }
  }

  // Those who asked wait for it, so it is posted as soon as there is memory.
  static void report(const std::shared_ptr<Pool>& pool, const std::string& host, const Expected<Addresses>& outcome) {
    for (;;) {
      try {
        pool->executor.post([pool, host, outcome] { pool->answer(host, outcome); });
        return;
      } catch (const std::bad_alloc&) {
        std::this_thread::sleep_for(until_there_is_memory);
      }
    }
  }
};

DnsResolver::DnsResolver(Executor& executor, LookUp look_up)
    : pool_(std::make_shared<Pool>(executor, std::move(look_up))) {}

DnsResolver::~DnsResolver() {
  {
    const std::lock_guard lock(pool_->mutex);
    pool_->closed = true;
  }
  pool_->work_came.notify_all();
}

std::unique_ptr<DnsResolver::Waiting> DnsResolver::resolve(const std::string& host, Done done) {
  auto lookup = std::make_shared<Lookup>(Lookup{std::move(done)});
  // Made first: should anything throw from here on, no one answers the caller any more.
  std::unique_ptr<Waiting> waiting = std::make_unique<PendingLookup>(lookup);
  auto& lookups = pool_->asked[host];
  lookups.push_back(std::move(lookup));
  if (lookups.size() > 1) return waiting;
  try {
    look_up(host);
    return waiting;
  } catch (...) {
    // Or the next one to ask would share a look-up that never comes.
    pool_->asked.erase(host);
    throw;
  }
}

void DnsResolver::look_up(const std::string& host) {
  bool wants_thread = false;
  {
    const std::lock_guard lock(pool_->mutex);
    pool_->hosts.push_back(host);
    wants_thread = static_cast<int>(pool_->hosts.size()) > pool_->idle_threads && pool_->threads < kMaxThreads;
    if (wants_thread) ++pool_->threads;
  }
  if (wants_thread) {
    auto thread = start_worker();
    if (thread) {
      thread->detach();
    } else {
      const std::lock_guard lock(pool_->mutex);
      --pool_->threads;
      if (pool_->threads == 0) {
        pool_->executor.post([pool = pool_, host, error = thread.error()] { pool->answer(host, error); });
      }
    }
  }
  pool_->work_came.notify_one();
}

Expected<std::thread> DnsResolver::start_worker() noexcept {
  try {
    return start_thread("ksr-dns", [pool = pool_] { Pool::work(pool); });
  } catch (...) {
    return error_of_exception();
  }
}

}  // namespace ksr::transport
