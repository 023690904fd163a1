// Streams with the same connection share one Access; when it is created and destroyed.
#include <doctest/doctest.h>

#include "cluster/resolve_connection.hpp"
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

TEST_CASE("one exec plugin is one Access: the same program, arguments and environment, that of the process included") {
  World world;
  const auto with_plugin = [&](const std::string& exec) {
    ConnectionOptions options;
    options.kubeconfig =
        world.files.write("config",
                          "current-context: c\ncontexts: [{name: c, context: {cluster: k, user: u}}]\n"
                          "clusters: [{name: k, cluster: {server: 'https://127.0.0.1:6443'}}]\n"
                          "users: [{name: u, user: {exec: {apiVersion: client.authentication.k8s.io/v1, "
                          "interactiveMode: Never, " +
                              exec + "}}}]\n");
    const auto opened = world.open(options);
    REQUIRE_MESSAGE(opened.has_value(), (opened ? "" : opened.error().text()));
    return *opened;
  };
  const std::string plugin = "command: /bin/true, args: [a, b], env: [{name: NAME, value: v}]";
  const auto base = with_plugin(plugin);
  CHECK(with_plugin(plugin) == base);
  CHECK(with_plugin("command: /bin/false, args: [a, b], env: [{name: NAME, value: v}]") != base);
  CHECK(with_plugin("command: /bin/true, args: [b, a], env: [{name: NAME, value: v}]") != base);
  CHECK(with_plugin("command: /bin/true, args: [a b], env: [{name: NAME, value: v}]") != base);
  CHECK(with_plugin("command: /bin/true, args: [a, b], env: [{name: NAME, value: w}]") != base);
  CHECK(with_plugin("command: /bin/true, args: [a, b]") != base);
  CHECK(with_plugin(plugin + ", provideClusterInfo: true") != base);
  world.variables["PROFILE"] = "other";
  CHECK(with_plugin(plugin) != base);
  world.variables.erase("PROFILE");
  CHECK(with_plugin(plugin) == base);
  // Names among its arguments may be relative.
  const std::filesystem::path here = std::filesystem::current_path();
  std::filesystem::current_path(world.files.path(""));
  const auto elsewhere = with_plugin(plugin);
  std::filesystem::current_path(here);
  CHECK(elsewhere != base);
}

TEST_CASE("a kubeconfig that is a pipe: what it says of the issuer is part of the identity") {
  World world;
  OidcPlan plan{"auth-provider", "/dev/fd/3", "u"};
  OidcProvider held{"id", "refresh", "https://issuer", "client", "secret", "", ""};
  const auto identity = [&] {
    ResolvedConnection connection;
    plan.held = held;
    connection.authentication.oidc = plan;
    return fingerprint(connection);
  };
  const std::string base = identity();
  CHECK(identity() == base);
  for (std::string* field : {&held.id_token, &held.refresh_token, &held.issuer, &held.client_id, &held.client_secret,
                             &held.ca_file, &held.ca_data}) {
    const std::string before = std::exchange(*field, "other");
    CHECK(identity() != base);
    *field = before;
  }
  plan.proxy_variables = {"HTTPS_PROXY=http://p:1"};
  CHECK(identity() != base);
}

TEST_CASE("a token by its value, a file by its name, and a relative name by the directory it is looked up in") {
  World world;
  world.files.write("a/token", "one");
  world.files.write("b/token", "one");
  const auto with = [&](const std::string& token, const std::string& token_file) {
    ConnectionOptions options = some_options();
    options.token = token;
    options.token_file = token_file;
    const auto opened = world.open(options);
    REQUIRE(opened.has_value());
    return *opened;
  };
  const auto by_value = with("one", "");
  const auto by_file = with("", world.files.path("a/token"));
  CHECK(with("one", "") == by_value);
  CHECK(by_file != by_value);
  CHECK(with("", world.files.path("a/token")) == by_file);
  CHECK(with("", world.files.path("b/token")) != by_file);
  // It is the same file once it has been rotated.
  world.files.write("a/token", "two");
  CHECK(with("", world.files.path("a/token")) == by_file);

  const std::filesystem::path here = std::filesystem::current_path();
  std::filesystem::current_path(world.files.path("a"));
  const auto in_a = with("", "token");
  CHECK(with("", "token") == in_a);
  std::filesystem::current_path(world.files.path("b"));
  CHECK(with("", "token") != in_a);
  std::filesystem::current_path(here);
}

TEST_CASE(
    "a token as text beside a token file: it is used while the file cannot be read, and so is part of the identity") {
  World world;
  const auto with = [&](const std::string& token, const std::string& token_file) {
    ConnectionOptions options = some_options();
    options.token = token;
    options.token_file = world.files.path(token_file);
    const auto opened = world.open(options);
    REQUIRE(opened.has_value());
    return *opened;
  };
  const auto authorization = [&](const std::shared_ptr<Access>& access) {
    const auto auth = world.authenticate(*access);
    REQUIRE((auth && auth->has_value()));
    return header(**auth, "Authorization");
  };
  const auto alice = with("ALICE", "missing");
  const auto bob = with("BOB", "missing");
  CHECK(alice != bob);
  CHECK(with("ALICE", "missing") == alice);
  CHECK(authorization(alice) == "Bearer ALICE");
  CHECK(authorization(bob) == "Bearer BOB");
  // Also where the file can be read: it may be gone later.
  world.files.write("token", "one");
  CHECK(with("ALICE", "token") != with("BOB", "token"));

  // In a kubeconfig too.
  const auto user = [&](const std::string& name) {
    ConnectionOptions options;
    options.context = name;
    options.kubeconfig = world.files.write(
        "config",
        "clusters: [{name: k, cluster: {server: 'https://127.0.0.1:6443'}}]\n"
        "contexts: [{name: alice, context: {cluster: k, user: alice}}, {name: bob, context: {cluster: k, user: bob}}]\n"
        "users: [{name: alice, user: {token: A, tokenFile: missing}}, {name: bob, user: {token: B, tokenFile: "
        "missing}}]\n");
    const auto opened = world.open(options);
    REQUIRE_MESSAGE(opened.has_value(), (opened ? "" : opened.error().text()));
    return *opened;
  };
  CHECK(authorization(user("alice")) == "Bearer A");
  CHECK(authorization(user("bob")) == "Bearer B");
}

TEST_CASE("a relative name stays that of the file which was found there, whatever directory the process is in later") {
  World world;
  world.files.write("a/token", "alice");
  world.files.write("b/token", "bob");
  const std::filesystem::path here = std::filesystem::current_path();
  std::filesystem::current_path(world.files.path("a"));
  ConnectionOptions options = some_options();
  options.token.clear();
  options.token_file = "token";
  const auto access = world.open(options);
  std::filesystem::current_path(world.files.path("b"));
  REQUIRE(access.has_value());
  world.pass(Milliseconds(120'000));
  const auto auth = world.authenticate(**access);
  std::filesystem::current_path(here);
  REQUIRE((auth && auth->has_value()));
  CHECK(header(**auth, "Authorization") == "Bearer alice");
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
