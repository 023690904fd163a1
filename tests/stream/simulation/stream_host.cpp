#include "stream/simulation/stream_host.hpp"

#include <utility>

#include "sync/simulation/invariant.hpp"

namespace ksr::stream::testing {

class StreamHost::Callbacks final : public delivery::Host {
 public:
  explicit Callbacks(StreamHost& owner) : owner_(owner) {}
  ~Callbacks() override { owner_.on_destroy(); }
  bool wants_updates() const noexcept override { return true; }
  bool wants_errors() const noexcept override { return true; }
  bool wants_states() const noexcept override { return true; }
  bool wants_log() const noexcept override { return owner_.wants_log; }
  bool wants_destroy() const noexcept override { return true; }
  void on_update(const delivery::Snapshot& snapshot) override { owner_.on_update(snapshot); }
  void on_error(delivery::ErrorReport report) override { owner_.on_error(report); }
  void on_state(sync::State state) override { owner_.on_state(state); }
  void on_log(LogLevel, const std::string& line) override {
    const ksr::testing::WithMemory with_memory;
    owner_.note("on_log " + line);
  }

 private:
  StreamHost& owner_;
};

StreamHost::StreamHost(SharingWorld& world, std::string name, const sync::testing::Etcd& etcd, std::size_t limit)
    : world_(world), name_(std::move(name)), told_(etcd, name_, limit) {}

StreamHost::~StreamHost() = default;

// What a check of ToldView throws is remembered.
template <class Check>
void StreamHost::checked(Check&& check) const {
  try {
    check();
  } catch (const sync::testing::InvariantViolation& violated) {
    world_.expect(false, violated.what());
  }
}

// ---- the program ----------------------------------------------------------------------------------------------------

bool StreamHost::create(const Config& config, Runtime& runtime, const std::shared_ptr<cluster::Access>& access) {
  say("create");
  auto host = std::make_unique<Callbacks>(*this);
  ClientParts client{access, "default", {}};
  abandoned_ = true;
  const bool made = with_luck([&] {
    auto created = Stream::create(config, std::move(host), runtime, std::move(client));
    if (created) stream_ = std::move(created).value();
  });
  if (!made) {
    // Perhaps the call was not even made.
    host.reset();
    phase_ = Phase::closed;
    expect(destroyed_, "it could not be made, and the host exists");
    return false;
  }
  expect(stream_ != nullptr, "it could not be made");
  abandoned_ = false;
  watched_ = stream_;
  return true;
}

bool StreamHost::start() {
  say("start");
  phase_ = Phase::open;
  return with_luck([&] { stream_->start(); });
}

// False: there was no memory for it.
template <class Call>
bool StreamHost::with_luck(Call&& call) {
  try {
    world_.risk(call);
    return true;
  } catch (const std::bad_alloc&) {
    say("out of memory");
    return false;
  }
}

template <class Call>
void StreamHost::without_fail(Call&& call) {
  expect(with_luck(call), "what ends a stream needs memory");
}

void StreamHost::abandon() {
  say("abandon");
  abandoned_ = true;
  phase_ = Phase::closed;
  without_fail([&] { stream_->abandon(); });
  stream_.reset();
  expect(destroyed_, "it is abandoned and the host exists");
}

void StreamHost::cancel() {
  say("cancel");
  phase_ = Phase::cancelled;
  without_fail([&] { stream_->cancel(); });
  expect(stat("state") == static_cast<std::uint64_t>(sync::State::closed), "it is cancelled and not CLOSED");
  // For which there may have been no memory.
  if (!world_.runs_out_of_memory) show_latest();
  last_shown_ = sync::testing::ToldView::shown(stream_->latest());
}

void StreamHost::close() {
  say("close");
  if (is_inside()) return expect(stream_->close() == Status::would_deadlock, "close() within a callback waits for it");
  phase_ = Phase::closed;
  const std::shared_ptr<Stream> stream = std::move(stream_);
  Status closed = Status::internal;
  without_fail([&] { closed = stream->close(); });
  expect(closed == Status::ok, "close() has failed");
  expect(destroyed_, "it is closed and the host exists");
}

void StreamHost::close_async() {
  say("close_async");
  const bool inside = is_inside();
  phase_ = Phase::closed;
  const std::shared_ptr<Stream> stream = std::move(stream_);
  without_fail([&] {
    stream->close_async([this] {
      const ksr::testing::WithMemory with_memory;
      say("ended");
      expect(destroyed_, "on_ended comes before destroy");
      expect(!ended_, "on_ended comes twice");
      ended_ = true;
    });
  });
  expect(inside || ended_, "it is closed, no callback runs, and it has not ended");
}

void StreamHost::dispatch() {
  dispatch_some();
}

void StreamHost::dispatch_all() {
  while (dispatch_some() > 0) {
  }
}

std::int64_t StreamHost::dispatch_some() {
  if (!has_handle() || phase_ == Phase::created || is_inside()) return 0;
  const std::shared_ptr<Stream> stream = stream_;
  const std::uint64_t before = callbacks_;
  // With memory: without it an update is tried again after a pause of the real clock.
  const ksr::testing::WithMemory with_memory;
  const std::int64_t made = stream->dispatch();
  expect(made >= 0 && callbacks_ - before >= static_cast<std::uint64_t>(made),
         "dispatch counts calls that were not made");
  // It was closed within a callback.
  if (phase_ == Phase::closed)
    expect(destroyed_ && ended_, "it was closed within a callback, and has not ended with that");
  return made;
}

void StreamHost::show_latest() {
  delivery::SnapshotRef latest;
  if (!with_luck([&] { latest = stream_->latest(); })) return;
  if (world_.tracing) world_.trace(name_ + ": latest is " + (latest ? std::to_string(latest->sequence()) : "none"));
  // cancel() may have had no memory for the view.
  if (latest || !last_shown_ || !world_.runs_out_of_memory) checked([&] { told_.show(latest); });
  if (!last_shown_) return;
  const auto now = sync::testing::ToldView::shown(latest);
  expect(now.sequence == last_shown_->sequence && now.held == last_shown_->held, "what is shown changed after cancel");
}

void StreamHost::wait_synced() {
  const Status status = stream_->wait_synced(Milliseconds(0));
  if (status == Status::ok) {
    // cancel() may have had no memory for the view.
    return expect(stream_->latest() || (last_shown_ && world_.runs_out_of_memory), "it is synced and has no snapshot");
  }
  const bool over = !is_member() || has_failed();
  expect(status == (over ? Status::cancelled : Status::timeout), "wait_synced says what is not so");
}

std::string StreamHost::last_error() const {
  const auto report = stream_->last_error();
  return report ? report->error.text() : std::string();
}

bool StreamHost::has_converged() {
  return is_open() && known_to_engine && state() == sync::State::live && is_synced() && last_error().empty() &&
         told_.is_complete();
}

// ---- callbacks ------------------------------------------------------------------------------------------------------

void StreamHost::on_update(const delivery::Snapshot& snapshot) {
  const ksr::testing::WithMemory with_memory;
  note("on_update " + std::to_string(snapshot.sequence()) + ": " + std::to_string(snapshot.view().count()) +
       " objects at " + std::string(snapshot.view().resource_version()) + ", " +
       std::to_string(snapshot.deltas().count()) + " deltas");
  ++updates_;
  expect(is_open(), "on_update after the end, or before the start");
  checked([&] { told_.deliver(snapshot); });
  called_back();
}

void StreamHost::on_error(const delivery::ErrorReport& report) {
  const ksr::testing::WithMemory with_memory;
  note("on_error " + report.error.text() + (report.next_try ? "" : " (fatal)"));
  expect(is_open(), "on_error after the end, or before the start");
  expect(!told_fatal_ || (world_.runs_out_of_memory && !report.next_try), "on_error after a fatal error");
  told_error_ = report.error.text();
  told_fatal_ = !report.next_try;
  called_back();
}

void StreamHost::on_state(sync::State state) {
  const ksr::testing::WithMemory with_memory;
  note("on_state " + std::to_string(static_cast<int>(state)));
  expect(!told_state_ || *told_state_ != sync::State::closed, "on_state after CLOSED");
  expect(!abandoned_, "on_state of a stream that was abandoned");
  if (state != sync::State::closed) {
    expect(is_open(), "on_state after the end, or before the start");
    expect(!told_fatal_, "on_state after a fatal error");
  } else if (is_open()) {
    expect(told_fatal_ || world_.runs_out_of_memory, "it has failed, and the host has not been told the error");
  }
  // Of many that wait the oldest are dropped.
  expect(told_state_ != state || world_.runs_out_of_memory || (stream_ && stat("dropped_states") > 0),
         "on_state says the same twice");
  told_state_ = state;
  if (state != sync::State::closed) called_back();
}

void StreamHost::on_destroy() {
  const ksr::testing::WithMemory with_memory;
  note("destroy");
  expect(!destroyed_, "destroy comes twice");
  expect(abandoned_ || told_state_ == sync::State::closed, "destroy comes before CLOSED");
  expect(!abandoned_ || callbacks_ == 1, "a stream that was abandoned was called back");
  destroyed_ = true;
}

void StreamHost::say(const std::string& what) const {
  if (world_.tracing) world_.trace(name_ + ": " + what);
}

void StreamHost::note(const std::string& callback) {
  expect(!destroyed_, "a callback after destroy");
  ++callbacks_;
  say(callback);
}

void StreamHost::called_back() {
  ++inside_;
  if (in_callback) in_callback(*this);
  --inside_;
}

// ---- checks ---------------------------------------------------------------------------------------------------------

void StreamHost::check_told() {
  if (!is_open() || !known_to_engine) return;
  // What there was no memory for comes later, if at all.
  if (world_.may_lack) return;
  dispatch_all();
  if (!is_open()) return;
  const bool failed = has_failed();
  expect(told_state_ == state(), "the last on_state is not what the statistic says");
  expect(stat("deliveries") == updates_, "the deliveries are not the calls of on_update");
  expect(failed == destroyed_,
         failed ? "it has failed and the host exists" : "the host is gone and the stream is open");
  const std::string lasting = last_error();
  expect(lasting.empty() || lasting == told_error_ || world_.runs_out_of_memory,
         "an error lasts that the host has not been told");
  expect(!lasting.empty() || !failed || world_.runs_out_of_memory, "it has failed without an error");
  expect(lasting.empty() || state() != sync::State::live, "it is live with an error");
  expect(told_.agrees_with(stream_->latest()), "what ksr_latest shows was not delivered");
}

void StreamHost::check_cancelled() {
  if (phase_ != Phase::cancelled) return;
  if (!last_error_) last_error_ = last_error();
  expect(last_error() == *last_error_, "the last error changed after cancel");
}

void StreamHost::check_gone() const {
  expect(phase_ == Phase::closed, "it is not closed");
  expect(destroyed_, "the host was not destroyed");
  expect(watched_.expired(), "the stream has leaked");
}

}  // namespace ksr::stream::testing
