#include "delivery/news.hpp"

#include <doctest/doctest.h>

using namespace ksr;
using namespace ksr::delivery;

TEST_CASE("news come in the order they were made, with one update mark at most") {
  News news;
  news.add_state(sync::State::listing);
  CHECK(news.add_update());
  CHECK_FALSE(news.add_update());
  news.add_error({Error{Status::gone, "old"}, Milliseconds(5)});
  CHECK(std::get<sync::State>(*news.take(true)) == sync::State::listing);
  CHECK(std::holds_alternative<UpdateMark>(*news.take(true)));
  CHECK(std::get<ErrorReport>(*news.take(true)).error.message == "old");
  CHECK_FALSE(news.take(true));
  CHECK(news.add_update());
}

TEST_CASE("an update that is not due lets the others pass") {
  News news;
  news.add_update();
  news.add_state(sync::State::live);
  CHECK(std::holds_alternative<sync::State>(*news.take(false)));
  CHECK_FALSE(news.take(false));
  CHECK(news.update_waits());
  CHECK(news.take(true));
}

TEST_CASE("an update keeps its place, also while what stands before it makes room") {
  News news;
  for (std::size_t i = 0; i < News::max_states; ++i) news.add_state(sync::State::waiting);
  news.add_update();
  CHECK(news.size() == News::max_states + 1);
  // Each takes the place of one that stood before the update.
  for (int i = 0; i < 3; ++i) news.add_state(sync::State::live);
  for (std::size_t i = 0; i < News::max_states - 3; ++i) {
    CHECK(std::get<sync::State>(*news.take(true)) == sync::State::waiting);
  }
  CHECK(std::holds_alternative<UpdateMark>(*news.take(true)));
  CHECK(std::get<sync::State>(*news.take(true)) == sync::State::live);
  CHECK(news.size() == 2);
}

TEST_CASE("what waits is bounded: the oldest of a kind goes first") {
  News news;
  for (int i = 0; i < 1'000; ++i) {
    news.add_state(sync::State::waiting);
    news.add_error({Error{Status::transport, std::to_string(i)}, Milliseconds(1)});
    news.add_log(LogLevel::info, std::to_string(i));
  }
  CHECK(news.size() == News::max_states + News::max_errors + News::max_log_lines);
  std::string first_error;
  std::string first_log;
  while (auto item = news.take(true)) {
    if (const auto* report = std::get_if<ErrorReport>(&*item); report && first_error.empty()) {
      first_error = report->error.message;
    }
    if (const auto* line = std::get_if<LogLine>(&*item); line && first_log.empty()) first_log = line->text;
  }
  CHECK(first_error == std::to_string(1'000 - News::max_errors));
  CHECK(first_log ==
        std::to_string(1'000 - News::max_log_lines) + " older log lines were dropped while the host was busy");
}

TEST_CASE("after a cancel only log lines remain") {
  News news;
  news.add_update();
  news.add_log(LogLevel::info, "line");
  news.add_state(sync::State::live);
  news.keep_only_log();
  CHECK(news.size() == 1);
  CHECK_FALSE(news.update_waits());
}
