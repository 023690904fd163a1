#include "stream/config.hpp"

#include <doctest/doctest.h>

#include <fstream>
#include <map>
#include <sstream>
#include <string>

#include "base/text.hpp"
#include "stream/config_keys.hpp"
#include "stream/statistic_names.hpp"
#include "unit/stream/fixture.hpp"

using namespace ksr;
using namespace ksr::stream;
using namespace ksr::stream::testing;

namespace {

struct DocumentedKey {
  std::string type;
  std::string standard;
};

std::vector<std::string> cells_of(const std::string& row) {
  std::vector<std::string> cells;
  std::istringstream stream(row.substr(1));
  for (std::string cell; std::getline(stream, cell, '|');) {
    const auto first = cell.find_first_not_of(' ');
    const auto last = cell.find_last_not_of(' ');
    cells.push_back(first == std::string::npos ? "" : cell.substr(first, last - first + 1));
  }
  return cells;
}

std::string without_ticks(std::string text) {
  text.erase(std::remove(text.begin(), text.end(), '`'), text.end());
  return text;
}

// Rows whose first cell is in backticks, of tables with that many columns, outside of the sections of requests and
// channels.
std::vector<std::vector<std::string>> documented_rows(std::size_t columns) {
  std::ifstream file(KSR_CONFIGURATION_MD);
  std::vector<std::vector<std::string>> rows;
  bool of_clients = false;
  for (std::string line; std::getline(file, line);) {
    if (line.rfind("## ", 0) == 0) of_clients = line == "## Requests" || line == "## Channels";
    if (of_clients || line.rfind("| `", 0) != 0) continue;
    std::vector<std::string> cells = cells_of(line);
    if (cells.size() == columns) rows.push_back(std::move(cells));
  }
  return rows;
}

std::string documented_name(const ConfigKey& key) {
  const std::string name = key.name;
  if (name == "header.") return "header.NAME";
  return name.back() == '.' ? name + "KEY" : name;
}

Expected<void> set(std::string_view key, std::string_view value) {
  Config config;
  return set_key(config, key, value);
}

}  // namespace

TEST_CASE("CONFIGURATION.md has every key with its type and default, and no other") {
  std::map<std::string, DocumentedKey> documented;
  for (const auto& row : documented_rows(4)) {
    documented[without_ticks(row[0])] = {row[1], without_ticks(row[2])};
    CHECK_FALSE(row[3].empty());
  }
  REQUIRE(documented.size() == config_keys().count);
  for (const ConfigKey& key : config_keys()) {
    const std::string name = documented_name(key);
    CAPTURE(name);
    REQUIRE(documented.count(name) == 1);
    CHECK(documented[name].type == key.type);
    CHECK(documented[name].standard == key.standard);
  }
}

TEST_CASE("CONFIGURATION.md names every statistic, and each is known") {
  StreamFixture fixture;
  Runtime runtime(fixture.world.executor, fixture.world.transport);
  const Informer informer(runtime, fixture.engine_parts());
  const StatisticSources sources{informer, false, *fixture.own_statistics, *fixture.dispatcher};
  std::size_t count = 0;
  for (const auto& row : documented_rows(2)) {
    const std::string name = without_ticks(row[0]);
    if (name == "true") continue;
    CAPTURE(name);
    CHECK(read_statistic(name, sources).has_value());
    ++count;
  }
  CHECK(count == 24);
  CHECK_FALSE(read_statistic("colour", sources));
}

TEST_CASE("a group may have commas and backslashes in its name") {
  using Groups = std::vector<std::string>;
  const std::pair<const char*, Groups> cases[] = {
      {"dev,ops", {"dev", "ops"}},
      {" dev , ops ,", {"dev", "ops"}},
      {"CN=admins\\,OU=x, ops", {"CN=admins,OU=x", "ops"}},
      {"DOMAIN\\admins", {"DOMAIN\\admins"}},
      {"a\\\\,b", {"a\\", "b"}},
      {"a\\", {"a\\"}},
      {"", {}},
  };
  for (const auto& [value, groups] : cases) {
    CAPTURE(value);
    Config config;
    REQUIRE(set_key(config, "impersonate_groups", value));
    CHECK(config.connection.impersonate_groups == groups);
  }
}

TEST_CASE("an extra field of a user may have several values, the last list of a key counts") {
  Config config;
  REQUIRE(set_key(config, "impersonate_extra.Scopes", "old,older"));
  REQUIRE(set_key(config, "impersonate_extra.a", ""));
  REQUIRE(set_key(config, "impersonate_extra.scopes", "view, CN=x\\,OU=y ,,a\\\\"));
  const std::vector<std::pair<std::string, std::string>> extra{
      {"a", ""}, {"scopes", "view"}, {"scopes", "CN=x,OU=y"}, {"scopes", ""}, {"scopes", "a\\"}};
  CHECK(config.connection.impersonate_extra == extra);
  CHECK_FALSE(set_key(config, "impersonate_extra.a", "b\nc"));
  CHECK(config.connection.impersonate_extra == extra);
}

TEST_CASE("defaults in the table are what a new config has") {
  for (const ConfigKey& key : config_keys()) {
    const std::string standard = key.standard;
    if (standard.empty() || standard == "5m to 10m" || standard == "libksr/VERSION") continue;
    CAPTURE(key.name);
    CHECK(set(key.name, standard));
  }
  const Config config;
  CHECK(config.connection.connect_timeout == std::chrono::seconds(30));
  CHECK(config.connection.request_timeout == std::chrono::seconds(30));
  CHECK(config.connection.exec_timeout == std::chrono::seconds(60));
  CHECK(config.sync.backoff_initial == Milliseconds(800));
  CHECK(config.sync.backoff_max == std::chrono::seconds(30));
  CHECK_FALSE(config.sync.page_size);
  CHECK(config.sync.initial_timeout == std::chrono::minutes(10));
  CHECK(config.sync.max_view_bytes == std::uint64_t{8} << 30);
  CHECK(config.reader.max_object_size == std::size_t{64} << 20);
  CHECK_FALSE(config.reader.keep_managed_fields);
  CHECK(config.limit == 0);
}

TEST_CASE("an unknown key is named") {
  for (const char* key : {"colour", "header", "header.", "impersonate_extra.", "Token", ""}) {
    CAPTURE(key);
    const auto outcome = set(key, "x");
    REQUIRE_FALSE(outcome);
    CHECK(outcome.error().status == Status::unknown_key);
  }
  CHECK(set("colour", "x").error().message.find("colour") != std::string::npos);
}

TEST_CASE("a bad value names the key and what it takes, never itself") {
  const std::pair<const char*, const char*> bad[] = {{"limit", "s3cret"},
                                                     {"limit", "-1"},
                                                     {"transport", "s3cret"},
                                                     {"connect_timeout", "s3cret"},
                                                     {"reconnect", "s3cret"},
                                                     {"max_object_size", "1"},
                                                     {"max_object_size", "x"},
                                                     {"watch_timeout", "10ms"},
                                                     {"backoff_initial", "0"},
                                                     {"resource", " , "},
                                                     {"delivery", "s3cret"},
                                                     {"managed_fields", "s3cret"},
                                                     {"token", "s3cret\nX-Evil: 1"},
                                                     {"header.X-A", "s3cret\r\nB: c"},
                                                     {"keep_fields", "s3cret"},
                                                     {"drop_fields", "/s3cret/~2"},
                                                     {"columns", "/*"},
                                                     {"index", "s3cret"},
                                                     {"index", "0 1000"},
                                                     {"notify", "s3cret"},
                                                     {"page_size", "1.5"}};
  for (const auto& [key, value] : bad) {
    CAPTURE(key);
    const auto outcome = set(key, value);
    REQUIRE_FALSE(outcome);
    CHECK(outcome.error().status == Status::invalid);
    CHECK(outcome.error().message.find(key) != std::string::npos);
    CHECK(outcome.error().message.find("expected") != std::string::npos);
    CHECK(outcome.error().message.find("s3cret") == std::string::npos);
    CHECK(outcome.error().message.find('\n') == std::string::npos);
  }
}

TEST_CASE("whatever text a key or a name in it has, messages and log lines are one line") {
  for (const ConfigKey& key : config_keys()) {
    std::string name = key.name;
    if (name.back() == '.') name += "a\a\nb";
    for (const char* value : {"a\nb\ac", "/none\a/such\nfile", "https://h\n\a/p", "a\a\n=b", "-5\a\n"}) {
      CAPTURE(name);
      CAPTURE(value);
      cluster::testing::World world;
      Config config;
      config.connection.server = "https://h";
      config.connection.impersonate_user = "jane";
      std::vector<std::string> lines;
      if (const auto outcome = set_key(config, name, value); !outcome) lines.push_back(outcome.error().message);
      if (const auto access = world.open(config.connection); !access) lines.push_back(access.error().message);
      lines.insert(lines.end(), world.logger.lines.begin(), world.logger.lines.end());
      for (const std::string& line : lines) {
        CAPTURE(line);
        CHECK_FALSE(has_control_characters(line));
      }
    }
  }
}

TEST_CASE("a secret given as a key is not repeated either") {
  const auto outcome = set("eyJhbGciOi/JSUzI1+NiIs=", "token");
  REQUIRE_FALSE(outcome);
  CHECK(outcome.error().message.find("eyJ") == std::string::npos);
}

TEST_CASE("keys reach their places") {
  Config config;
  CHECK(set_key(config, "resource", "gateway.networking.k8s.io/v1/gateways, v1/pods"));
  CHECK(set_key(config, "namespace", "a,b"));
  CHECK_FALSE(config.query.namespaces_of_context);
  CHECK(set_key(config, "limit", "25"));
  CHECK(set_key(config, "header.X-Trace", "one"));
  CHECK(set_key(config, "header.x-trace", "two"));
  CHECK(set_key(config, "transport", "http"));
  CHECK(set_key(config, "initial_timeout", "90s"));
  CHECK(set_key(config, "max_view_bytes", "64Mi"));
  CHECK(set_key(config, "delivery", "manual"));
  CHECK(set_key(config, "min_interval", "16ms"));
  CHECK(config.query.resources == std::vector<std::string>{"gateway.networking.k8s.io/v1/gateways", "v1/pods"});
  CHECK(config.query.namespaces == std::vector<std::string>{"a", "b"});
  CHECK(config.limit == 25);
  REQUIRE(config.connection.headers.size() == 1);
  CHECK(config.connection.headers[0].second == "two");
  CHECK(config.sync.transport == sync::WatchTransport::http);
  CHECK(config.sync.initial_timeout == Milliseconds(90'000));
  CHECK(config.sync.max_view_bytes == 64u << 20);
  CHECK(config.delivery.mode == delivery::Mode::manual);
  CHECK(config.delivery.min_interval == Milliseconds(16));
}

TEST_CASE("fields, columns and indexes reach their places") {
  Config config;
  CHECK(config.fields.empty());
  CHECK(set_key(config, "keep_fields", "/status/phase  /spec/containers/*/image"));
  CHECK(set_key(config, "columns", "/spec/nodeName"));
  CHECK(set_key(config, "index", " 3\t0 3 "));
  CHECK(set_key(config, "notify", "columns"));
  REQUIRE(config.fields.keep.size() == 2);
  CHECK(config.fields.keep[1][2].any);
  CHECK(config.fields.columns.size() == 1);
  CHECK(config.fields.index == std::vector<std::size_t>{3, 0});
  CHECK(config.fields.notify_columns);
  CHECK(set_key(config, "keep_fields", ""));
  CHECK(set_key(config, "index", ""));
  CHECK(set_key(config, "notify", "all"));
  CHECK(set_key(config, "columns", ""));
  CHECK(config.fields.empty());
}

TEST_CASE("the namespace of the context stands alone, and the last word counts") {
  Config config;
  CHECK(set_key(config, "namespace", "a"));
  CHECK(set_key(config, "namespace", "@context"));
  CHECK(config.query.namespaces_of_context);
  CHECK(config.query.namespaces.empty());
  CHECK_FALSE(set_key(config, "namespace", "a,@context"));
  for (const char* none : {",", " , ", " "}) CHECK_FALSE(set_key(config, "namespace", none));
  CHECK(config.query.namespaces_of_context);
  CHECK(set_key(config, "namespace", "b"));
  CHECK_FALSE(config.query.namespaces_of_context);
}
