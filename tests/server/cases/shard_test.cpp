// shard: each of N streams holds its part of the objects, whether or not the server divides them.
#include <doctest/doctest.h>

#include <memory>
#include <string>
#include <vector>

#include "server/cases/on_server.hpp"

using namespace ksr::testing;
using ksr::testserver::ApiServer;
using ksr::testserver::RecordedRequest;

namespace {

using Streams = std::vector<std::unique_ptr<Recorder>>;

Streams open_shards(ApiServer& server, const std::string& transport, int count, const std::string& initial = "list") {
  Streams streams;
  for (int part = 0; part < count; ++part) {
    streams.push_back(std::make_unique<Recorder>());
    const Settings settings = with(on_server(server, transport), "initial", initial);
    const std::string shard = std::to_string(part) + "/" + std::to_string(count);
    REQUIRE(streams.back()->open(with(settings, "shard", shard)) == KSR_OK);
  }
  return streams;
}

// Each object is in exactly one view, in its newest version.
void check_divided(const Streams& streams, ApiServer& server) {
  const Contents expected = server.contents("pods");
  std::size_t sum = 0;
  const auto all = [&streams, &sum](Contents& whole) {
    sum = 0;
    for (const auto& stream : streams) {
      const Contents part = stream->contents();
      sum += part.size();
      whole.insert(part.begin(), part.end());
    }
  };
  Contents whole;
  streams.front()->wait([&](const Recorder&) {
    whole.clear();
    all(whole);
    return whole == expected && sum == expected.size();
  });
  CHECK(whole == expected);
  CHECK(sum == expected.size());
  for (const auto& stream : streams) CHECK(stream->violations() == std::vector<std::string>{});
}

std::size_t told(const Recorder& stream, const std::string& text) {
  std::size_t lines = 0;
  for (const std::string& line : stream.log()) lines += line.find(text) != std::string::npos ? 1 : 0;
  return lines;
}

constexpr const char* kByServer = "the server sends its objects alone";
constexpr const char* kHere = "the server sends all objects";

}  // namespace

TEST_CASE("four shards are the whole, and through changes, relists and a server that begins or ceases to divide") {
  on_both_transports([](const std::string& transport) {
    for (const std::string initial : {"list", "watchlist"}) {
      ApiServer server(with_token());
      server.script("shards off\npopulate pods 200");
      const Streams streams = open_shards(server, transport, 4, initial);
      for (const auto& stream : streams) REQUIRE(stream->wait_state(KSR_STATE_LIVE));
      check_divided(streams, server);
      int round = 0;
      const auto change = [&] {
        const std::string begin = std::to_string(++round * 10);
        for (int i = 0; i < 8; ++i) {
          const std::string pod = "pod default/p" + begin + "-" + std::to_string(i);
          server.script("create " + pod + "\nupdate " + pod + " phase=Running");
          if (i % 2 == 0) server.script("delete " + pod);
        }
      };
      change();
      check_divided(streams, server);
      for (const auto& stream : streams) {
        CHECK(stream->count() > 20);
        CHECK(stream->stat("shard_by_server") == 0);
      }
      for (const std::string switched : {"shards on", "shards off", "shards on"}) {
        // As when an API server restarts with another gate while much happens.
        server.script(switched + "\ndrop connections reset");
        change();
        check_divided(streams, server);
        server.script("drop connections reset\ndelete pod default/p10-1\ncompact");
        server.script("create pod default/p10-1");
        check_divided(streams, server);
        change();
        check_divided(streams, server);
      }
    }
  });
}

TEST_CASE("what a server says of dividing is a statistic, and told when it changes") {
  ApiServer server(with_token());
  server.script("shards on\npopulate pods 50");
  const Streams streams = open_shards(server, "http", 2);
  const Recorder& one = *streams.front();
  REQUIRE(one.wait_state(KSR_STATE_LIVE));
  REQUIRE(one.wait([](const Recorder& now) { return now.stat("shard_by_server") == 1; }));
  CHECK(one.wait([](const Recorder& now) { return told(now, kByServer) == 1; }));
  const auto relist = [&] {
    const std::uint64_t lists = one.stat("lists");
    server.script("drop connections\ncreate pod default/more\ndelete pod default/more\ncompact");
    REQUIRE(one.wait([&](const Recorder& now) { return now.stat("lists") > lists; }));
    REQUIRE(one.wait_state(KSR_STATE_LIVE));
  };
  server.script("shards off");
  relist();
  CHECK(one.wait([](const Recorder& now) { return now.stat("shard_by_server") == 0 && told(now, kHere) == 1; }));
  relist();
  CHECK(told(one, kHere) == 1);
  server.script("shards on");
  relist();
  CHECK(one.wait([](const Recorder& now) { return now.stat("shard_by_server") == 1 && told(now, kByServer) == 2; }));
  check_divided(streams, server);
}

TEST_CASE("a server that divides sends no more than the part, and both requests ask for it") {
  ApiServer server(with_token());
  server.script("populate pods 400");
  const auto received = [&server](const std::string& script) {
    server.script(script);
    const Streams streams = open_shards(server, "http", 4);
    check_divided(streams, server);
    return streams.front()->stat("bytes_received");
  };
  const std::uint64_t all = received("shards off");
  const std::uint64_t part = received("shards on");
  CHECK(part < all / 2);
  const std::string first =
      "shardSelector=shardRange%28object.metadata.uid%2C%20%270x0000000000000000%27%2C%20%270x4000000000000000%27%29";
  std::size_t lists = 0;
  std::size_t watches = 0;
  for (const RecordedRequest& request : server.requests()) {
    if (request.target.find(first) == std::string::npos) continue;
    (request.target.find("watch=true") == std::string::npos ? lists : watches) += 1;
  }
  CHECK(lists == 2);
  CHECK(watches >= 1);
}

TEST_CASE("a stream without a shard asks for none and says nothing of one") {
  ApiServer server(with_token());
  server.script("shards on\npopulate pods 10");
  Recorder seen;
  REQUIRE(seen.open(with(on_server(server, "http"), "shard", "")) == KSR_OK);
  check_equals_server(seen, server);
  CHECK(seen.stat("shard_by_server") == 0);
  for (const RecordedRequest& request : server.requests()) CHECK(request.target.find("shard") == std::string::npos);
  CHECK(told(seen, "shard") == 0);
}

TEST_CASE("with limit the most recent are those of the shard") {
  ApiServer server(with_token());
  server.script("populate pods 100");
  Recorder seen;
  REQUIRE(seen.open(with(with(on_server(server, "http"), "shard", "1/2"), "limit", "5")) == KSR_OK);
  REQUIRE(seen.wait_state(KSR_STATE_LIVE));
  CHECK(seen.wait_count(5));
  CHECK(seen.stat("objects") > 20);
  CHECK(seen.stat("objects") < 80);
}

TEST_CASE("a shard that is none is refused when it is set") {
  ApiServer server(with_token());
  for (const char* text : {"4", "4/4", "x/4", "0/0", "-1/2", "0/70000"}) {
    Recorder seen;
    CHECK(seen.open(with(on_server(server, "http"), "shard", text)) == KSR_E_INVALID);
    CHECK(seen.open_error().find("shard: expected I/N") != std::string::npos);
  }
}
