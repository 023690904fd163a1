// Streams and snapshots through ksr.hpp.
#include <sys/wait.h>
#include <unistd.h>

#include <thread>

#include "host/cpp/without_rtti.hpp"
#include "host/cpp/wrapped.hpp"

using namespace ksr::testing;
using ksr::status;
using ksr::testserver::ApiServer;

namespace {

std::string names_of(const ksr::snapshot& view) {
  std::string names;
  for (const ksr::object_view object : view) names += std::string(object.name()) + " ";
  return names;
}

std::string deltas_of(const ksr::delta_range& deltas) {
  std::string changes;
  for (const auto& [kind, object, before, left] : deltas) {
    changes += std::string(to_string(kind)) + " " + std::string(object.name()) + (before ? " before" : "") +
               (left ? " left" : "") + ",";
  }
  return changes;
}

}  // namespace

TEST_CASE("a stream: the view, what changes, its states, and its end") {
  ApiServer server(with_token());
  server.script("create pods b\ncreate pods a");
  Told told;
  ksr::config config = pods_on(server);
  config.on_update([&](ksr::stream_ref, const ksr::snapshot& view) {
    told.say(std::to_string(view.sequence()) + ": " + names_of(view) + "| " + deltas_of(view.deltas()));
  });
  config.on_state([&](ksr::stream_ref, ksr::state now) { told.say(std::string(to_string(now))); });
  config.on_log([&](ksr::log_level level, std::string_view line) {
    if (level == ksr::log_level::info && !line.empty()) told.say("logged");
  });
  config.on_destroy([&] { told.say("destroyed"); });
  ksr::stream stream(config);
  CHECK(names_of(stream.wait_synced(kWaitLimit)) == "a b ");
  CHECK(told.wait_for("1: a b | ADDED a,ADDED b,"));
  CHECK(told.wait_for("LIVE"));
  server.script("update pods a");
  CHECK(told.wait_for("2: a b | MODIFIED a before,"));
  server.script("delete pods b");
  CHECK(told.wait_for("3: a | DELETED b before,"));
  CHECK(stream.stat("objects") == 1);
  CHECK(stream.try_stat("objects") == 1);
  CHECK(stream.try_stat("colour") == std::nullopt);
  CHECK(status_of([&] { stream.stat("colour"); }) == status::unknown_key);
  CHECK_FALSE(stream.last_error().has_value());
  CHECK(stream.fd() == -1);
  CHECK(status_of([&] { stream.dispatch(); }) == status::invalid);
  const ksr::stream_ref named = stream;
  stream.close();
  CHECK(told.count("destroyed") == 1);
  CHECK(told.all().back() == "destroyed");
  CHECK(told.count("CLOSED") == 1);
  CHECK(told.count("logged") > 0);
  // Closed once more, and asked.
  stream.close();
  CHECK(stream.try_close() == status::invalid);
  CHECK_FALSE(named.latest());
  CHECK(named.try_wait_synced() == status::invalid);
}

TEST_CASE("a snapshot is a range, for algorithms too") {
  ApiServer server(with_token());
  server.script("populate pods 20");
  ksr::stream stream(pods_on(server));
  const ksr::snapshot view = stream.wait_synced(kWaitLimit);
  REQUIRE(view.size() == 20);
  CHECK(std::distance(view.begin(), view.end()) == 20);
  CHECK(count_names(view) == 20);
  const std::string_view wanted = view[7].name();
  const auto found =
      std::lower_bound(view.begin(), view.end(), wanted,
                       [](ksr::object_view object, std::string_view name) { return object.name() < name; });
  CHECK(found - view.begin() == 7);
  CHECK((*found).uid() == view.at(7).uid());
  CHECK(found->uid() == found[0].uid());
  CHECK(view.begin() + 20 == view.end());
  CHECK(view.end() > view.begin());
  CHECK((--view.end())->name() == view[19].name());
  std::vector<ksr::object_view> all(view.begin(), view.end());
  std::reverse(all.begin(), all.end());
  CHECK(std::equal(all.begin(), all.end(), std::make_reverse_iterator(view.end())));
  CHECK(std::all_of(view.deltas().begin(), view.deltas().end(),
                    [](const ksr::delta& delta) { return delta.kind == ksr::delta_kind::added && !delta.before; }));
  CHECK(view.find("default", view[3].name()) == view[3]);
  CHECK(view.find_uid(view[3].uid()) == view[3]);
  CHECK_FALSE(view.find("default", "none"));
  CHECK_FALSE(view.find("default", std::string("a\0b", 3)));
  CHECK_FALSE(view[20]);
  CHECK_THROWS_AS(view.at(20), std::out_of_range);
}

TEST_CASE("what is asked of a temporary outlives it, its stream and all") {
  ApiServer server(with_token());
  server.script("create pods a");
  ksr::object kept;
  std::string changes;
  {
    ksr::stream stream(pods_on(server));
    stream.wait_synced(kWaitLimit);
    kept = stream.latest().find("default", "a");
    const ksr::object by_position = stream.latest()[0];
    CHECK(by_position == kept);
    // The range holds the snapshot.
    changes = deltas_of(stream.latest().deltas());
  }
  CHECK(changes == "ADDED a,");
  CHECK(kept.name() == "a");
  ksr::object copy = kept;
  kept = ksr::object();
  CHECK_FALSE(kept);
  CHECK(kept.name() == "");
  const ksr::object moved = std::move(copy);
  CHECK_FALSE(copy);  // NOLINT(bugprone-use-after-move): that it is empty is promised
  CHECK(moved.name() == "a");
}

TEST_CASE("what is empty, and what was moved from, answers with nothing") {
  ksr::stream stream;
  CHECK_FALSE(stream);
  CHECK_FALSE(stream.latest());
  CHECK(stream.fd() == -1);
  CHECK(stream.try_close() == status::ok);
  stream.close();
  stream.cancel();
  stream.close_async();
  CHECK(stream.exception() == nullptr);
  CHECK(status_of([&] { stream.wait_synced(); }) == status::invalid);
  CHECK(status_of([&] { stream.stat("objects"); }) == status::invalid);
  const ksr::snapshot view;
  CHECK(view.empty());
  CHECK(view.begin() == view.end());
  CHECK(view.deltas().empty());
  CHECK(view.by_index(0, "a").empty());
  CHECK(view.resource_version() == "");
  CHECK_FALSE(view.find("a", "b"));
  ksr::config config = nowhere();
  const ksr::config taken = std::move(config);
  CHECK_FALSE(config);  // NOLINT(bugprone-use-after-move)
  CHECK(status_of([&] { config.set("limit", "1"); }) == status::invalid);
  config.on_update(nullptr).on_error(nullptr).on_state(nullptr).on_log(nullptr);
  CHECK(ksr::stream::try_open(config).code() == status::invalid);
  CHECK(ksr::client::try_open(config).code() == status::invalid);
  ksr::stream open(taken);
  ksr::stream other = std::move(open);
  CHECK_FALSE(open);  // NOLINT(bugprone-use-after-move)
  CHECK(other);
  other = ksr::stream(taken);
  CHECK(other.try_wait_synced(std::chrono::milliseconds(-5)) == status::timeout);
}

TEST_CASE("what is refused says what it is") {
  ksr::config config;
  CHECK(thrown_by([&] { config.set("colour", "blue"); }).find("KSR_E_UNKNOWN_KEY ") == 0);
  CHECK(thrown_by([&] { config.set("colour", "blue"); }).find("colour") != std::string::npos);
  CHECK(status_of([&] { config.set("limit", "many"); }) == status::invalid);
  CHECK(status_of([&] { config.set(nullptr, "many"); }) == status::invalid);
  CHECK(status_of([&] { config.set("limit", nullptr); }) == status::invalid);
  // Which C would end at the NUL, taking it for another value; and it is not repeated.
  const std::string message = thrown_by([&] { config.set("token", std::string_view("s3cret\0 1", 9)); });
  CHECK(message == "KSR_E_INVALID token: its value has a NUL in it");
  CHECK(status_of([&] { config.set(std::string("token\0", 6), "1"); }) == status::invalid);
  CHECK(status_of([] { ksr::config({{"resource", "v1/pods"}, {"limit", "many"}}); }) == status::invalid);
  // Thrown in a file without run-time type information.
  CHECK(status_of(open_nothing) == status::invalid);
  Told told;
  config.on_destroy([&] { told.say("destroyed"); });
  const ksr::result<ksr::stream> refused = ksr::stream::try_open(config);
  REQUIRE_FALSE(refused);
  CHECK(refused.code() == status::invalid);
  CHECK(std::string(refused.failure().what()).find("resource") != std::string::npos);
  CHECK(told.all() == std::vector<std::string>{"destroyed"});
}

TEST_CASE("a wait that fails says why, and does not wait where nothing is left to wait for") {
  Told told;
  ksr::config config = nowhere();
  config.on_error([&](ksr::stream_ref stream, const ksr::error& error) {
    if (!error.is_fatal() && error.retry_after() && error.http_status() == 502 && stream.last_error())
      told.say("error");
  });
  ksr::stream stream(config);
  CHECK(told.wait_for("error"));
  CHECK(stream.try_wait_synced(std::chrono::milliseconds(1)) == status::timeout);
  CHECK(stream.try_wait_synced(std::chrono::milliseconds(-1)) == status::timeout);
  try {
    stream.wait_synced(std::chrono::milliseconds(0));
    FAIL("there is no server");
  } catch (const ksr::error& error) {
    CHECK(error.code() == status::timeout);
    CHECK(error.http_status() == 502);
    CHECK(std::string(error.what()).find("no complete snapshot: ") == 0);
    CHECK(error.native() != nullptr);
    const ksr::error copy = error;
    CHECK(std::string(copy.what()) == error.what());
  }
  stream.cancel();
  CHECK(stream.try_wait_synced() == status::cancelled);
  CHECK(status_of([&] { stream.wait_synced(); }) == status::cancelled);
}

TEST_CASE("a time to wait that has more milliseconds than there are numbers has no limit") {
  using seconds_of_int = std::chrono::duration<std::int32_t>;
  static_assert(std::chrono::milliseconds(ksr::time_limit(std::chrono::hours::max())) == ksr::forever);
  static_assert(std::chrono::milliseconds(ksr::time_limit(std::chrono::seconds::max())) == ksr::forever);
  static_assert(std::chrono::milliseconds(ksr::time_limit(ksr::forever)) == ksr::forever);
  static_assert(std::chrono::milliseconds(ksr::time_limit(std::chrono::hours::min())).count() < 0);
  static_assert(std::chrono::milliseconds(ksr::time_limit(std::chrono::hours(1))) == std::chrono::hours(1));
  static_assert(std::chrono::milliseconds(ksr::time_limit(seconds_of_int::max())) == seconds_of_int::max());
  static_assert(!std::is_convertible_v<std::chrono::microseconds, ksr::time_limit>);
  ksr::stream stream(nowhere().set("reconnect", "false"));
  CHECK(stream.try_wait_synced(std::chrono::hours::max()) == status::cancelled);
  CHECK(stream.try_wait_synced(std::chrono::hours::min()) == status::cancelled);
}

TEST_CASE("waiting until something is true of the view") {
  ApiServer server(with_token());
  server.script("create pods a");
  ksr::config config = pods_on(server);
  ksr::stream stream(config);
  const auto has_b = [](const ksr::snapshot& view) { return static_cast<bool>(view.find("default", "b")); };
  CHECK(stream.try_wait_until(has_b, std::chrono::milliseconds(1)) == status::timeout);
  CHECK(status_of([&] { stream.wait_until(has_b, std::chrono::milliseconds(1)); }) == status::timeout);
  std::thread other([&] { server.script("create pods c\ncreate pods b"); });
  const ksr::snapshot view = stream.wait_until(has_b, kWaitLimit);
  other.join();
  CHECK(view.find("default", "b"));
  // With a state of its own, and what it throws.
  std::size_t tests = 0;
  CHECK(stream.wait_until([&](const ksr::snapshot&) { return ++tests > 0; }).size() >= 2);
  CHECK(tests == 1);
  CHECK_THROWS_WITH_AS(stream.wait_until([](const ksr::snapshot&) -> bool { throw std::logic_error("on purpose"); }),
                       "on purpose", std::logic_error);
  CHECK_THROWS_AS(stream.try_wait_until([](const ksr::snapshot&) -> bool { throw 7; }), int);
  const ksr::stream_ref named = stream;
  stream.cancel();
  CHECK(stream.try_wait_until([](const ksr::snapshot&) { return false; }) == status::cancelled);
  stream.close();
  CHECK(named.try_wait_until(has_b) == status::invalid);
  CHECK(ksr::stream().try_wait_until(has_b) == status::invalid);
}

TEST_CASE("waiting for a stream that fails throws what is wrong, and what a callback has thrown") {
  ksr::config config = nowhere();
  const auto never = [](const ksr::snapshot&) { return false; };
  {
    Told told;
    config.on_error([&](ksr::stream_ref, const ksr::error&) { told.say("error"); });
    ksr::stream stream(config);
    CHECK(told.wait_for("error"));
    const std::string message = thrown_by([&] { stream.wait_until(never, std::chrono::milliseconds(1)); });
    CHECK(message.find("KSR_E_TIMEOUT what was waited for is not so: ") == 0);
  }
  config.on_error([](ksr::stream_ref, const ksr::error&) { throw std::logic_error("on purpose"); });
  ksr::stream stream(config);
  CHECK_THROWS_WITH_AS(stream.wait_until(never), "on purpose", std::logic_error);
}

TEST_CASE("callbacks of a config reach each of its streams, and end with them") {
  ApiServer server(with_token());
  server.script("create pods a");
  const auto captured = std::make_shared<Told>();
  {
    ksr::config config = pods_on(server);
    config.on_update([captured](ksr::stream_ref, const ksr::snapshot&) { captured->say("update"); });
    std::vector<ksr::stream> streams;
    for (int i = 0; i < 3; ++i) streams.emplace_back(config);
    config.on_update(nullptr);
    CHECK(captured->wait_for("update", 3));
    CHECK(captured.use_count() == 4);
    streams[0].close();
    CHECK(captured.use_count() == 3);
    streams[1].close_async();
    CHECK_FALSE(ksr::stream(config).wait_synced(kWaitLimit).empty());
  }
  for (int tries = 0; tries < 3'000 && captured.use_count() > 1; ++tries) {
    std::this_thread::sleep_for(std::chrono::milliseconds(10));
  }
  CHECK(captured.use_count() == 1);
  CHECK(captured->count("update") == 3);
}

TEST_CASE("delivery=manual: a descriptor, and callbacks on the thread that dispatches") {
  ApiServer server(with_token());
  server.script("create pods a");
  ksr::config config = pods_on(server, {{"delivery", "manual"}});
  std::vector<std::thread::id> threads;
  std::size_t seen = 0;
  config.on_update([&](ksr::stream_ref stream, const ksr::snapshot& view) {
    threads.push_back(std::this_thread::get_id());
    seen = view.size();
    CHECK(ksr::in_callback());
    CHECK(stream.dispatch() == 0);
  });
  ksr::stream stream(config);
  CHECK(stream.fd() > 2);
  stream.wait_synced(kWaitLimit);
  CHECK(seen == 0);
  while (seen == 0) CHECK(stream.dispatch() < 1'000);
  CHECK(seen == 1);
  CHECK(threads == std::vector<std::thread::id>{std::this_thread::get_id()});
  CHECK_FALSE(ksr::in_callback());
}

TEST_CASE("in a forked child streams say so, can be destroyed, and leave the parent's alone") {
  ksr::stream stream(nowhere());
  const ksr::client client(ksr::config{{"server", "http://127.0.0.1:1"}});
  const ksr::params params{{"path", "/healthz"}};
  const pid_t child = fork();
  if (child == 0) {
    bool is_right = stream.try_close() == status::forked && stream.try_wait_synced() == status::forked;
    is_right = is_right && status_of([&] { stream.close(); }) == status::forked;
    is_right = is_right && client.try_call(params).code() == status::forked;
    stream = ksr::stream();
    _exit(is_right ? 0 : 1);
  }
  REQUIRE(child > 0);
  int ended = -1;
  CHECK(waitpid(child, &ended, 0) == child);
  CHECK(ended == 0);
  stream.close();
}

TEST_CASE("the library that is loaded") {
  CHECK(ksr::version() >= KSR_VERSION);
  CHECK_FALSE(ksr::version_string().empty());
  CHECK(ksr::build_info().front() == '{');
  CHECK(ksr::has_feature("requests"));
  CHECK_FALSE(ksr::has_feature("colour"));
  CHECK_FALSE(ksr::has_feature(nullptr));
  CHECK(to_string(status::gone) == "KSR_E_GONE");
  CHECK(to_string(static_cast<status>(-99)) == "KSR_E_UNKNOWN");
  CHECK(to_string(static_cast<ksr::state>(99)) == "UNKNOWN");
  CHECK(to_string(static_cast<ksr::delta_kind>(99)) == "UNKNOWN");
}
