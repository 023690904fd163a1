#include "delivery/callback_queue.hpp"

#include <doctest/doctest.h>

using namespace ksr;
using namespace ksr::delivery;

TEST_CASE("notifications are taken in the order they were added, with one update mark at most") {
  CallbackQueue queue;
  queue.add_state(sync::State::listing);
  CHECK(queue.add_update());
  CHECK_FALSE(queue.add_update());
  queue.add_error({Error{Status::gone, "old"}, Milliseconds(5)});
  CHECK(std::get<sync::State>(*queue.take(true)) == sync::State::listing);
  CHECK(std::holds_alternative<UpdateMark>(*queue.take(true)));
  CHECK(std::get<ErrorReport>(*queue.take(true)).error.message == "old");
  CHECK_FALSE(queue.take(true));
  CHECK(queue.add_update());
}

TEST_CASE("an update that is not due is passed over") {
  CallbackQueue queue;
  queue.add_update();
  queue.add_state(sync::State::live);
  CHECK(std::holds_alternative<sync::State>(*queue.take(false)));
  CHECK_FALSE(queue.take(false));
  CHECK(queue.update_waits());
  CHECK(queue.take(true));
}

TEST_CASE("an update keeps its place when notifications before it are dropped") {
  CallbackQueue queue;
  for (std::size_t i = 0; i < CallbackQueue::kMaxStates; ++i) queue.add_state(sync::State::waiting);
  queue.add_update();
  CHECK(queue.size() == CallbackQueue::kMaxStates + 1);
  // Each replaces one from before the update.
  for (int i = 0; i < 3; ++i) queue.add_state(sync::State::live);
  for (std::size_t i = 0; i < CallbackQueue::kMaxStates - 3; ++i) {
    CHECK(std::get<sync::State>(*queue.take(true)) == sync::State::waiting);
  }
  CHECK(std::holds_alternative<UpdateMark>(*queue.take(true)));
  CHECK(std::get<sync::State>(*queue.take(true)) == sync::State::live);
  CHECK(queue.size() == 2);
}

TEST_CASE("what waits is bounded: the oldest of a kind goes first") {
  CallbackQueue queue;
  for (int i = 0; i < 1'000; ++i) {
    queue.add_state(sync::State::waiting);
    queue.add_error({Error{Status::transport, std::to_string(i)}, Milliseconds(1)});
    queue.add_log(LogLevel::info, std::to_string(i));
  }
  CHECK(queue.size() == CallbackQueue::kMaxStates + CallbackQueue::kMaxErrors + CallbackQueue::kMaxLogLines);
  CHECK(queue.dropped().states == 1'000 - CallbackQueue::kMaxStates);
  CHECK(queue.dropped().errors == 1'000 - CallbackQueue::kMaxErrors);
  CHECK(queue.dropped().log_lines == 1'000 - CallbackQueue::kMaxLogLines);
  std::string first_error;
  std::string first_log;
  while (auto item = queue.take(true)) {
    if (const auto* report = std::get_if<ErrorReport>(&*item); report && first_error.empty()) {
      first_error = report->error.message;
    }
    if (const auto* line = std::get_if<LogLine>(&*item); line && first_log.empty()) first_log = line->text;
  }
  CHECK(first_error == std::to_string(1'000 - CallbackQueue::kMaxErrors));
  CHECK(first_log ==
        std::to_string(1'000 - CallbackQueue::kMaxLogLines) + " older log lines were dropped while the host was busy");
  CHECK(queue.dropped().log_lines == 1'000 - CallbackQueue::kMaxLogLines);
}

TEST_CASE("after a cancel only log lines remain") {
  CallbackQueue queue;
  queue.add_update();
  queue.add_log(LogLevel::info, "line");
  queue.add_state(sync::State::live);
  queue.keep_only_log();
  CHECK(queue.size() == 1);
  CHECK(queue.dropped().states == 0);
  CHECK_FALSE(queue.update_waits());
}
