// Values, columns and indexes through ksr.hpp.
#include "host/cpp/wrapped.hpp"

using namespace ksr::testing;
using ksr::testserver::ApiServer;

namespace {

constexpr const char* kValues =
    R"({"data":{"text":"a\"\u00e9\n","empty":"","int":1e3,"half":1.5,"large":9223372036854775808,"small":-129,)"
    R"("yes":true,"nothing":null,"time":"2026-01-02T03:04:05.678Z","list":[1,2,3],"map":{"b":1,"a/c":2},"nul":"a\u0000b"}})";

ksr::object values_of(ApiServer& server) {
  server.script(std::string("create configmaps a ") + kValues);
  const ksr::stream stream(pods_on(server, {{"resource", "v1/configmaps"}}));
  return stream.wait_synced(kWaitLimit)[0];
}

}  // namespace

TEST_CASE("values are decoded to the type that is asked for") {
  ApiServer server(with_token());
  const ksr::object object = values_of(server);
  REQUIRE(object);
  CHECK(object.get<std::string>("/data/text") == "a\"\u00e9\n");
  CHECK(object.get<std::string>("/data/empty") == "");
  CHECK(object.get<std::string>("/data/nul") == std::string("a\0b", 3));
  CHECK(object.get<std::string>("/data/int") == std::nullopt);
  CHECK(object.get<std::string>("/data/absent") == std::nullopt);
  CHECK(object.get<int>("/data/int") == 1000);
  CHECK(object.get<std::uint8_t>("/data/int") == std::nullopt);
  CHECK(object.get<std::int8_t>("/data/small") == std::nullopt);
  CHECK(object.get<std::int16_t>("/data/small") == -129);
  CHECK(object.get<unsigned>("/data/small") == std::nullopt);
  CHECK(object.get<std::int64_t>("/data/large") == std::nullopt);
  CHECK(object.get<std::uint64_t>("/data/large") == std::nullopt);
  CHECK(object.get<int>("/data/half") == std::nullopt);
  CHECK(object.get<double>("/data/half") == 1.5);
  CHECK(object.get<float>("/data/half") == 1.5F);
  CHECK(object.get<double>("/data/large") == 9223372036854775808.0);
  CHECK(object.get<bool>("/data/yes") == true);
  CHECK(object.get<bool>("/data/nothing") == std::nullopt);
  CHECK(object.get<ksr::timestamp>("/data/time") ==
        ksr::timestamp(std::chrono::seconds(1'767'323'045) + std::chrono::milliseconds(678)));
  CHECK(object.get<ksr::timestamp>("/data/text") == std::nullopt);
  CHECK(object.json("/data/list") == "[1,2,3]");
  CHECK(object.json("/data/absent") == std::nullopt);
  CHECK(object.size("/data/list") == 3);
  CHECK(object.size("/data/map") == 2);
  CHECK(object.size("/data/text") == std::nullopt);
  CHECK(object.keys("/data/map") == std::vector<std::string>{"b", "a/c"});
  CHECK(object.keys("/data/list").empty());
  CHECK(object.key("/data/map", 1) == "a/c");
  CHECK(object.key("/data/map", 2) == std::nullopt);
  CHECK(object.get<int>(std::string_view("/data/map/a~1c")) == 2);
  // What is no pointer, and what C would cut to one.
  CHECK(object.get<int>("data/int") == std::nullopt);
  CHECK(object.get<int>(nullptr) == std::nullopt);
  CHECK(object.get<int>(std::string("/data/int\0", 10)) == std::nullopt);
  CHECK(object.json(std::string("/data/int\0", 10)) == std::nullopt);
}

TEST_CASE("strings of any length are whole") {
  ApiServer server(with_token());
  for (const std::size_t length : {254U, 255U, 256U, 257U, 5'000U}) {
    const std::string text(length, 'x');
    const std::string name = "n" + std::to_string(length);
    server.script("create configmaps " + name + R"( {"data":{"text":")" + text + R"(","map":{")" + text + R"(":1}}})");
    const ksr::stream stream(pods_on(server, {{"resource", "v1/configmaps"}}));
    const ksr::object object = stream.wait_synced(kWaitLimit).find("default", name);
    CHECK(object.get<std::string>("/data/text") == text);
    CHECK(object.keys("/data/map") == std::vector<std::string>{text});
  }
}

TEST_CASE("fields, and an object that is none") {
  ApiServer server(with_token());
  const ksr::object object = values_of(server);
  CHECK(object.kind() == "ConfigMap");
  CHECK(object.api_version() == "v1");
  CHECK(object.ns() == "default");
  CHECK(object.name() == "a");
  CHECK(object.get(ksr::field::name) == "a");
  CHECK_FALSE(object.uid().empty());
  CHECK_FALSE(object.resource_version().empty());
  CHECK_FALSE(object.creation_timestamp().empty());
  CHECK(object.json().front() == '{');
  CHECK(object.get(static_cast<ksr::field>(99)) == "");
  const ksr::object_view none;
  CHECK(none.name() == "");
  CHECK(std::string(none.name().data()).empty());
  CHECK(none.get<std::string>("/data") == std::nullopt);
  CHECK(none.size("") == std::nullopt);
  CHECK(none.keys("").empty());
  CHECK(none.column(0) == std::nullopt);
}

TEST_CASE("columns and indexes") {
  ApiServer server(with_token());
  server.script(R"(create pods a {"spec":{"nodeName":"n1"}})"
                "\n"
                R"(create pods b {"spec":{"nodeName":"n2"}})"
                "\n"
                R"(create pods c {"spec":{"nodeName":"n1"}})");
  const ksr::config config = pods_on(server, {{"columns", "/spec/nodeName /status/absent"}, {"index", "0"}});
  const ksr::stream stream(config);
  const ksr::snapshot view = stream.wait_synced(kWaitLimit);
  CHECK(view[1].column(0) == "n2");
  CHECK(view[1].column(1) == "");
  CHECK(view[1].column(2) == std::nullopt);
  std::string names;
  // The range is a temporary, and holds what it needs.
  for (const ksr::object_view pod : stream.latest().by_index(0, std::string("n") + "1")) names += pod.name();
  CHECK(names == "ac");
  const ksr::match_range found = view.by_index(0, "n1");
  CHECK(found.size() == 2);
  CHECK(found[1].name() == "c");
  CHECK_FALSE(found[2]);
  CHECK(std::count_if(found.begin(), found.end(), [](ksr::object_view pod) { return pod.name() == "a"; }) == 1);
  CHECK(view.by_index(0, "n3").empty());
  CHECK(view.by_index(1, "").empty());
  CHECK(view.by_index(0, std::string_view("n1\0", 3)).empty());
}

TEST_CASE("what left the most recent is told apart from what was deleted") {
  ApiServer server(with_token());
  server.script(R"(create events old {"lastTimestamp":"2026-01-01T00:00:01Z"})");
  Told told;
  ksr::config config = pods_on(server, {{"resource", "v1/events"}, {"limit", "1"}});
  config.on_update([&](ksr::stream_ref, const ksr::snapshot& view) {
    for (const ksr::delta& delta : view.deltas()) {
      told.say(std::string(to_string(delta.kind)) + (delta.left ? " left " : " ") + std::string(delta.object.name()));
    }
  });
  const ksr::stream stream(config);
  CHECK(told.wait_for("ADDED old"));
  server.script(R"(create events new {"lastTimestamp":"2026-01-01T00:00:02Z"})");
  CHECK(told.wait_for("DELETED left old"));
  CHECK(told.wait_for("ADDED new"));
}
