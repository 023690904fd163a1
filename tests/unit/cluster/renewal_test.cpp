// Tokens, certificates and CAs that change under a running stream.
#include <doctest/doctest.h>

#include <filesystem>

#include "support/certificates.hpp"
#include "unit/cluster/fakes.hpp"

using namespace ksr;
using namespace ksr::cluster;
using namespace ksr::cluster::testing;
using namespace ksr::testing;

namespace {

// Two pairs, of which the first stands in the files of the client certificate.
struct CertificateWorld : World {
  CertificateWorld() {
    options.server = "https://h";
    options.client_cert_file = files.path("crt");
    options.client_key_file = files.path("key");
    put(one);
  }
  void put(const CertificateAndKey& pair) {
    files.write("crt", pair.certificate_pem);
    files.write("key", pair.key_pem);
  }
  const CertificateAndKey one = self_signed("one");
  const CertificateAndKey two = self_signed("two");
  ConnectionOptions options;
};

struct TokenWorld : World {
  TokenWorld() {
    options.server = "https://h";
    options.token_file = files.write("token", "one\n");
    auto opened = open(options);
    REQUIRE(opened.has_value());
    access = *opened;
  }
  std::string token() {
    const auto auth = authenticate(*access);
    REQUIRE((auth && auth->has_value()));
    return header(**auth, "Authorization");
  }
  ConnectionOptions options;
  std::shared_ptr<Access> access;
};

struct Ending final : transport::ExchangeObserver {
  void on_head(const transport::ResponseHead&) override { opened = true; }
  void on_body(std::string_view) override {}
  void on_end(const std::optional<Error>& error) override {
    ended = true;
    in_order = !error;
    exchange.reset();
  }
  bool opened = false, ended = false, in_order = false;
  std::unique_ptr<transport::Exchange> exchange;
};

transport::Request request_for(const std::string& target) {
  transport::Request request;
  request.target = target;
  return request;
}

transport::Request watch_request_for(const std::string& target) {
  transport::Request request = request_for(target);
  request.long_running = true;
  return request;
}

}  // namespace

TEST_CASE("a token file is read again after a minute, not before") {
  TokenWorld world;
  CHECK(world.token() == "Bearer one");
  world.files.write("token", "two");
  world.pass(Milliseconds(59'000));
  CHECK(world.token() == "Bearer one");
  world.pass(Milliseconds(1'000));
  CHECK(world.token() == "Bearer two");
}

TEST_CASE("a refused token is read again at once, for all who wait in one go") {
  TokenWorld world;
  CHECK(world.token() == "Bearer one");
  world.files.write("token", "two");
  world.pass(Milliseconds(5'000));
  world.access->reject_credentials();
  int answers = 0;
  std::vector<PendingCall> waiting;
  for (int i = 0; i < 5; ++i) {
    waiting.push_back(world.access->authenticate(Purpose::request, [&](Expected<RequestAuth> auth) {
      REQUIRE(auth.has_value());
      CHECK(header(*auth, "Authorization") == "Bearer two");
      ++answers;
    }));
  }
  world.executor.run();
  CHECK(answers == 0);
  CHECK(world.blocking_tasks.size() == 1);
  world.run_all();
  CHECK(answers == 5);
}

TEST_CASE("a refused token of a file is read again whatever its age, also one that has just taken another's place") {
  TokenWorld world;
  world.pass(Milliseconds(60'000));
  CHECK(world.token() == "Bearer one");
  world.files.write("token", "two");
  CHECK(world.access->reject_credentials());
  CHECK(world.token() == "Bearer two");
  world.files.write("token", "three");
  CHECK(world.access->reject_credentials());
  CHECK(world.token() == "Bearer three");
  // A late refusal of what it replaced.
  CHECK(world.access->reject_credentials());
  CHECK(world.token() == "Bearer three");
}

TEST_CASE("a token of the keys alone cannot be replaced") {
  World world;
  ConnectionOptions options;
  options.server = "https://h";
  options.token = "t";
  const auto access = world.open(options);
  REQUIRE(access.has_value());
  CHECK(!(*access)->reject_credentials());
}

TEST_CASE("a token refused while it is being read is read once more") {
  TokenWorld world;
  world.pass(Milliseconds(60'000));
  std::string token;
  const auto pending = world.access->authenticate(
      Purpose::request, [&](Expected<RequestAuth> auth) { token = header(*auth, "Authorization"); });
  world.executor.run();
  REQUIRE(world.blocking_tasks.size() == 1);
  world.access->reject_credentials();
  world.blocking_tasks[0]();
  world.blocking_tasks.clear();
  world.files.write("token", "two");
  world.executor.run();
  CHECK(token.empty());
  world.run_all();
  CHECK(token == "Bearer two");
}

TEST_CASE("late refusals of a token that is being replaced already do not have it read twice") {
  TokenWorld world;
  world.pass(Milliseconds(5'000));
  world.files.write("token", "two");
  world.access->reject_credentials();
  const auto pending = world.access->authenticate(Purpose::request, [](Expected<RequestAuth>) {});
  world.executor.run();
  REQUIRE(world.blocking_tasks.size() == 1);
  world.access->reject_credentials();
  auto reading = std::exchange(world.blocking_tasks, {});
  reading[0]();
  world.executor.run();
  CHECK(world.blocking_tasks.empty());
  CHECK(world.token() == "Bearer two");
}

TEST_CASE("a token file that is gone leaves the old token in use and says so, without the token") {
  TokenWorld world;
  const auto logger = std::make_shared<RecordingLogger>();
  world.access->add_logger(logger);
  std::filesystem::remove(world.options.token_file);
  world.pass(Milliseconds(60'000));
  CHECK(world.token() == "Bearer one");
  REQUIRE(logger->lines.size() == 1);
  CHECK(logger->lines[0].find("token_file: cannot read " + world.options.token_file) == 0);
  CHECK(logger->lines[0].find("one") == std::string::npos);
  // Nor is it asked for with every request.
  CHECK(world.token() == "Bearer one");
  CHECK(logger->lines.size() == 1);
  world.files.write("token", "three");
  world.pass(Milliseconds(10'000));
  CHECK(world.token() == "Bearer three");
}

TEST_CASE("a file system that hangs does not hold up requests for long") {
  TokenWorld world;
  world.pass(Milliseconds(60'000));
  std::string token;
  const auto pending = world.access->authenticate(
      Purpose::request, [&](Expected<RequestAuth> auth) { token = header(*auth, "Authorization"); });
  world.executor.run();
  CHECK(token.empty());
  world.pass(Milliseconds(5'000));
  CHECK(token == "Bearer one");
  world.files.write("token", "two");
  world.run_all();
  CHECK(world.token() == "Bearer two");
}

TEST_CASE("a thread that cannot be started is a failed read, not a stuck request") {
  TokenWorld world;
  world.no_threads = true;
  world.pass(Milliseconds(60'000));
  CHECK(world.token() == "Bearer one");
}

TEST_CASE("the result of a read after its caller was cancelled is dropped") {
  TokenWorld world;
  world.pass(Milliseconds(60'000));
  auto pending = world.access->authenticate(Purpose::request, [&](Expected<RequestAuth>) { FAIL("answered"); });
  world.executor.run();
  REQUIRE(world.blocking_tasks.size() == 1);
  pending.cancel();
  world.access.reset();
  world.run_all();
  CHECK(world.blocking_tasks.empty());
}

TEST_CASE("a token serves where its file cannot be read, and the file wins where it can") {
  World world;
  ConnectionOptions options;
  options.server = "https://h";
  options.token = "fallback";
  options.token_file = world.files.path("token");
  const auto access = world.open(options);
  REQUIRE(access.has_value());
  REQUIRE(!world.logger.lines.empty());
  CHECK(world.logger.levels[0] == LogLevel::warning);
  for (const std::string& line : world.logger.lines) CHECK(line.find("fallback") == std::string::npos);
  auto auth = world.authenticate(**access);
  REQUIRE((auth && auth->has_value()));
  CHECK(header(**auth, "Authorization") == "Bearer fallback");
  world.files.write("token", "real");
  world.pass(Milliseconds(60'000));
  auth = world.authenticate(**access);
  CHECK(header(**auth, "Authorization") == "Bearer real");
}

TEST_CASE("client certificates are read again after five minutes, and a change is another connection") {
  CertificateWorld world;
  const auto access = world.open(world.options);
  REQUIRE(access.has_value());
  const auto first = world.authenticate(**access);
  REQUIRE((first && first->has_value()));

  world.pass(Milliseconds(300'000));
  world.authenticate(**access);
  CHECK(world.transport.connects.size() == 1);

  // Caught in the middle of the rotation: the old pair stays.
  world.files.write("crt", world.two.certificate_pem);
  world.pass(Milliseconds(300'000));
  const auto middle = world.authenticate(**access);
  REQUIRE((middle && middle->has_value()));
  CHECK((*middle)->connection == (*first)->connection);

  world.files.write("key", world.two.key_pem);
  world.pass(Milliseconds(10'000));
  const auto last = world.authenticate(**access);
  REQUIRE((last && last->has_value()));
  CHECK((*last)->connection != (*first)->connection);
  REQUIRE(world.transport.connects.size() == 2);
  CHECK(world.transport.connects[1].tls.client_certificate_pem == world.two.certificate_pem);
  CHECK(world.transport.connects[1].tls.client_key_pem == world.two.key_pem);
}

TEST_CASE("a client certificate that changes ends the watches that were opened with the old one, and nothing else") {
  CertificateWorld world;
  world.options.ca_file = world.files.write("ca", world.one.certificate_pem);
  const auto access = world.open(world.options);
  REQUIRE(access.has_value());
  const auto logger = std::make_shared<RecordingLogger>();
  (*access)->add_logger(logger);
  const std::string watch_target = "/api/v1/pods?watch=true&allowWatchBookmarks=true";
  for (const std::string& target : {watch_target, std::string("/api/v1/pods"), std::string("/slow")}) {
    world.transport.replies[target] = {200, "{}", "application/json", {}, true};
  }
  const auto auth = world.authenticate(**access);
  REQUIRE((auth && auth->has_value()));
  transport::Connection& connection = *(*auth)->connection;
  Ending watch, websocket, command, list, unopened;
  watch.exchange = connection.send(watch_request_for(watch_target), watch);
  websocket.exchange = connection.open_websocket(watch_request_for(watch_target), websocket);
  command.exchange = connection.open_websocket(request_for(watch_target), command);
  list.exchange = connection.send(request_for("/api/v1/pods"), list);
  world.run_all();
  CHECK((watch.opened && websocket.opened && list.opened));

  // No request, and nothing has changed.
  world.pass(Milliseconds(300'000));
  world.run_all();
  CHECK_FALSE((watch.ended || websocket.ended));
  // Another CA is a matter of the next connection.
  world.files.write("ca", world.two.certificate_pem);
  world.pass(Milliseconds(300'000));
  world.authenticate(**access);
  world.run_all();
  CHECK(world.transport.connects.size() == 2);
  CHECK_FALSE((watch.ended || websocket.ended));

  const auto middle = world.authenticate(**access);
  unopened.exchange = (*middle)->connection->open_websocket(watch_request_for(watch_target), unopened);
  Ending later;
  later.exchange = (*middle)->connection->send(watch_request_for(watch_target), later);
  world.run_all();
  world.put(world.two);
  world.pass(Milliseconds(300'000));
  world.run_all();
  CHECK(world.transport.connects.size() == 3);
  CHECK((watch.ended && watch.in_order));
  CHECK((websocket.ended && websocket.in_order));
  CHECK((later.ended && later.in_order));
  CHECK((unopened.ended && unopened.in_order));
  CHECK_FALSE((list.ended || command.ended));
  REQUIRE(!logger->lines.empty());
  CHECK(logger->lines.back().find("the client certificate for https://h:443 has changed") == 0);
  // And it goes on so.
  world.put(world.one);
  world.pass(Milliseconds(300'000));
  world.run_all();
  CHECK(world.transport.connects.size() == 4);
}

TEST_CASE("a watch that opens after the certificate has changed is ended then") {
  CertificateWorld world;
  const auto access = world.open(world.options);
  REQUIRE(access.has_value());
  const auto auth = world.authenticate(**access);
  REQUIRE((auth && auth->has_value()));
  world.put(world.two);
  world.pass(Milliseconds(300'000));
  world.executor.run();
  world.transport.replies["/w"] = {200, "{}", "application/json", {}, true};
  Ending watch;
  watch.exchange = (*auth)->connection->open_websocket(watch_request_for("/w"), watch);
  for (auto& task : std::exchange(world.blocking_tasks, {})) task();
  world.run_all();
  CHECK(watch.opened);
  CHECK((watch.ended && watch.in_order));
}

TEST_CASE("a CA file is read again after five minutes; an empty one leaves the old CA in use") {
  World world;
  const CertificateAndKey one = self_signed("one"), two = self_signed("two");
  ConnectionOptions options;
  options.server = "https://h";
  options.ca_file = world.files.write("ca", one.certificate_pem);
  const auto access = world.open(options);
  REQUIRE(access.has_value());
  world.authenticate(**access);
  world.files.write("ca", "");
  world.pass(Milliseconds(300'000));
  world.authenticate(**access);
  CHECK(world.transport.connects.size() == 1);
  world.files.write("ca", two.certificate_pem);
  world.pass(Milliseconds(10'000));
  world.authenticate(**access);
  REQUIRE(world.transport.connects.size() == 2);
  CHECK(world.transport.connects[1].tls.ca_pem == two.certificate_pem);
}
