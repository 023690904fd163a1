#include "cluster/blocking_fetch.hpp"

#include <chrono>
#include <memory>
#include <optional>
#include <utility>

#include "base/exception_error.hpp"
#include "base/mutex.hpp"

namespace ksr::cluster {
namespace {

constexpr std::size_t kMaxAnswerSize = std::size_t{1} << 20;
// How soon a stop is noticed.
constexpr std::chrono::milliseconds kStopTick{20};

struct WaitedFetch {
  // Network thread only.
  std::unique_ptr<HttpFetch> fetch;
  Mutex outcome_mutex;
  ConditionVariable done;
  std::optional<Expected<FetchedAnswer>> outcome KSR_GUARDED_BY(outcome_mutex);

  void finish(Expected<FetchedAnswer> with) {
    {
      const MutexLock lock(outcome_mutex);
      if (!outcome) outcome.emplace(std::move(with));
    }
    done.notify_all();
  }
};

void start_fetch(const std::shared_ptr<WaitedFetch>& waited, transport::Transport& transport,
                 const transport::ConnectionSettings& settings, transport::Request request, const std::string& url) {
  auto connection = transport.connect(settings);
  if (!connection) return waited->finish(connection.error().within(url));
  waited->fetch =
      std::make_unique<HttpFetch>(*std::move(connection), std::move(request), url, kMaxAnswerSize,
                                  [weak = std::weak_ptr<WaitedFetch>(waited)](Expected<FetchedAnswer> answer) {
                                    if (const auto still = weak.lock()) still->finish(std::move(answer));
                                  });
}

}  // namespace

Expected<FetchedAnswer> fetch_and_wait(Executor& executor, transport::Transport& transport,
                                       const transport::ConnectionSettings& settings, transport::Request request,
                                       const std::string& url, const std::atomic<bool>& stop) {
  const auto waited = std::make_shared<WaitedFetch>();
  executor.post([waited, &transport, settings, request = std::move(request), url]() mutable {
    try {
      start_fetch(waited, transport, settings, std::move(request), url);
    } catch (...) {
      waited->finish(error_of_exception());
    }
  });
  std::optional<Expected<FetchedAnswer>> outcome;
  {
    const MutexLock lock(waited->outcome_mutex);
    while (!waited->outcome && !stop.load(std::memory_order_relaxed)) {
      waited->done.wait_until(waited->outcome_mutex, std::chrono::steady_clock::now() + kStopTick);
    }
    outcome = std::exchange(waited->outcome, std::nullopt);
  }
  // The exchange belongs to the network thread.
  executor.post([waited] { waited->fetch.reset(); });
  if (!outcome) return Error{Status::cancelled, url + ": was cancelled"};
  return *std::move(outcome);
}

}  // namespace ksr::cluster
