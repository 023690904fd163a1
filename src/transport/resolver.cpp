#include "transport/resolver.hpp"

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

constexpr int most_threads = 16;
constexpr std::chrono::seconds idle_before_leaving{10};
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

struct Question {
  Resolver::Done done;
};

class Patience final : public Resolver::Waiting {
 public:
  explicit Patience(std::shared_ptr<Question> question) : question_(std::move(question)) {}
  ~Patience() override { question_->done = nullptr; }

 private:
  std::shared_ptr<Question> question_;
};

}  // namespace

// Shared with the threads, which may outlive the resolver: a look-up cannot be stopped.
struct Resolver::Desk {
  Desk(Executor& executor_in, LookUp look_up_in) : executor(executor_in), look_up(std::move(look_up_in)) {}

  Executor& executor;
  const LookUp look_up;

  // Executor's thread only.
  std::map<std::string, std::vector<std::shared_ptr<Question>>> asked;

  std::mutex mutex;
  std::condition_variable work_came;
  std::deque<std::string> hosts;
  int threads = 0;
  int idle_threads = 0;
  bool closed = false;

  void answer(const std::string& host, const Expected<Addresses>& outcome) {
    const auto found = asked.find(host);
    if (found == asked.end()) return;
    const auto questions = std::move(found->second);
    asked.erase(found);
    for (const auto& question : questions) {
      const Done done = std::exchange(question->done, nullptr);
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
    const bool woken = work_came.wait_for(lock, idle_before_leaving, [this] { return closed || !hosts.empty(); });
    --idle_threads;
    if (!woken || closed) {
      --threads;
      return {};
    }
    std::string host = std::move(hosts.front());
    hosts.pop_front();
    return host;
  }

  static void work(const std::shared_ptr<Desk>& desk) {
    for (std::string host = desk->next_host(); !host.empty(); host = desk->next_host()) {
      report(desk, host, looked_up(*desk, host));
    }
  }

  static Expected<Addresses> looked_up(const Desk& desk, const std::string& host) noexcept {
    try {
      return desk.look_up(host);
    } catch (...) {
      return error_of_exception();
    }
  }

  // Those who asked wait for it, so it is posted as soon as there is memory.
  static void report(const std::shared_ptr<Desk>& desk, const std::string& host, const Expected<Addresses>& outcome) {
    for (;;) {
      try {
        desk->executor.post([desk, host, outcome] { desk->answer(host, outcome); });
        return;
      } catch (const std::bad_alloc&) {
        std::this_thread::sleep_for(until_there_is_memory);
      }
    }
  }
};

Resolver::Resolver(Executor& executor, LookUp look_up) : desk_(std::make_shared<Desk>(executor, std::move(look_up))) {}

Resolver::~Resolver() {
  {
    const std::lock_guard lock(desk_->mutex);
    desk_->closed = true;
  }
  desk_->work_came.notify_all();
}

std::unique_ptr<Resolver::Waiting> Resolver::resolve(const std::string& host, Done done) {
  auto question = std::make_shared<Question>(Question{std::move(done)});
  // Made first: should anything throw from here on, no one answers the caller any more.
  std::unique_ptr<Waiting> waiting = std::make_unique<Patience>(question);
  auto& questions = desk_->asked[host];
  questions.push_back(std::move(question));
  if (questions.size() > 1) return waiting;
  try {
    look_up(host);
    return waiting;
  } catch (...) {
    // Or the next one to ask would share a look-up that never comes.
    desk_->asked.erase(host);
    throw;
  }
}

void Resolver::look_up(const std::string& host) {
  bool wants_thread = false;
  {
    const std::lock_guard lock(desk_->mutex);
    desk_->hosts.push_back(host);
    wants_thread = static_cast<int>(desk_->hosts.size()) > desk_->idle_threads && desk_->threads < most_threads;
    if (wants_thread) ++desk_->threads;
  }
  if (wants_thread) {
    auto thread = start_worker();
    if (thread) {
      thread->detach();
    } else {
      const std::lock_guard lock(desk_->mutex);
      --desk_->threads;
      if (desk_->threads == 0) {
        desk_->executor.post([desk = desk_, host, error = thread.error()] { desk->answer(host, error); });
      }
    }
  }
  desk_->work_came.notify_one();
}

Expected<std::thread> Resolver::start_worker() noexcept {
  try {
    return start_thread("ksr-dns", [desk = desk_] { Desk::work(desk); });
  } catch (...) {
    return error_of_exception();
  }
}

}  // namespace ksr::transport
