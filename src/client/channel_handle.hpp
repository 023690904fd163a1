// `ChannelHandle` is one channel as the host has it: what it holds in both directions, its events, who waits for it,
// its end; used by Client and abi/. Any thread; `mutex_` guards its state.
#pragma once

#include <cstddef>
#include <cstdint>
#include <deque>
#include <functional>
#include <map>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <utility>

#include "base/executor.hpp"
#include "base/expected.hpp"
#include "base/handle_registry.hpp"
#include "base/instant.hpp"
#include "base/mutex.hpp"
#include "channel/channel_call.hpp"
#include "channel/outgoing_queue.hpp"
#include "channel/part_buffer.hpp"
#include "client/hosts.hpp"
#include "delivery/callback_runner.hpp"

namespace ksr::client {

class ChannelHandle final : public delivery::CallbackSource,
                            public channel::ChannelHost,
                            public std::enable_shared_from_this<ChannelHandle> {
 public:
  // Of the client that it belongs to. `forget` is called once after close_async(), when the last callback is over, with
  // no lock held.
  struct Owner {
    Executor& executor;
    std::shared_ptr<delivery::CallbackRunner> runner;
    std::function<void(ChannelHandle&)> forget;
  };

  // `options` have passed check_channel.
  ChannelHandle(Owner owner, Handle number, channel::ChannelOptions options, std::unique_ptr<DataHost> host);
  ~ChannelHandle() override;
  ChannelHandle(const ChannelHandle&) = delete;
  ChannelHandle& operator=(const ChannelHandle&) = delete;

  // Before start(), which opens it.
  void prepare(channel::ChannelCall::Environment environment, channel::ChannelTarget target);
  void start();
  Handle number() const noexcept { return number_; }

  // As the functions of ksr.h; `timeout`: empty is without limit.
  using Timeout = std::optional<Milliseconds>;
  Expected<void> read(int part, char* to, std::size_t size, Timeout timeout, std::size_t& got) KSR_EXCLUDES(mutex_);
  Expected<void> write(int part, std::string_view bytes, Timeout timeout, std::size_t& taken) KSR_EXCLUDES(mutex_);
  Expected<void> finish(int part) KSR_EXCLUDES(mutex_);
  Expected<void> resume(int part) KSR_EXCLUDES(mutex_);
  Expected<void> resize(std::uint32_t columns, std::uint32_t rows) KSR_EXCLUDES(mutex_);
  // Empty: not within `timeout`.
  std::optional<Expected<std::optional<int>>> wait(Timeout timeout) KSR_EXCLUDES(mutex_);
  std::string info(std::string_view name) const KSR_EXCLUDES(mutex_);
  std::optional<std::uint64_t> statistic(std::string_view name) KSR_EXCLUDES(mutex_);

  void cancel() KSR_EXCLUDES(mutex_);
  Status close() KSR_EXCLUDES(mutex_);
  void close_async() KSR_EXCLUDES(mutex_);

  Turn take_turn() override KSR_EXCLUDES(mutex_);

 private:
  struct WaitingEvent {
    ChannelEvent event;
    int part = 0;
    std::optional<delivery::ErrorReport> report = std::nullopt;
  };
  // One that bytes come on.
  struct Part {
    int number = 0;
    channel::PartBuffer held;
    bool paused = false;    // on_data took less
    bool busy = false;      // on_data runs
    std::size_t given = 0;  // bytes, to it
    bool resumed = false;   // meanwhile
    bool finished = false;  // the mark has been passed
    bool telling = false;   // on_event runs for the mark that comes next
  };
  // The call lives on the network thread, where its last reference is dropped: see RequestHandle.
  struct CallHolder {
    std::shared_ptr<channel::ChannelCall> call;
  };

  // channel::ChannelHost
  void on_connecting() override KSR_EXCLUDES(mutex_);
  void on_open() override KSR_EXCLUDES(mutex_);
  void on_interrupted(const Error& error, std::optional<Milliseconds> retry) override KSR_EXCLUDES(mutex_);
  void on_resumed() override KSR_EXCLUDES(mutex_);
  bool on_bytes(int part, std::string_view bytes) override KSR_EXCLUDES(mutex_);
  bool on_message(int part, std::string message) override KSR_EXCLUDES(mutex_);
  void on_drained() override KSR_EXCLUDES(mutex_);
  void on_mark(int part, channel::Mark mark) override KSR_EXCLUDES(mutex_);
  std::uint64_t taken_bytes() const override KSR_EXCLUDES(mutex_);
  std::optional<channel::Outgoing> take_outgoing() override KSR_EXCLUDES(mutex_);
  void release_outgoing(std::size_t bytes) override KSR_EXCLUDES(mutex_);
  void set_info(const char* name, std::string value) override KSR_EXCLUDES(mutex_);
  void on_end(channel::Ending ending) override KSR_EXCLUDES(mutex_);

  bool is_log() const noexcept { return options_.kind == channel::ChannelKind::log; }
  bool has_messages() const noexcept { return options_.kind == channel::ChannelKind::websocket; }
  Part* find(int part) KSR_REQUIRES(mutex_);
  Expected<void> check_writable(int part) const;
  void add_event(ChannelEvent event, int part, std::optional<delivery::ErrorReport> report) KSR_REQUIRES(mutex_);
  // Without on_data, marks become events once the bytes before them are read.
  void pass_marks(Part& part, bool all) KSR_REQUIRES(mutex_);
  void count_taken(std::string_view bytes) KSR_REQUIRES(mutex_);
  // What it costs to hold, which `receive_buffer` bounds; and the bytes alone.
  std::size_t held_size() const KSR_REQUIRES(mutex_);
  std::size_t held_bytes() const KSR_REQUIRES(mutex_);
  bool is_full() const KSR_REQUIRES(mutex_);
  bool note_arrival() KSR_REQUIRES(mutex_);
  void after_taking() KSR_EXCLUDES(mutex_);
  void post() KSR_EXCLUDES(mutex_);
  void notify_all();
  // Runs `step` on the call, on the network thread.
  template <class Step>
  void on_network(Step step);
  Part* next_deliverable() KSR_REQUIRES(mutex_);
  Part* oldest_message() KSR_REQUIRES(mutex_);
  Part* next_at_mark() KSR_REQUIRES(mutex_);
  // The value of both: a callback was made.
  bool deliver_from(Part& part) KSR_EXCLUDES(mutex_);
  bool tell_mark(Part& part) KSR_EXCLUDES(mutex_);
  void release_blocks_when_quiet() KSR_EXCLUDES(mutex_);
  bool all_delivered() const KSR_REQUIRES(mutex_);
  bool all_taken() const KSR_REQUIRES(mutex_);
  bool end_known() const KSR_REQUIRES(mutex_);
  std::optional<Error> end_error() const KSR_REQUIRES(mutex_);
  void end() KSR_EXCLUDES(mutex_);
  void forget_if_closed() KSR_EXCLUDES(mutex_);

  const Owner owner_;
  const Handle number_;
  const channel::ChannelOptions options_;
  const bool has_callbacks_;
  const bool pushes_;
  const bool tells_events_;
  const std::shared_ptr<channel::ChannelCounts> counts_ = std::make_shared<channel::ChannelCounts>();
  CallHolder* const call_holder_;

  mutable Mutex mutex_;
  ConditionVariable changed_;  // the end, and that of the callbacks
  ConditionVariable arrived_;  // for read()
  ConditionVariable sent_;     // for write()
  // Used in turns alone, but for its end without callbacks.
  std::unique_ptr<DataHost> host_;
  std::deque<Part> parts_ KSR_GUARDED_BY(mutex_);
  std::size_t next_part_ KSR_GUARDED_BY(mutex_) = 0;
  std::deque<WaitingEvent> events_ KSR_GUARDED_BY(mutex_);
  std::uint64_t lines_held_ KSR_GUARDED_BY(mutex_) = 0;
  std::uint64_t bytes_taken_ KSR_GUARDED_BY(mutex_) = 0;  // of a log
  bool moved_much_ KSR_GUARDED_BY(mutex_) = false;        // since blocks were kept last
  std::uint64_t messages_ KSR_GUARDED_BY(mutex_) = 0;     // received
  bool reading_rests_ KSR_GUARDED_BY(mutex_) = false;
  bool untold_ KSR_GUARDED_BY(mutex_) = false;  // bytes for which no turn was asked for
  channel::OutgoingQueue outgoing_ KSR_GUARDED_BY(mutex_);
  // A write to it did not take all; a bit for each part.
  std::uint32_t wants_writable_ KSR_GUARDED_BY(mutex_) = 0;
  bool finished_writing_ KSR_GUARDED_BY(mutex_) = false;
  bool send_posted_ KSR_GUARDED_BY(mutex_) = false;
  bool open_ KSR_GUARDED_BY(mutex_) = false;
  std::map<std::string, std::string, std::less<>> info_ KSR_GUARDED_BY(mutex_);
  std::optional<channel::Ending> ending_ KSR_GUARDED_BY(mutex_);
  bool cancelled_ KSR_GUARDED_BY(mutex_) = false;
  bool told_closed_ KSR_GUARDED_BY(mutex_) = false;
  bool ended_ KSR_GUARDED_BY(mutex_) = false;  // the last callback is over
  bool closed_async_ KSR_GUARDED_BY(mutex_) = false;
};

}  // namespace ksr::client
