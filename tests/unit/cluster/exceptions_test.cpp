// An exception while credentials, discovery or a connection are made is an error for the callers that wait for them.
#include <doctest/doctest.h>

#include <new>
#include <stdexcept>

#include "support/allocation_failure.hpp"
#include "unit/cluster/discovery_samples.hpp"
#include "unit/cluster/fakes.hpp"

using namespace ksr;
using namespace ksr::cluster;
using namespace ksr::cluster::testing;

namespace {

ConnectionOptions plain_options() {
  ConnectionOptions options;
  options.server = "https://127.0.0.1:6443";
  options.token = "a";
  return options;
}

QueryOptions query_for(const std::string& resource) {
  QueryOptions query;
  query.resources = {resource};
  return query;
}

}  // namespace

TEST_CASE("a transport that throws is an error for all callers that wait for its connection") {
  World world;
  const auto access = world.open(plain_options());
  REQUIRE(access.has_value());
  world.transport.thrown = std::make_exception_ptr(std::runtime_error("broken\nin two"));
  std::vector<Error> errors;
  const auto note = [&](Expected<RequestAuth> auth) {
    REQUIRE_FALSE(auth.has_value());
    errors.push_back(auth.error());
  };
  const auto first = (*access)->authenticate(Purpose::request, note);
  const auto second = (*access)->authenticate(Purpose::request, note);
  world.run_all();
  REQUIRE(errors.size() == 2);
  for (const Error& error : errors) {
    CHECK(error.status == Status::internal);
    CHECK(error.message.find("broken in two") != std::string::npos);
  }
  world.transport.thrown = std::make_exception_ptr(std::bad_alloc());
  const auto third = world.authenticate(**access);
  REQUIRE(third);
  CHECK(third->error().status == Status::out_of_memory);
  world.transport.thrown = nullptr;
  const auto fourth = world.authenticate(**access);
  REQUIRE(fourth);
  CHECK(fourth->has_value());
}

TEST_CASE("a request of discovery that cannot be sent is an error for those who ask for the resource") {
  World world;
  const auto access = world.open(plain_options());
  REQUIRE(access.has_value());
  world.transport.thrown_by_get = std::make_exception_ptr(std::runtime_error("cannot be sent"));
  std::optional<Error> thrown;
  const auto pending = (*access)->resolve(query_for("pods"), [&](Expected<std::vector<Resource>> found) {
    REQUIRE_FALSE(found.has_value());
    thrown = found.error();
  });
  world.run_all();
  REQUIRE(thrown);
  CHECK(thrown->status == Status::internal);
  CHECK(thrown->message.find("cannot be sent") != std::string::npos);
}

TEST_CASE("whichever allocation fails, all that wait for credentials or discovery have an answer") {
  bool any_failed = true;
  for (std::size_t left = 0; any_failed; ++left) {
    World world;
    const auto access = world.open(plain_options());
    REQUIRE(access.has_value());
    world.transport.replies["/api"] = {200, old_core};
    world.transport.replies["/apis"] = {200, old_groups};
    world.transport.replies["/api/v1"] = {200, old_core_v1};
    world.transport.replies["/apis/apps/v1"] = {200, old_apps_v1};
    std::size_t asked = 0;
    std::size_t answers = 0;
    const QueryOptions pods = query_for("pods");
    QueryOptions deployments = query_for("apps/v1/deployments");
    deployments.namespaces = {"a"};
    std::vector<PendingCall> pending(4);
    const auto ask = [&](auto&& step) {
      try {
        pending[asked] = step();
        ++asked;
      } catch (const std::bad_alloc&) {
        // Without a handle it is cancelled.
      }
    };
    const auto note = [&](const auto&) { ++answers; };
    {
      const ksr::testing::FailingAllocation failing(left);
      ask([&] { return (*access)->resolve(pods, note); });
      ask([&] { return (*access)->resolve(deployments, note); });
      ask([&] { return (*access)->authenticate(Purpose::request, note); });
      ask([&] { return (*access)->authenticate(Purpose::websocket, note); });
      world.executor.run_despite_exceptions();
      any_failed = failing.has_failed();
    }
    CHECK_MESSAGE(answers == asked, "after " << left << " allocations " << answers << " of " << asked);
  }
}

TEST_CASE("a waiting caller that throws keeps no other from its answer") {
  World world;
  const auto access = world.open(plain_options());
  REQUIRE(access.has_value());
  world.transport.replies["/api"] = {200, aggregated_core};
  world.transport.replies["/apis"] = {200, aggregated_groups};
  const auto broken = [](const auto&) { throw std::bad_alloc(); };
  std::size_t answers = 0;
  const auto note = [&](const auto&) { ++answers; };
  const auto first = (*access)->resolve(query_for("pods"), broken);
  const auto second = (*access)->resolve(query_for("pods"), note);
  const auto third = (*access)->authenticate(Purpose::request, broken);
  const auto fourth = (*access)->authenticate(Purpose::request, note);
  world.executor.run_despite_exceptions();
  CHECK(answers == 2);
}
