#include "client/channel_handle.hpp"

#include <algorithm>
#include <chrono>
#include <new>
#include <vector>

#include "base/text.hpp"
#include "base/whole_number.hpp"
#include "delivery/host_call.hpp"

namespace ksr::client {
namespace {

using channel::ChannelKind;
using channel::Mark;

// Of a log: the cursor knows each of them.
constexpr std::uint64_t kMaxLinesHeld = 30'000;
// A host that blocks is told of the newest failures.
constexpr std::size_t kMaxEvents = 256;
constexpr std::string_view kCursorBehind = "cursor:";
constexpr std::uint64_t kAllBytes = ~std::uint64_t{0};
// How long blocks are kept for more bytes of a part.
constexpr std::chrono::seconds kQuiet{1};

ChannelEvent event_of(Mark mark) {
  switch (mark) {
    case Mark::gap:
      return ChannelEvent::gap;
    case Mark::restarted:
      return ChannelEvent::restarted;
    case Mark::finished:
      break;
  }
  return ChannelEvent::finished;
}

std::vector<int> parts_of(const channel::ChannelOptions& options) {
  switch (options.kind) {
    case ChannelKind::exec:
    case ChannelKind::attach: {
      std::vector<int> parts;
      if (options.wants_stdout) parts.push_back(channel::kPartStdout);
      if (options.wants_stderr) parts.push_back(channel::kPartStderr);
      return parts;
    }
    case ChannelKind::portforward:
      return {channel::kPartData};
    case ChannelKind::websocket:
      return {channel::kPartText, channel::kPartBinary};
    case ChannelKind::log:
    case ChannelKind::http:
    case ChannelKind::none:
      break;
  }
  return {channel::kPartStdout};
}

// Of parts that can be written to.
constexpr std::uint32_t bit_of(int part) {
  return std::uint32_t{1} << static_cast<unsigned>(part);
}

Error bad_part(int part, const char* expected) {
  return {Status::invalid, "part " + std::to_string(part) + ": expected " + expected};
}

Error no_time(const char* what) {
  return {Status::timeout, what};
}

}  // namespace

ChannelHandle::ChannelHandle(Owner owner, Handle number, channel::ChannelOptions options,
                             std::unique_ptr<DataHost> host)
    : owner_(std::move(owner)),
      number_(number),
      options_(std::move(options)),
      has_callbacks_(host->wants_data() || host->wants_events() || host->wants_destroy()),
      pushes_(host->wants_data()),
      tells_events_(host->wants_events()),
      call_holder_(new CallHolder),
      host_(std::move(host)),
      outgoing_(options_.send_buffer, has_messages()) {
  const MutexLock lock(mutex_);
  for (const int part : parts_of(options_)) {
    parts_.emplace_back();
    parts_.back().number = part;
  }
}

ChannelHandle::~ChannelHandle() {
  owner_.executor.post([holder = call_holder_] { delete holder; });
}

void ChannelHandle::prepare(channel::ChannelCall::Environment environment, channel::ChannelTarget target) {
  environment.counts = counts_;
  environment.host = std::static_pointer_cast<channel::ChannelHost>(shared_from_this());
  call_holder_->call = channel::make_channel_call(std::move(environment), options_, std::move(target));
}

template <class Step>
void ChannelHandle::on_network(Step step) {
  // The holder is deleted by a later task than this one.
  owner_.executor.post([holder = call_holder_, step] {
    if (holder->call) step(*holder->call);
  });
}

void ChannelHandle::start() {
  on_network([](channel::ChannelCall& call) { call.start(); });
}

void ChannelHandle::notify_all() {
  changed_.notify_all();
  arrived_.notify_all();
  sent_.notify_all();
}

void ChannelHandle::post() {
  if (has_callbacks_) owner_.runner->post(shared_from_this());
}

ChannelHandle::Part* ChannelHandle::find(int part) {
  const auto found = std::find_if(parts_.begin(), parts_.end(), [part](const Part& one) { return one.number == part; });
  return found == parts_.end() ? nullptr : &*found;
}

// ---- what the network reports ---------------------------------------------------------------------------------------

void ChannelHandle::add_event(ChannelEvent event, int part, std::optional<delivery::ErrorReport> report) {
  if (!tells_events_ || cancelled_) return;
  // Of these one is as good as many, and nothing else bounds them.
  const bool again = (event == ChannelEvent::readable || event == ChannelEvent::writable) &&
                     std::any_of(events_.begin(), events_.end(),
                                 [&](const WaitingEvent& one) { return one.event == event && one.part == part; });
  if (again) return;
  if (events_.size() >= kMaxEvents) {
    const auto repeated = [](const WaitingEvent& one) {
      return one.event == ChannelEvent::interrupted || one.event == ChannelEvent::connecting;
    };
    const auto oldest = std::find_if(events_.begin(), events_.end(), repeated);
    if (oldest != events_.end()) events_.erase(oldest);
  }
  events_.push_back({event, part, std::move(report)});
}

void ChannelHandle::on_connecting() {
  {
    const MutexLock lock(mutex_);
    open_ = false;
    add_event(ChannelEvent::connecting, 0, std::nullopt);
  }
  post();
}

void ChannelHandle::on_open() {
  {
    const MutexLock lock(mutex_);
    open_ = true;
    add_event(ChannelEvent::open, 0, std::nullopt);
  }
  post();
}

void ChannelHandle::on_interrupted(const Error& error, std::optional<Milliseconds> retry) {
  {
    const MutexLock lock(mutex_);
    open_ = open_ && !retry;
    add_event(ChannelEvent::interrupted, 0, delivery::ErrorReport{error, retry});
  }
  post();
}

void ChannelHandle::on_resumed() {
  const MutexLock lock(mutex_);
  open_ = true;
}

std::size_t ChannelHandle::held_size() const {
  std::size_t size = 0;
  for (const Part& part : parts_) size += part.held.size();
  return size;
}

std::size_t ChannelHandle::held_bytes() const {
  std::size_t bytes = 0;
  for (const Part& part : parts_) bytes += part.held.bytes() + part.given;
  return bytes;
}

bool ChannelHandle::is_full() const {
  return held_size() >= options_.receive_buffer || lines_held_ >= kMaxLinesHeld;
}

// Something has been added. False: enough is held.
bool ChannelHandle::note_arrival() {
  untold_ = true;
  if (!pushes_) arrived_.notify_all();
  const bool room = !is_full();
  reading_rests_ = reading_rests_ || !room;
  return room;
}

void ChannelHandle::on_drained() {
  {
    const MutexLock lock(mutex_);
    if (!std::exchange(untold_, false)) return;
  }
  post();
}

bool ChannelHandle::on_bytes(int part, std::string_view bytes) {
  bool room = true;
  {
    const MutexLock lock(mutex_);
    Part* const to = find(part);
    if (to == nullptr) return true;
    if (is_log()) lines_held_ += static_cast<std::uint64_t>(std::count(bytes.begin(), bytes.end(), '\n'));
    if (cancelled_) return true;
    if (!pushes_ && to->held.empty()) add_event(ChannelEvent::readable, part, std::nullopt);
    to->held.add_bytes(bytes);
    room = note_arrival();
  }
  if (!room) post();
  return room;
}

bool ChannelHandle::on_message(int part, std::string message) {
  bool room = true;
  {
    const MutexLock lock(mutex_);
    Part* const to = find(part);
    // Without on_data the end of a part could not be told from an empty message.
    if (to == nullptr || cancelled_ || (!pushes_ && message.empty())) return true;
    if (!pushes_ && to->held.empty()) add_event(ChannelEvent::readable, part, std::nullopt);
    to->held.add_message(std::move(message), ++messages_);
    room = note_arrival();
  }
  if (!room) post();
  return room;
}

void ChannelHandle::on_mark(int part, Mark mark) {
  {
    const MutexLock lock(mutex_);
    Part* const to = find(part);
    if (to == nullptr || cancelled_) return;
    to->held.add_mark(mark);
    if (!pushes_) pass_marks(*to, false);
    arrived_.notify_all();
  }
  post();
}

// Without on_data. What lies behind a gap is read when the gap has been told (tell_mark), unless nothing can be told
// meanwhile: `all`.
void ChannelHandle::pass_marks(Part& part, bool all) {
  while (part.held.at_mark()) {
    if (!all && tells_events_ && part.held.front().mark != Mark::finished) return;
    const Mark mark = part.held.take().mark;
    if (std::exchange(part.telling, false)) continue;
    part.finished = part.finished || mark == Mark::finished;
    add_event(event_of(mark), part.number, std::nullopt);
  }
}

std::uint64_t ChannelHandle::taken_bytes() const {
  const MutexLock lock(mutex_);
  return bytes_taken_;
}

void ChannelHandle::set_info(const char* name, std::string value) {
  const MutexLock lock(mutex_);
  info_[name] = std::move(value);
}

void ChannelHandle::on_end(channel::Ending ending) {
  {
    const MutexLock lock(mutex_);
    open_ = false;
    if (!ending_) ending_ = std::move(ending);
    notify_all();
    try {
      // CLOSED waits for what is unread of all parts; a reader of another part, or of the outcome, does not.
      if (!pushes_) {
        for (const Part& part : parts_) add_event(ChannelEvent::readable, part.number, std::nullopt);
      }
    } catch (const std::bad_alloc&) {
      // Of bytes that are unread it has been told before.
    }
  }
  post();
}

// ---- reading --------------------------------------------------------------------------------------------------------

void ChannelHandle::count_taken(std::string_view bytes) {
  if (!is_log()) return;
  bytes_taken_ += bytes.size();
  lines_held_ -= std::min(lines_held_, static_cast<std::uint64_t>(std::count(bytes.begin(), bytes.end(), '\n')));
}

// Half of it has to be free, so that the network is not woken for each piece.
void ChannelHandle::after_taking() {
  {
    const MutexLock lock(mutex_);
    if (!reading_rests_) return;
    if (held_size() > options_.receive_buffer / 2 || lines_held_ > kMaxLinesHeld / 2) return;
    reading_rests_ = false;
  }
  on_network([](channel::ChannelCall& call) { call.resume(); });
}

Expected<void> ChannelHandle::read(int part, char* to, std::size_t size, Timeout timeout, std::size_t& got) {
  got = 0;
  const Instant until = timeout ? std::chrono::steady_clock::now() + *timeout : Instant::max();
  // Inside a callback nothing else is told, and with delivery=manual a thread that waits does not dispatch.
  const bool inside = owner_.runner->inside();
  const bool told_meanwhile = !inside && !owner_.runner->manual();
  const bool waits = !timeout || timeout->count() > 0;
  bool has_news = false;  // for take_turn(): events, or the end
  {
    const MutexLock lock(mutex_);
    Part* const from = find(part);
    if (from == nullptr) return bad_part(part, "a part that this channel receives");
    if (pushes_) return Error{Status::invalid, "the channel has on_data, which gets all bytes"};
    if (cancelled_) return Error{Status::cancelled, "the channel was cancelled or closed"};
    if (size == 0 && !has_messages()) return {};
    while (!from->held.at_bytes()) {
      if (cancelled_) return Error{Status::cancelled, "the channel was cancelled or closed"};
      if (from->held.at_mark() && !told_meanwhile) {
        if (inside ? waits : !timeout) {
          pass_marks(*from, true);
          has_news = true;
          continue;
        }
        if (!inside) return no_time("an event has to be dispatched before more is read");
      }
      const bool before_mark = from->held.at_mark();
      if (ending_ && !before_mark) {
        if (const auto error = end_error()) return *error;
        return {};
      }
      if (from->finished && !before_mark) return {};
      if (!timeout) {
        arrived_.wait(mutex_);
      } else if (!arrived_.wait_until(mutex_, until)) {
        const bool over = !from->held.at_mark() && (ending_ || from->finished);
        if (from->held.at_bytes() || over || cancelled_) continue;
        return no_time("nothing was received within timeout_ms");
      }
    }
    if (from->held.front().is_message) {
      got = from->held.front().left().size();
      if (got > size) {
        return Error{Status::too_large,
                     "the message has " + std::to_string(got) + " bytes, more than there is room for"};
      }
      const channel::PartBuffer::Item item = from->held.take();
      std::copy_n(item.bytes.data(), got, to);
    } else {
      got = from->held.read(to, size);
      count_taken({to, got});
    }
    has_news = has_news || from->held.at_mark();
    pass_marks(*from, false);
    has_news = has_news || (ending_ && from->held.empty());
  }
  if (has_news) post();
  after_taking();
  return {};
}

Expected<void> ChannelHandle::resume(int part) {
  {
    const MutexLock lock(mutex_);
    Part* const found = find(part);
    if (found == nullptr) return bad_part(part, "a part that this channel receives");
    found->paused = false;
    found->resumed = found->busy;
  }
  post();
  return {};
}

// ---- writing --------------------------------------------------------------------------------------------------------

Expected<void> ChannelHandle::check_writable(int part) const {
  switch (options_.kind) {
    case ChannelKind::exec:
    case ChannelKind::attach:
      if (part != channel::kPartStdin) return bad_part(part, "0, the standard input");
      if (!options_.wants_stdin) return Error{Status::invalid, "part 0: the channel was opened without stdin"};
      return {};
    case ChannelKind::portforward:
      return part == channel::kPartData ? Expected<void>() : bad_part(part, "0, the data of the port");
    case ChannelKind::websocket:
      if (part == channel::kPartText || part == channel::kPartBinary) return {};
      return bad_part(part, "16 for a text message, or 17 for a binary one");
    case ChannelKind::log:
    case ChannelKind::http:
    case ChannelKind::none:
      break;
  }
  return Error{Status::invalid, "nothing can be written to this kind of channel"};
}

Expected<void> ChannelHandle::write(int part, std::string_view bytes, Timeout timeout, std::size_t& taken) {
  taken = 0;
  if (Expected<void> fine = check_writable(part); !fine) return fine;
  if (part == channel::kPartText && !is_utf8(bytes)) {
    return Error{Status::invalid, "part 16: a text message is not UTF-8; expected part 17"};
  }
  if (has_messages() && bytes.size() > options_.max_message) {
    return Error{Status::too_large, "the message is larger than max_message, " + std::to_string(options_.max_message)};
  }
  const Instant until = timeout ? std::chrono::steady_clock::now() + *timeout : Instant::max();
  bool wake = false;
  {
    const MutexLock lock(mutex_);
    for (;;) {
      if (cancelled_) return Error{Status::cancelled, "the channel was cancelled or closed"};
      if (ending_)
        return end_error().value_or(Error{Status::lost, "the channel has ended, and what is written is lost"});
      if (finished_writing_) return Error{Status::invalid, "part 0: ksr_channel_finish came before"};
      if (bytes.empty() && !has_messages()) return {};
      if (outgoing_.has_room_for(bytes.size())) break;
      wants_writable_ |= bit_of(part);
      if (!timeout) {
        sent_.wait(mutex_);
      } else if (!sent_.wait_until(mutex_, until) && std::chrono::steady_clock::now() >= until) {
        if (!outgoing_.has_room_for(bytes.size())) return no_time("the send buffer was full for timeout_ms");
      }
    }
    taken = outgoing_.add(part, bytes);
    if (taken < bytes.size()) wants_writable_ |= bit_of(part);
    wake = !std::exchange(send_posted_, true);
  }
  if (wake) on_network([](channel::ChannelCall& call) { call.send_waiting(); });
  return {};
}

Expected<void> ChannelHandle::finish(int part) {
  if (Expected<void> fine = check_writable(part); !fine) return fine;
  const Error unsupported{Status::unsupported,
                          "the end of part " + std::to_string(part) +
                              " cannot be sent over this protocol; close the channel to end both ways"};
  if (options_.kind == ChannelKind::portforward || has_messages()) return unsupported;
  bool wake = false;
  {
    const MutexLock lock(mutex_);
    if (cancelled_) return Error{Status::cancelled, "the channel was cancelled or closed"};
    if (ending_) return end_error().value_or(Error{Status::lost, "the channel has ended"});
    if (open_ && counts_->protocol.load(std::memory_order_relaxed) != 5) return unsupported;
    if (finished_writing_) return {};
    outgoing_.add_end(part);
    finished_writing_ = true;
    wake = !std::exchange(send_posted_, true);
  }
  if (wake) on_network([](channel::ChannelCall& call) { call.send_waiting(); });
  return {};
}

std::optional<channel::Outgoing> ChannelHandle::take_outgoing() {
  std::optional<channel::Outgoing> next;
  bool tell = false;
  {
    const MutexLock lock(mutex_);
    if (!cancelled_) next = outgoing_.take();
    if (!next) {
      send_posted_ = false;
      return std::nullopt;
    }
    if (wants_writable_ != 0 && outgoing_.half_free()) {
      for (const int part : {channel::kPartStdin, channel::kPartText, channel::kPartBinary}) {
        if ((wants_writable_ & bit_of(part)) != 0) add_event(ChannelEvent::writable, part, std::nullopt);
      }
      wants_writable_ = 0;
      tell = true;
    }
    sent_.notify_all();
  }
  if (tell) post();
  return next;
}

void ChannelHandle::release_outgoing(std::size_t bytes) {
  const MutexLock lock(mutex_);
  outgoing_.release(bytes);
}

Expected<void> ChannelHandle::resize(std::uint32_t columns, std::uint32_t rows) {
  if (!options_.tty) return Error{Status::invalid, "the channel has no terminal; expected the key tty"};
  if (columns == 0 || rows == 0 || columns > 0xffff || rows > 0xffff) {
    return Error{Status::invalid, "the size of a terminal: expected 1 to 65535 columns and rows"};
  }
  on_network([columns, rows](channel::ChannelCall& call) {
    call.resize(static_cast<std::uint16_t>(columns), static_cast<std::uint16_t>(rows));
  });
  return {};
}

// ---- what is known --------------------------------------------------------------------------------------------------

std::optional<Error> ChannelHandle::end_error() const {
  return ending_ ? ending_->error : std::nullopt;
}

std::optional<Expected<std::optional<int>>> ChannelHandle::wait(Timeout timeout) {
  // On a thread that delivers, nothing can be delivered meanwhile.
  const bool delivered_elsewhere = pushes_ && !owner_.runner->manual() && !owner_.runner->inside();
  const Instant until = timeout ? std::chrono::steady_clock::now() + *timeout : Instant::max();
  const MutexLock lock(mutex_);
  while (!ending_ || (delivered_elsewhere && !told_closed_)) {
    if (!timeout) {
      changed_.wait(mutex_);
    } else if (!changed_.wait_until(mutex_, until) && std::chrono::steady_clock::now() >= until) {
      if (ending_ && (!delivered_elsewhere || told_closed_)) break;
      return std::nullopt;
    }
  }
  if (const auto error = end_error()) return Expected<std::optional<int>>(*error);
  return Expected<std::optional<int>>(ending_->exit_code);
}

std::string ChannelHandle::info(std::string_view name) const {
  // Without the lock, which a log takes while it has its own.
  if (name == "cursor") return call_holder_->call->cursor(*this, kAllBytes);
  if (name.substr(0, kCursorBehind.size()) == kCursorBehind) {
    const auto bytes = whole_number<std::uint64_t>(name.substr(kCursorBehind.size()));
    return bytes ? call_holder_->call->cursor(*this, *bytes) : std::string();
  }
  const MutexLock lock(mutex_);
  const auto found = info_.find(name);
  return found == info_.end() ? std::string() : found->second;
}

std::optional<std::uint64_t> ChannelHandle::statistic(std::string_view name) {
  const auto value = [](const std::atomic<std::uint64_t>& count) { return count.load(std::memory_order_relaxed); };
  constexpr std::uint64_t kMicrosecondsPerMillisecond = 1000;
  if (name == "bytes_received") return value(counts_->bytes_received);
  if (name == "bytes_sent") return value(counts_->bytes_sent);
  const auto milliseconds = [](const channel::Lasting& time) {
    return time.total_us(std::chrono::steady_clock::now()) / kMicrosecondsPerMillisecond;
  };
  if (name == "stalled_ms") return milliseconds(counts_->stalled);
  if (name == "blocked_ms") return milliseconds(counts_->blocked);
  if (name == "reconnects") return value(counts_->reconnects);
  if (name == "gaps") return value(counts_->gaps);
  if (name == "replayed") return value(counts_->replayed);
  if (name == "ping_rtt_us") return value(counts_->ping_rtt_us);
  if (name == "protocol") return value(counts_->protocol);
  const MutexLock lock(mutex_);
  if (name == "held_bytes") return held_bytes();
  // Of an exit code that the host does not get, nothing is verified.
  if (name == "exit_verified") return ending_ && !ending_->error ? value(counts_->exit_verified) : 0;
  if (name == "queued_bytes") return outgoing_.bytes();
  if (name == "next_part") {
    const Part* const part = has_messages() ? oldest_message() : nullptr;
    return part == nullptr ? 0 : static_cast<std::uint64_t>(part->number);
  }
  if (name == "end_known") return end_known() ? 1 : 0;
  if (name == "state") {
    const ChannelEvent state = ending_ ? ChannelEvent::closed : open_ ? ChannelEvent::open : ChannelEvent::connecting;
    return static_cast<std::uint64_t>(state);
  }
  return std::nullopt;
}

// ---- callbacks ------------------------------------------------------------------------------------------------------

// Texts and binary messages of a WebSocket, in the order in which they came.
ChannelHandle::Part* ChannelHandle::oldest_message() {
  Part* oldest = nullptr;
  for (Part& part : parts_) {
    if (!part.held.at_bytes()) continue;
    if (oldest == nullptr || part.held.front().order < oldest->held.front().order) oldest = &part;
  }
  return oldest;
}

ChannelHandle::Part* ChannelHandle::next_deliverable() {
  if (has_messages()) {
    if (Part* const part = oldest_message()) return part->paused ? nullptr : part;
  }
  for (std::size_t i = 0; i < parts_.size(); ++i) {
    Part& part = parts_[(next_part_ + i) % parts_.size()];
    if (part.held.empty() || (part.paused && part.held.at_bytes())) continue;
    next_part_ = (next_part_ + i + 1) % parts_.size();
    return &part;
  }
  return nullptr;
}

ChannelHandle::Part* ChannelHandle::next_at_mark() {
  const auto found = std::find_if(parts_.begin(), parts_.end(), [](const Part& part) { return part.held.at_mark(); });
  return found == parts_.end() ? nullptr : &*found;
}

bool ChannelHandle::all_delivered() const {
  return std::all_of(parts_.begin(), parts_.end(), [](const Part& part) { return part.held.empty(); });
}

// But for the mark that nothing more comes. What on_data has been given it may still refuse.
bool ChannelHandle::all_taken() const {
  return std::all_of(parts_.begin(), parts_.end(),
                     [](const Part& part) { return !part.busy && part.held.at_its_end(); });
}

// From then on no read and no write ends for lack of time. No mark is added behind an end.
bool ChannelHandle::end_known() const {
  if (!ending_) return false;
  return pushes_ || !tells_events_ ||
         std::none_of(parts_.begin(), parts_.end(), [](const Part& part) { return part.held.holds_event(); });
}

// Without on_data: until the host has returned, what lies behind is not read.
bool ChannelHandle::tell_mark(Part& part) {
  Mark mark{};
  {
    const MutexLock lock(mutex_);
    if (!part.held.at_mark() || cancelled_) return false;
    mark = part.held.front().mark;
    part.telling = true;
  }
  delivery::call_of_host([&] { host_->on_event(event_of(mark), part.number, std::nullopt); });
  const MutexLock lock(mutex_);
  // Otherwise a read inside that callback, or a cancel, has passed it.
  if (std::exchange(part.telling, false) && part.held.at_mark()) part.held.take();
  pass_marks(part, false);
  if (part.held.at_bytes()) add_event(ChannelEvent::readable, part.number, std::nullopt);
  arrived_.notify_all();
  return tells_events_;
}

bool ChannelHandle::deliver_from(Part& part) {
  channel::PartBuffer::Item item;
  {
    const MutexLock lock(mutex_);
    // A cancel may have come between.
    if (part.held.empty() || cancelled_) return false;
    item = part.held.take();
    part.busy = !item.is_mark;
    part.given = item.left().size();
    part.resumed = false;
    part.finished = part.finished || (item.is_mark && item.mark == Mark::finished);
  }
  if (item.is_mark) {
    delivery::call_of_host([&] { host_->on_event(event_of(item.mark), part.number, std::nullopt); });
    return tells_events_;
  }
  const std::string_view bytes = item.left();
  std::size_t taken = bytes.size();
  delivery::call_of_host([&] { taken = std::min(bytes.size(), host_->on_data(part.number, bytes)); });
  {
    const MutexLock lock(mutex_);
    part.busy = false;
    part.given = 0;
    const bool all = taken == bytes.size();
    if (!all && item.is_message) taken = 0;
    count_taken(bytes.substr(0, taken));
    if (!all && !cancelled_) {
      item.begin += taken;
      part.held.give_back(std::move(item));
      part.paused = !part.resumed;
    } else if (!item.is_message && !cancelled_) {
      moved_much_ = part.held.keep_block(std::move(item.bytes)) || moved_much_;
    }
  }
  after_taking();
  return true;
}

// With delivery=manual there may be no turn later.
void ChannelHandle::release_blocks_when_quiet() {
  {
    const MutexLock lock(mutex_);
    if (std::none_of(parts_.begin(), parts_.end(), [](const Part& part) { return part.held.keeps_blocks(); })) return;
    if (!std::exchange(moved_much_, false) || owner_.runner->manual()) {
      for (Part& part : parts_) part.held.release_blocks();
      return;
    }
  }
  owner_.runner->post_at(shared_from_this(), std::chrono::steady_clock::now() + kQuiet);
}

delivery::CallbackSource::Turn ChannelHandle::take_turn() {
  std::optional<WaitingEvent> event;
  Part* part = nullptr;
  bool over = false;
  bool rests = false;
  {
    const MutexLock lock(mutex_);
    if (ended_) return {};
    if (!events_.empty()) {
      event = std::move(events_.front());
      events_.pop_front();
    } else if ((part = pushes_ ? next_deliverable() : next_at_mark()) != nullptr) {
    } else if (told_closed_) {
      over = true;
    } else if (ending_ && all_delivered()) {
      told_closed_ = true;
      event = WaitingEvent{ChannelEvent::closed, 0, std::nullopt};
      if (ending_->error) event->report = delivery::ErrorReport{copy_or_code(*ending_->error), std::nullopt};
    } else {
      rests = true;
    }
  }
  if (rests) {
    release_blocks_when_quiet();
    return {};
  }
  if (event) {
    if (tells_events_) {
      delivery::call_of_host([&] { host_->on_event(event->event, event->part, std::move(event->report)); });
    }
    const MutexLock lock(mutex_);
    changed_.notify_all();
    return {tells_events_, true};
  }
  if (part != nullptr) return {pushes_ ? deliver_from(*part) : tell_mark(*part), true};
  const bool made = over && host_->wants_destroy();
  if (over) {
    delivery::call_of_host([this] {
      host_->call_destroy();
      host_.reset();
    });
    end();
  }
  return {made, false};
}

void ChannelHandle::end() {
  std::unique_ptr<DataHost> host;  // without callbacks; dropped after the lock
  {
    const MutexLock lock(mutex_);
    if (ended_) return;
    if (!has_callbacks_) host = std::move(host_);
    ended_ = true;
    changed_.notify_all();
  }
  forget_if_closed();
}

void ChannelHandle::forget_if_closed() {
  {
    const MutexLock lock(mutex_);
    if (!ended_ || !std::exchange(closed_async_, false)) return;
  }
  owner_.forget(*this);
}

// ---- the end --------------------------------------------------------------------------------------------------------

void ChannelHandle::cancel() {
  {
    const MutexLock lock(mutex_);
    if (cancelled_) return;
    cancelled_ = true;
    // An end counts for the host once it has taken all that came before: what is dropped here is no success.
    if (!ending_ || !all_taken()) {
      Error error{Status::cancelled, "the channel was cancelled"};
      error.maybe_done = call_holder_->call && call_holder_->call->maybe_done();
      ending_ = channel::Ending{std::move(error), std::nullopt};
    }
    events_.clear();
    for (Part& part : parts_) part.held.clear();
    outgoing_.clear();
    notify_all();
  }
  // Posted before the destructor's task, which deletes the holder.
  on_network([](channel::ChannelCall& call) { call.cancel(); });
  post();
}

Status ChannelHandle::close() {
  if (owner_.runner->inside()) return Status::would_deadlock;
  cancel();
  if (!has_callbacks_) end();
  if (has_callbacks_ && owner_.runner->manual()) owner_.runner->run_here(*this);
  const MutexLock lock(mutex_);
  while (!ended_) changed_.wait(mutex_);
  return Status::ok;
}

void ChannelHandle::close_async() {
  cancel();
  {
    const MutexLock lock(mutex_);
    closed_async_ = true;
  }
  if (has_callbacks_) {
    owner_.runner->post_ending(shared_from_this());
  } else {
    end();
  }
  forget_if_closed();
}

}  // namespace ksr::client
