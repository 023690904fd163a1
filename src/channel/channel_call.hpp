// `ChannelCall` is the network's side of one channel, `ChannelHost` what it reports to; the kinds of channels implement
// the one, client::ChannelHandle the other. Live on the network thread.
#pragma once

#include <algorithm>
#include <atomic>
#include <chrono>
#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <utility>

#include "base/error.hpp"
#include "base/exception_error.hpp"
#include "base/executor.hpp"
#include "base/instant.hpp"
#include "base/log.hpp"
#include "base/random.hpp"
#include "base/thread_check.hpp"
#include "channel/channel_options.hpp"
#include "channel/outgoing_queue.hpp"
#include "channel/part_buffer.hpp"
#include "cluster/access.hpp"
#include "sync/call_retries.hpp"
#include "transport/transport.hpp"

namespace ksr::channel {

// How long the head of an HTTP response is waited for.
constexpr Milliseconds kHeadTimeout{30'000};

// For how long something has lasted, all times together. Changed on the network thread, read on any; no reader sees it
// fall.
class Lasting {
 public:
  void begin(Instant now) noexcept {
    const std::int64_t state = state_.load(std::memory_order_relaxed);
    if (!lasts(state)) state_.store((in_us(now) - state / 2) * 2 + 1, std::memory_order_relaxed);
  }
  // Nothing, unless it had begun.
  void end(Instant now) noexcept {
    const std::int64_t state = state_.load(std::memory_order_relaxed);
    if (lasts(state)) state_.store(total(state, now) * 2, std::memory_order_relaxed);
  }
  std::uint64_t total_us(Instant now) const noexcept {
    // A reader's clock may be ahead of that of the next end(), or behind that of the last begin().
    const std::int64_t found = total(state_.load(std::memory_order_relaxed), now);
    std::int64_t told = told_us_.load(std::memory_order_relaxed);
    while (told < found && !told_us_.compare_exchange_weak(told, found, std::memory_order_relaxed)) {
    }
    return static_cast<std::uint64_t>(std::max(told, found));
  }

 private:
  static std::int64_t in_us(Instant at) noexcept {
    return std::chrono::duration_cast<std::chrono::microseconds>(at.time_since_epoch()).count();
  }
  static bool lasts(std::int64_t state) noexcept { return state % 2 != 0; }
  static std::int64_t total(std::int64_t state, Instant now) noexcept {
    return lasts(state) ? in_us(now) - (state - 1) / 2 : state / 2;
  }

  // One number, so that no reader sees half of a change. Even: twice the total. Odd: it lasts, and twice the time at
  // which it would have begun if it had lasted without a break, and 1.
  std::atomic<std::int64_t> state_{0};
  mutable std::atomic<std::int64_t> told_us_{0};
};

// Written on the network thread, read on any.
struct ChannelCounts {
  std::atomic<std::uint64_t> bytes_received{0};
  std::atomic<std::uint64_t> bytes_sent{0};
  // The host is too slow.
  Lasting stalled;
  // The server is.
  Lasting blocked;
  std::atomic<std::uint64_t> reconnects{0};
  std::atomic<std::uint64_t> gaps{0};
  std::atomic<std::uint64_t> replayed{0};
  std::atomic<std::uint64_t> ping_rtt_us{0};
  std::atomic<std::uint64_t> exit_verified{0};
  // 5, 4, 1 of exec, attach and portforward; 0: none.
  std::atomic<std::uint64_t> protocol{0};
};

// Whether a server takes v4.channel.k8s.io alone, v5 alone, or is not known to refuse any. Shared by the channels of a
// client.
struct ServerProtocols {
  bool refuses_v4 = false;
  bool refuses_v5 = false;
};

struct Ending {
  // Empty: it was orderly.
  std::optional<Error> error;
  std::optional<int> exit_code;
};

class ChannelHost {
 public:
  virtual ~ChannelHost() = default;
  virtual void on_connecting() = 0;
  virtual void on_open() = 0;
  // With `retry` nothing is open until the next on_open or on_resumed.
  virtual void on_interrupted(const Error& error, std::optional<Milliseconds> retry) = 0;
  // What has been open before is again, which is no event.
  virtual void on_resumed() = 0;
  // False: enough is held. ChannelCall::resume() follows when there is room again.
  virtual bool on_bytes(int part, std::string_view bytes) = 0;
  virtual bool on_message(int part, std::string message) = 0;
  // All that has arrived by now was given.
  virtual void on_drained() = 0;
  virtual void on_mark(int part, Mark mark) = 0;
  // log: how many of the bytes that were given the host has taken. Any thread.
  virtual std::uint64_t taken_bytes() const = 0;
  // What is to be sent next: one message, or some bytes of a stream, at most ChannelCodec::kMaxPayload.
  virtual std::optional<Outgoing> take_outgoing() = 0;
  // So many bytes of that have been sent, or are lost with their connection.
  virtual void release_outgoing(std::size_t bytes) = 0;
  virtual void set_info(const char* name, std::string value) = 0;
  // The end; nothing is called afterwards.
  virtual void on_end(Ending ending) = 0;
};

class ChannelCall : public std::enable_shared_from_this<ChannelCall> {
 public:
  struct Environment {
    Executor& executor;
    std::shared_ptr<Random> random;
    std::shared_ptr<cluster::Access> access;
    std::shared_ptr<ChannelCounts> counts;
    std::shared_ptr<ServerProtocols> protocols;
    std::weak_ptr<ChannelHost> host;
    std::weak_ptr<Logger> logger = {};
  };

  virtual ~ChannelCall() = default;
  ChannelCall(const ChannelCall&) = delete;
  ChannelCall& operator=(const ChannelCall&) = delete;

  void start();
  // Nothing is reported afterwards.
  void cancel();
  // The host has room again.
  void resume();
  // The host has something to send.
  void send_waiting();
  void resize(std::uint16_t columns, std::uint16_t rows);
  // log: where to go on behind the lines that the host has taken, of the first `bytes` that it was given. Any thread.
  virtual std::string cursor(const ChannelHost& /*host*/, std::uint64_t /*bytes*/) const { return {}; }
  // Whether what the channel was opened for may have been done: it was, or its request was sent without a definite
  // answer. Any thread.
  bool maybe_done() const noexcept { return maybe_done_.get(); }

 protected:
  ChannelCall(Environment environment, ChannelOptions options, ChannelTarget target);

  virtual void begin() = 0;
  virtual void stop() = 0;
  // Reading goes on after a rest.
  virtual void resumed() {}
  virtual void pump() {}
  virtual void take_size(std::uint16_t /*columns*/, std::uint16_t /*rows*/) {}

  // Runs `step`; an exception of it ends the channel.
  template <class Step>
  void guarded(Step&& step) {
    KSR_ASSERT_ON_THREAD(environment_.executor);
    const auto self = shared_from_this();
    if (ended_) return;
    try {
      step();
    } catch (...) {
      if (ended_) throw;
      fail(error_of_exception());
    }
  }

  // The rest of what was read is still delivered.
  void give(int part, std::string_view bytes);
  void give_message(int part, std::string message);
  void drained();
  void mark(int part, Mark mark);
  void end(Ending ending);
  void fail(Error error) { end({std::move(error), std::nullopt}); }
  bool ended() const noexcept { return ended_; }
  bool reading_rests() const noexcept { return reading_rests_; }
  Instant now() const { return environment_.executor.now(); }
  std::unique_ptr<Timer> after(Milliseconds delay, std::function<void()> task);
  // "exec of v1/pods in namespace …".
  ErrorContext context() const;
  std::shared_ptr<ChannelHost> host() const { return environment_.host.lock(); }
  void interrupted(const Error& error, std::optional<Milliseconds> retry);
  // What the server has said, for ksr_channel_info; secrets are blanked.
  void tell_info(const char* name, std::string_view value);
  void warn(const std::string& what);

  const Environment environment_;
  const ChannelOptions options_;
  const ChannelTarget target_;
  PendingCall pending_;
  // Of the request under way; it rests as the host does.
  std::unique_ptr<transport::Exchange> exchange_;
  sync::MaybeDone maybe_done_;

 private:
  void rest();
  // Nothing is received or sent any more.
  void end_counts();
  // As the host may have it: the server may repeat what it was sent.
  Error shown(Error error) const;

  bool reading_rests_ = false;
  bool ended_ = false;
};

// "/api/v1/namespaces/NS/pods/NAME", percent-encoded.
std::string pod_path(const ChannelTarget& target);

std::shared_ptr<ChannelCall> make_channel_call(ChannelCall::Environment environment, ChannelOptions options,
                                               ChannelTarget target);

}  // namespace ksr::channel
