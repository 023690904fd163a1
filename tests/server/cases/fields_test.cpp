// keep_fields, drop_fields, columns, index and notify, and what deltas say of before, through ksr.h.
#include <algorithm>
#include <mutex>

#include "server/cases/on_server.hpp"

using namespace ksr::testing;
using ksr::testserver::ApiServer;

namespace {

struct Release {
  void operator()(const ksr_snapshot* snapshot) const { ksr_snapshot_release(snapshot); }
};
using Snapshot = std::unique_ptr<const ksr_snapshot, Release>;

Snapshot latest(const Recorder& seen) {
  return Snapshot(ksr_latest(seen.stream()));
}

std::string column(const ksr_object* object, std::size_t i) {
  std::size_t length = 7;
  const char* const text = ksr_object_column(object, i, &length);
  if (text == nullptr) return length == 0 ? "(nothing)" : "(nothing, but a length)";
  CHECK(text[length] == '\0');
  return {text, length};
}

// "a b": the names of the objects with that value.
std::string found(const ksr_snapshot* snapshot, std::size_t index, const char* value) {
  std::string names;
  const std::size_t count = ksr_snapshot_index_count(snapshot, index, value);
  for (std::size_t i = 0; i < count; ++i) {
    names += (i == 0 ? "" : " ") + field(ksr_snapshot_index_at(snapshot, index, value, i), KSR_FIELD_NAME);
  }
  CHECK(ksr_snapshot_index_at(snapshot, index, value, count) == nullptr);
  return names;
}

// The names of the members, sorted.
std::string members(const ksr_object* object, const char* pointer) {
  std::vector<std::string> names;
  for (std::int64_t i = 0; i < ksr_object_size(object, pointer); ++i) {
    char name[100];
    ksr_object_key(object, pointer, static_cast<std::size_t>(i), name, sizeof name);
    names.emplace_back(name);
  }
  std::sort(names.begin(), names.end());
  std::string joined;
  for (const std::string& name : names) joined += (joined.empty() ? "" : " ") + name;
  return joined;
}

Settings with_all(Settings settings, const Settings& more) {
  settings.insert(settings.end(), more.begin(), more.end());
  return settings;
}

void pod(ApiServer& server, const std::string& command, const std::string& name, const std::string& node,
         const std::string& phase, const std::string& more = "") {
  server.script(command + " pods " + name + R"( {"spec":{"nodeName":")" + node + R"("},"status":{"phase":")" + phase +
                "\"" + more + "}}");
}

const char* const kTransports[] = {"http", "websocket"};

}  // namespace

TEST_CASE("what is cut reaches no object, from a list and from a watch alike") {
  for (const char* transport : kTransports) {
    for (const char* initial : {"list", "watchlist"}) {
      CAPTURE(transport);
      CAPTURE(initial);
      ApiServer server(with_token());
      server.script("watchlist on");
      pod(server, "create", "a", "n1", "Running", R"(,"podIP":"10.0.0.1")");
      Recorder seen;
      REQUIRE(seen.open(with_all(on_server(server, transport), {{"keep_fields", "/status/phase /spec/nodeName"},
                                                                {"columns", "/status/podIP /spec/nodeName"},
                                                                {"initial", initial}})) == KSR_OK);
      REQUIRE(seen.wait_count(1));
      pod(server, "create", "b", "n2", "Pending", R"(,"podIP":"10.0.0.2")");
      REQUIRE(seen.wait_count(2));
      const Snapshot snapshot = latest(seen);
      for (const char* name : {"a", "b"}) {
        const ksr_object* const object = ksr_snapshot_find(snapshot.get(), "default", name);
        REQUIRE(object != nullptr);
        const bool is_a = *name == 'a';
        CHECK(members(object, "") == "apiVersion kind metadata spec status");
        CHECK(members(object, "/metadata") == "creationTimestamp name namespace resourceVersion uid");
        CHECK(get(object, "/status") == R"({"phase":")" + std::string(is_a ? "Running" : "Pending") + "\"}");
        CHECK(get(object, "/spec") == R"({"nodeName":")" + std::string(is_a ? "n1" : "n2") + "\"}");
        CHECK(get(object, "/metadata/name") == "\"" + std::string(name) + "\"");
        CHECK(column(object, 0) == (is_a ? "10.0.0.1" : "10.0.0.2"));
        CHECK(column(object, 1) == (is_a ? "n1" : "n2"));
        CHECK(column(object, 2) == "(nothing)");
      }
      CHECK(column(nullptr, 0) == "(nothing)");
      CHECK(ksr_object_column(ksr_snapshot_at(snapshot.get(), 0), 0, nullptr) != nullptr);
      check_equals_server(seen, server);
    }
  }
}

TEST_CASE("drop_fields; a change of what is dropped is no delta, but the resourceVersion moves on") {
  for (const char* transport : kTransports) {
    CAPTURE(transport);
    ApiServer server(with_token());
    pod(server, "create", "a", "n1", "Running");
    Recorder seen;
    REQUIRE(seen.open(with_all(on_server(server, transport),
                               {{"drop_fields", "/metadata/annotations /status/message"}})) == KSR_OK);
    REQUIRE(seen.wait_count(1));
    const std::string before = field(ksr_snapshot_at(latest(seen).get(), 0), KSR_FIELD_RESOURCE_VERSION);
    // Of dropped fields alone, twice; then of another pod, which is told.
    server.script("update pods a");
    pod(server, "update", "a", "n1", "Running", R"(,"message":"x")");
    pod(server, "create", "b", "n2", "Running");
    REQUIRE(seen.wait_name("b"));
    REQUIRE(seen.wait([](const Recorder& now) { return now.stat("events") == 3; }));
    for (const SeenDelta& delta : seen.deltas()) CHECK(delta.kind == KSR_DELTA_ADDED);
    CHECK(seen.updates() == 2);
    const Snapshot snapshot = latest(seen);
    const ksr_object* const a = ksr_snapshot_find(snapshot.get(), "default", "a");
    CHECK(field(a, KSR_FIELD_RESOURCE_VERSION) != before);
    CHECK(get(a, "/metadata/resourceVersion") == "\"" + field(a, KSR_FIELD_RESOURCE_VERSION) + "\"");
    CHECK(get(a, "/status") == R"({"phase":"Running"})");
    check_equals_server(seen, server);
    // The same change with another one.
    pod(server, "update", "a", "n1", "Failed", R"(,"message":"y")");
    REQUIRE(seen.wait([](const Recorder& now) { return now.deltas().size() == 3; }));
    CHECK(seen.deltas().back().kind == KSR_DELTA_MODIFIED);
  }
}

TEST_CASE("objects are found by the values of their columns, also after a list that is made again") {
  ApiServer server(with_token());
  pod(server, "create", "c", "n1", "Running");
  pod(server, "create", "a", "n1", "Pending");
  pod(server, "create", "b", "n2", "Running");
  server.script("update pods a app=x tier=y\nupdate pods b app=x");
  Recorder seen;
  REQUIRE(seen.open(with_all(on_server(server, "auto"), {{"columns", "/spec/nodeName /status/phase /metadata/labels/*"},
                                                         {"index", "2 0"}})) == KSR_OK);
  REQUIRE(seen.wait_count(3));
  const Snapshot first = latest(seen);
  CHECK(found(first.get(), 0, "n1") == "a c");
  CHECK(found(first.get(), 0, "n2") == "b");
  CHECK(found(first.get(), 0, "") == "");
  CHECK(found(first.get(), 2, "x") == "a b");
  CHECK(found(first.get(), 2, "y") == "a");
  CHECK(found(first.get(), 2, "x,y") == "");
  CHECK(found(first.get(), 2, "") == "c");
  CHECK(column(ksr_snapshot_at(first.get(), 0), 2) == "x,y");
  // Of a column that is not indexed, and of none.
  CHECK(ksr_snapshot_index_count(first.get(), 1, "Running") == 0);
  CHECK(ksr_snapshot_index_at(first.get(), 1, "Running", 0) == nullptr);
  CHECK(ksr_snapshot_index_count(first.get(), 3, "") == 0);
  CHECK(ksr_snapshot_index_count(nullptr, 0, "") == 0);
  CHECK(ksr_snapshot_index_count(first.get(), 0, nullptr) == 0);
  CHECK(ksr_snapshot_index_at(nullptr, 0, "", 0) == nullptr);
  CHECK(ksr_snapshot_index_at(first.get(), 0, nullptr, 0) == nullptr);

  server.script("compact\ndrop connections\ndelete pods c");
  pod(server, "create", "d", "n2", "Running");
  pod(server, "update", "a", "n2", "Running");
  check_equals_server(seen, server);
  const Snapshot second = latest(seen);
  CHECK(found(second.get(), 0, "n1") == "");
  CHECK(found(second.get(), 0, "n2") == "a b d");
  CHECK(found(first.get(), 0, "n1") == "a c");
}

TEST_CASE("notify=columns: a change of a column is told, and nothing else") {
  ApiServer server(with_token());
  pod(server, "create", "a", "n1", "Pending");
  Recorder seen;
  REQUIRE(seen.open(with_all(on_server(server, "auto"), {{"columns", "/status/phase"}, {"notify", "columns"}})) ==
          KSR_OK);
  REQUIRE(seen.wait_count(1));
  for (int i = 0; i < 5; ++i) server.script("update pods a");
  REQUIRE(seen.wait([](const Recorder& now) { return now.stat("events") == 5; }));
  pod(server, "update", "a", "n1", "Running");
  REQUIRE(seen.wait([](const Recorder& now) { return now.deltas().size() == 2; }));
  CHECK(seen.updates() == 2);
  CHECK(seen.deltas()[1].kind == KSR_DELTA_MODIFIED);
  // What ksr_latest shows is the newest all the same.
  server.script("update pods a {\"metadata\":{\"labels\":{\"new\":\"label\"}}}");
  REQUIRE(seen.wait([](const Recorder& now) {
    const Snapshot snapshot = latest(now);
    return get(ksr_snapshot_at(snapshot.get(), 0), "/metadata/labels/new") == "\"label\"";
  }));
  CHECK(ksr_snapshot_sequence(latest(seen).get()) == 2);
  server.script("delete pods a");
  REQUIRE(seen.wait_count(0));
  CHECK(seen.deltas().back().kind == KSR_DELTA_DELETED);
  CHECK(seen.updates() == 3);
}

TEST_CASE("a delta says what was before, and whether the object only left the most recent") {
  ApiServer server(with_token());
  pod(server, "create", "a", "n1", "Pending");
  Recorder seen;
  std::mutex mutex;
  std::vector<std::string> told;
  seen.during_update = [&](ksr_stream*, const ksr_snapshot* snapshot) {
    const std::lock_guard<std::mutex> lock(mutex);
    for (std::size_t i = 0; i < ksr_snapshot_delta_count(snapshot); ++i) {
      const ksr_object* object = nullptr;
      const ksr_delta kind = ksr_snapshot_delta_at(snapshot, i, &object);
      const ksr_object* const before = ksr_snapshot_delta_before(snapshot, i);
      told.push_back(std::to_string(kind) + " " + field(object, KSR_FIELD_NAME) + " " +
                     (before == nullptr ? "-" : get(before, "/status/phase")) +
                     (ksr_snapshot_delta_left(snapshot, i) == 1 ? " left" : ""));
    }
    CHECK(ksr_snapshot_delta_before(snapshot, ksr_snapshot_delta_count(snapshot)) == nullptr);
    CHECK(ksr_snapshot_delta_left(snapshot, ksr_snapshot_delta_count(snapshot)) == 0);
  };
  const auto last = [&] {
    const std::lock_guard<std::mutex> lock(mutex);
    return told.empty() ? "" : told.back();
  };
  const auto has = [&](const std::string& line) {
    return seen.wait([&](const Recorder&) {
      const std::lock_guard<std::mutex> lock(mutex);
      return std::find(told.begin(), told.end(), line) != told.end();
    });
  };
  REQUIRE(seen.open(with_all(on_server(server, "auto"), {{"limit", "1"}})) == KSR_OK);
  REQUIRE(has("1 a -"));
  pod(server, "update", "a", "n1", "Running");
  CHECK(has("2 a \"Pending\""));
  server.script(R"(create pods b {"metadata":{"creationTimestamp":"2199-01-01T00:00:00Z"}})");
  CHECK(has("3 a \"Running\" left"));
  REQUIRE(seen.wait_name("b"));
  server.script("delete pods b");
  REQUIRE(seen.wait_name("a"));
  CHECK(last() == "1 a -");
  server.script("delete pods a");
  REQUIRE(seen.wait_count(0));
  CHECK(last() == "3 a \"Running\"");
  CHECK(ksr_snapshot_delta_before(nullptr, 0) == nullptr);
  CHECK(ksr_snapshot_delta_left(nullptr, 0) == 0);
}

TEST_CASE("with limit another place is a change, whatever else is none") {
  for (const Settings& keys :
       {Settings{{"keep_fields", "/status"}}, Settings{{"columns", "/x"}, {"notify", "columns"}}}) {
    ApiServer server(with_token());
    server.script("create pods a\ncreate pods b {\"lastTimestamp\":\"2198-01-01T00:00:00Z\"}");
    Recorder seen;
    REQUIRE(seen.open(with_all(with_all(on_server(server, "auto"), keys), {{"limit", "2"}})) == KSR_OK);
    REQUIRE(seen.wait_count(2));
    CHECK(field(ksr_snapshot_at(latest(seen).get(), 0), KSR_FIELD_NAME) == "b");
    server.script(R"(update pods a {"lastTimestamp":"2199-01-01T00:00:00Z"})");
    REQUIRE(seen.wait([](const Recorder& now) { return now.deltas().size() == 3; }));
    CHECK(seen.deltas().back().kind == KSR_DELTA_MODIFIED);
    CHECK(seen.deltas().back().name == "a");
    const Snapshot snapshot = latest(seen);
    CHECK(ksr_snapshot_sequence(snapshot.get()) == 2);
    CHECK(field(ksr_snapshot_at(snapshot.get(), 0), KSR_FIELD_NAME) == "a");
  }
}

TEST_CASE("a value of these keys that cannot be taken names the key and what it takes") {
  std::string many;
  for (int i = 0; i < 1000; ++i) many += "/a" + std::to_string(i) + " ";
  const std::tuple<Settings, const char*, const char*> bad[] = {
      {{{"keep_fields", "status/phase"}}, "keep_fields", "JSON pointers such as /status/phase, separated by blanks"},
      {{{"drop_fields", "/a~2b"}}, "drop_fields", "~0 stands for ~ and ~1 for /"},
      {{{"columns", "/a /b~"}}, "columns", "~0 stands for ~ and ~1 for /"},
      {{{"keep_fields", "/*"}}, "keep_fields", "begin with the name of a member"},
      {{{"drop_fields", "/*/x"}}, "drop_fields", "begin with the name of a member"},
      {{{"columns", "/*"}}, "columns", "begin with the name of a member"},
      {{{"columns", many + "/more"}}, "columns", "at most 1000 JSON pointers"},
      {{{"keep_fields", "/a"}, {"drop_fields", "/b"}}, "drop_fields", "expected one of keep_fields and drop_fields"},
      {{{"columns", "/a /b"}, {"index", "2"}}, "index", "of which the config key columns has 2; got 2"},
      {{{"index", "0"}}, "index", "of which the config key columns has 0; got 0"},
      {{{"columns", "/a"}, {"index", "-1"}}, "index", "numbers of columns, from 0"},
      {{{"columns", "/a"}, {"index", "0,0"}}, "index", "numbers of columns, from 0"},
      {{{"columns", "/a"}, {"index", "18446744073709551616"}}, "index", "numbers of columns, from 0"},
      {{{"notify", "column"}}, "notify", "one of all, columns"}};
  for (const auto& [settings, key, words] : bad) {
    CAPTURE(key);
    CAPTURE(words);
    Recorder seen;
    CHECK(seen.open(with_all({{"server", "http://127.0.0.1:1"}, {"resource", "v1/pods"}}, settings)) == KSR_E_INVALID);
    CHECK(seen.open_error().find(std::string("config key ") + key) != std::string::npos);
    CHECK(seen.open_error().find(words) != std::string::npos);
    CHECK(seen.open_error().find('\n') == std::string::npos);
  }
}

TEST_CASE("1000 columns, and one of 10 MB") {
  ApiServer server(with_token());
  std::string pointers = "/metadata/annotations/large";
  for (int i = 1; i < 1000; ++i) pointers += " /metadata/annotations/k" + std::to_string(i);
  server.script(R"(create pods a {"metadata":{"annotations":{"k999":"last","large":")" + std::string(10'000'000, 'x') +
                R"("}}})");
  Recorder seen;
  REQUIRE(seen.open(with_all(on_server(server, "http"),
                             {{"columns", pointers}, {"index", "0 999"}, {"keep_fields", "/status"}})) == KSR_OK);
  REQUIRE(seen.wait_count(1));
  const Snapshot snapshot = latest(seen);
  const ksr_object* const object = ksr_snapshot_at(snapshot.get(), 0);
  CHECK(column(object, 0) == std::string(10'000'000, 'x'));
  CHECK(column(object, 999) == "last");
  CHECK(column(object, 1000) == "(nothing)");
  CHECK(found(snapshot.get(), 0, std::string(10'000'000, 'x').c_str()) == "a");
  // The columns, and what keep_fields has left of the text.
  CHECK(seen.stat("store_bytes") > 10'000'000);
  CHECK(seen.stat("store_bytes") < 10'001'000);
}

TEST_CASE("streams of a client have fields of their own") {
  ApiServer server(with_token());
  pod(server, "create", "a", "n1", "Running");
  ksr_config* config = nullptr;
  REQUIRE(ksr_config_new(&config) == KSR_OK);
  REQUIRE(ksr_config_set(config, "server", server.url().c_str(), nullptr) == KSR_OK);
  REQUIRE(ksr_config_set(config, "token", kTestToken, nullptr) == KSR_OK);
  ksr_client* client = nullptr;
  REQUIRE(ksr_client_open(config, nullptr, nullptr, &client, nullptr) == KSR_OK);
  ksr_config_free(config);
  {
    Recorder cut;
    Recorder whole;
    REQUIRE(cut.open({{"resource", "v1/pods"}, {"keep_fields", "/status"}, {"columns", "/spec/nodeName"}}, client) ==
            KSR_OK);
    REQUIRE(whole.open({{"resource", "v1/pods"}}, client) == KSR_OK);
    REQUIRE(cut.wait_count(1));
    REQUIRE(whole.wait_count(1));
    CHECK(get(ksr_snapshot_at(latest(cut).get(), 0), "/spec") == "(nothing)");
    CHECK(column(ksr_snapshot_at(latest(cut).get(), 0), 0) == "n1");
    CHECK(get(ksr_snapshot_at(latest(whole).get(), 0), "/spec/nodeName") == "\"n1\"");
    CHECK(column(ksr_snapshot_at(latest(whole).get(), 0), 0) == "(nothing)");
  }
  CHECK(ksr_client_close(client) == KSR_OK);
}
