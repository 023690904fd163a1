// Streams with the same connection share one Access; when it is created and destroyed.
#include <doctest/doctest.h>

#include "unit/cluster/fakes.hpp"

using namespace ksr;
using namespace ksr::cluster;
using namespace ksr::cluster::testing;

namespace {

ConnectionOptions some_options() {
  ConnectionOptions options;
  options.server = "https://127.0.0.1:6443";
  options.token = "a";
  return options;
}

}  // namespace

TEST_CASE("equal settings are one Access, and one connection") {
  World world;
  const auto first = world.open(some_options());
  const auto second = world.open(some_options());
  REQUIRE((first.has_value() && second.has_value()));
  CHECK(first->get() == second->get());
  const auto a = world.authenticate(**first);
  const auto b = world.authenticate(**second);
  REQUIRE((a && a->has_value() && b && b->has_value()));
  CHECK((*a)->connection == (*b)->connection);
  CHECK(world.transport.connects.size() == 1);
}

TEST_CASE("any difference is another Access") {
  World world;
  const auto base = world.open(some_options());
  REQUIRE(base.has_value());
  std::vector<ConnectionOptions> others(9, some_options());
  others[0].server = "https://127.0.0.1:6444";
  others[1].token = "b";
  others[2].tls_server_name = "x";
  others[3].insecure_skip_tls_verify = true;
  others[4].impersonate_user = "jane";
  others[5].headers = {{"X", "y"}};
  others[6].user_agent = "z";
  others[7].proxy_url = "http://p:1";
  others[8].connect_timeout = Milliseconds(1);
  std::vector<std::shared_ptr<Access>> opened{*base};
  for (const auto& options : others) {
    const auto access = world.open(options);
    REQUIRE(access.has_value());
    for (const auto& other : opened) CHECK(access->get() != other.get());
    opened.push_back(*access);
  }
}

TEST_CASE("an Access without an owner is destroyed, also when it is released on another thread") {
  World world;
  auto access = world.open(some_options());
  REQUIRE(access.has_value());
  std::weak_ptr<transport::Connection> connection;
  {
    const auto auth = world.authenticate(**access);
    REQUIRE((auth && auth->has_value()));
    connection = (*auth)->connection;
  }
  CHECK(!connection.expired());
  access = Error{};
  CHECK(!connection.expired());
  world.run_all();
  CHECK(connection.expired());
  const auto again = world.open(some_options());
  REQUIRE(again.has_value());
  world.authenticate(**again);
  CHECK(world.transport.connects.size() == 2);
}

TEST_CASE("authenticate calls back later, and not at all once its handle is destroyed") {
  World world;
  const auto access = world.open(some_options());
  REQUIRE(access.has_value());
  int answers = 0;
  auto wanted = (*access)->authenticate(Purpose::request, [&](Expected<RequestAuth>) { ++answers; });
  auto unwanted = (*access)->authenticate(Purpose::request, [&](Expected<RequestAuth>) { answers += 100; });
  CHECK(answers == 0);
  unwanted.cancel();
  world.run_all();
  CHECK(answers == 1);
  wanted.cancel();
  CHECK(answers == 1);
}

TEST_CASE("a callback may destroy its own handle, others, and the Access itself") {
  World world;
  auto opened = world.open(some_options());
  REQUIRE(opened.has_value());
  std::shared_ptr<Access> access = *opened;
  opened = Error{};
  int answers = 0;
  PendingCall first, second;
  first = access->authenticate(Purpose::request, [&](Expected<RequestAuth>) {
    ++answers;
    first.cancel();
    second.cancel();
    access.reset();
  });
  second = access->authenticate(Purpose::request, [&](Expected<RequestAuth>) { answers += 100; });
  world.run_all();
  CHECK(answers == 1);
}

TEST_CASE("a callback may authenticate again") {
  World world;
  const auto access = world.open(some_options());
  REQUIRE(access.has_value());
  int answers = 0;
  PendingCall pending;
  pending = (*access)->authenticate(Purpose::request, [&](Expected<RequestAuth>) {
    ++answers;
    pending = (*access)->authenticate(Purpose::request, [&](Expected<RequestAuth>) { ++answers; });
  });
  world.run_all();
  CHECK(answers == 2);
}

TEST_CASE("resources named in full resolve without a request") {
  World world;
  const auto access = world.open(some_options());
  REQUIRE(access.has_value());
  QueryOptions query;
  query.resources = {"gateway.networking.k8s.io/v1/gateways", "gateway.networking.k8s.io/v1beta1/gateways"};
  std::optional<Expected<std::vector<Resource>>> answer;
  const auto pending =
      (*access)->resolve(query, [&](Expected<std::vector<Resource>> found) { answer.emplace(std::move(found)); });
  CHECK(!answer);
  world.run_all();
  REQUIRE((answer && answer->has_value()));
  REQUIRE((*answer)->size() == 2);
  CHECK((**answer)[0].root == "/apis/gateway.networking.k8s.io/v1");
  CHECK((**answer)[1].root == "/apis/gateway.networking.k8s.io/v1beta1");
  CHECK(world.transport.requests.empty());
}
