// kubeconfigs as kubectl reads them: which files, which entry, which path, and what is said of broken ones.
#include <doctest/doctest.h>
#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include <atomic>
#include <filesystem>
#include <fstream>
#include <thread>

#include "base/base64.hpp"
#include "cluster/files.hpp"
#include "support/certificates.hpp"
#include "support/text.hpp"
#include "unit/cluster/fakes.hpp"

using namespace ksr;
using namespace ksr::cluster;
using namespace ksr::cluster::testing;
using namespace ksr::testing;

namespace {

std::string fixture(const std::string& name) {
  return std::string(KSR_FIXTURES) + "/" + name;
}

ConnectionOptions with_file(const std::string& path, const std::string& context = "") {
  ConnectionOptions options;
  options.kubeconfig = path;
  options.context = context;
  return options;
}

struct Opened {
  RequestAuth auth;
  transport::ConnectionSettings connection;
  std::string name_space;
};

Opened open_and_authenticate(World& world, const ConnectionOptions& options) {
  std::string name_space;
  const auto access = world.open(options, &name_space);
  if (const Error* error = access.if_error()) FAIL(error->message);
  const auto auth = world.authenticate(**access);
  REQUIRE(auth);
  if (const Error* error = auth->if_error()) FAIL(error->message);
  REQUIRE(!world.transport.connects.empty());
  return {**auth, world.transport.connects.back(), name_space};
}

std::string message_of(World& world, const ConnectionOptions& options) {
  const auto access = world.open(options);
  if (access) return "";
  CHECK(access.error().status == Status::invalid);
  CHECK(access.error().message.find('\n') == std::string::npos);
  CHECK(access.error().message.find("hunter2") == std::string::npos);
  return access.error().message;
}

std::string make_named_pipe(const World& world, const std::string& name) {
  const std::string path = world.files.path(name);
  REQUIRE(::mkfifo(path.c_str(), 0600) == 0);
  return path;
}

// Writes to a named pipe once it is read.
class Writer {
 public:
  Writer(const std::string& path, const std::string& text)
      : thread_([path, text] { std::ofstream(path, std::ios::binary) << text; }) {}
  ~Writer() { thread_.join(); }
  Writer(const Writer&) = delete;
  Writer& operator=(const Writer&) = delete;

 private:
  std::thread thread_;
};

std::string pipe_content(const std::string& path) {
  const auto content = read_kubeconfig_file({"kubeconfig", path});
  return content ? *content : content.error().message;
}

using ksr::testing::has;

}  // namespace

TEST_CASE("a kubeconfig says server, CA, user and namespace") {
  World world;
  const Opened opened = open_and_authenticate(world, with_file(fixture("simple.yaml")));
  CHECK(opened.connection.server.text() == "https://dev.example:6443");
  CHECK(has(opened.connection.tls.ca_pem, "BEGIN CERTIFICATE"));
  CHECK(header(opened.auth, "Authorization") == "Bearer token-of-jane");
  CHECK(opened.name_space == "shop");
  CHECK(opened.auth.compression);
}

TEST_CASE("a kubeconfig whose lines end with a carriage return alone") {
  World world;
  const std::string file = world.files.write("returns",
                                             "current-context: c\r"
                                             "contexts: [{name: c, context: {cluster: k, namespace: returned}}]\r"
                                             "clusters:\r- name: k\r  cluster: {server: \"http://here.test\"}\r");
  CHECK(open_and_authenticate(world, with_file(file)).name_space == "returned");
}

TEST_CASE("the key context picks another context; a context without a user is anonymous") {
  World world;
  const Opened opened = open_and_authenticate(world, with_file(fixture("simple.yaml"), "prod-anonymous"));
  CHECK(header(opened.auth, "Authorization").empty());
  CHECK(opened.name_space == "default");
}

TEST_CASE("KUBECONFIG is a list: the first file wins entry by entry, and missing files are skipped") {
  World world;
  world.variables["KUBECONFIG"] = "/no/such/file::" + fixture("merge-first.yaml") + ":" + fixture("merge-second.yaml") +
                                  ":" + fixture("merge-first.yaml") + ":" + fixture("merge-third.yaml");
  const Opened opened = open_and_authenticate(world, {});
  CHECK(opened.connection.server.text() == "https://first.example:443");
  CHECK(opened.connection.tls.server_name.empty());
  CHECK(header(opened.auth, "Authorization") == "Bearer token-of-first");
  CHECK(opened.name_space == "merged");

  ConnectionOptions third;
  third.context = "third";
  CHECK(open_and_authenticate(world, third).connection.server.text() == "https://only-second.example:443");
}

TEST_CASE("an explicit kubeconfig stands alone and must exist") {
  World world;
  world.variables["KUBECONFIG"] = fixture("simple.yaml");
  CHECK(open_and_authenticate(world, with_file(fixture("path-prefix.yaml"))).connection.server.text() ==
        "https://rancher.example:443/k8s/clusters/c-m-1");
  CHECK(has(message_of(world, with_file("/no/such/config")), "kubeconfig: cannot read /no/such/config"));
}

TEST_CASE("without KUBECONFIG it is ~/.kube/config, and with it never") {
  World world;
  world.files.write("home/.kube/config",
                    "clusters: [{name: h, cluster: {server: 'https://home.example'}}]\n"
                    "contexts: [{name: h, context: {cluster: h}}]\ncurrent-context: h\n");
  CHECK(open_and_authenticate(world, {}).connection.server.text() == "https://home.example:443");
  world.variables["KUBECONFIG"] = "";
  CHECK(open_and_authenticate(world, {}).connection.server.text() == "https://home.example:443");
  world.variables["KUBECONFIG"] = "/no/such/file";
  CHECK(has(message_of(world, {}), "server: is not set"));
}

TEST_CASE("relative paths are relative to the file they stand in") {
  World world;
  const Opened certificate = open_and_authenticate(world, with_file(fixture("relative/config.yaml")));
  CHECK(has(certificate.connection.tls.ca_pem, "BEGIN CERTIFICATE"));
  CHECK(has(certificate.connection.tls.client_certificate_pem, "BEGIN CERTIFICATE"));
  CHECK(has(certificate.connection.tls.client_key_pem, "PRIVATE KEY"));
  const Opened token = open_and_authenticate(world, with_file(fixture("relative/config.yaml"), "token"));
  CHECK(header(token.auth, "Authorization") == "Bearer token-of-relative");
  const Opened exec = open_and_authenticate(world, with_file(fixture("relative/config.yaml"), "exec"));
  CHECK(header(exec.auth, "Authorization") == "Bearer token-of-plugin");
}

TEST_CASE("data takes precedence over the file") {
  World world;
  CHECK(has(open_and_authenticate(world, with_file(fixture("data-before-file.yaml"))).connection.tls.ca_pem, "BEGIN"));
}

TEST_CASE("path prefix, tls-server-name, proxy-url, disable-compression and basic authentication are honoured") {
  World world;
  const Opened opened = open_and_authenticate(world, with_file(fixture("path-prefix.yaml")));
  CHECK(opened.connection.server.text() == "https://rancher.example:443/k8s/clusters/c-m-1");
  CHECK(opened.connection.tls.server_name == "inner.example");
  CHECK(opened.connection.proxy->text() == "http://proxy.example:3128");
  CHECK(!opened.auth.compression);
  CHECK(header(opened.auth, "Authorization") == "Basic amFuZTpwYXNz");
}

TEST_CASE("impersonation in a kubeconfig") {
  World world;
  const Opened opened = open_and_authenticate(world, with_file(fixture("impersonation.yaml")));
  CHECK(header(opened.auth, "Impersonate-User") == "jane");
  CHECK(header(opened.auth, "Impersonate-Uid") == "uid-1");
  CHECK(header(opened.auth, "Impersonate-Group") == "dev");
  CHECK(header(opened.auth, "Impersonate-Extra-reason") == "testing");
  CHECK(opened.auth.headers.size() == 8);
}

TEST_CASE("credentials of a kubeconfig are not sent to a server without TLS") {
  World world;
  const Opened opened = open_and_authenticate(world, with_file(fixture("http-server.yaml")));
  CHECK(header(opened.auth, "Authorization").empty());
  CHECK(opened.name_space == "plain");
}

TEST_CASE("credentials of a kubeconfig are not sent when the key server names one without TLS") {
  struct Case {
    const char* file;
    const char* context;
  };
  const Case cases[] = {{"simple.yaml", ""},
                        {"path-prefix.yaml", ""},
                        {"impersonation.yaml", ""},
                        {"relative/config.yaml", "certificate"},
                        {"relative/config.yaml", "token"},
                        {"relative/config.yaml", "exec"}};
  for (const Case& c : cases) {
    for (const char* server : {"http://elsewhere.example:8080", "HTTP://127.0.0.1:8080"}) {
      CAPTURE(c.file);
      CAPTURE(c.context);
      World world;
      ConnectionOptions options = with_file(fixture(c.file), c.context);
      options.server = server;
      const Opened opened = open_and_authenticate(world, options);
      CHECK(header(opened.auth, "Authorization").empty());
      CHECK(opened.connection.tls.client_certificate_pem.empty());
      CHECK(opened.connection.tls.client_key_pem.empty());
      CHECK(clear_text_warnings(world.logger).empty());
    }
  }
}

TEST_CASE("a server without a scheme is refused, in a key and in a kubeconfig") {
  World world;
  ConnectionOptions options = with_file(fixture("path-prefix.yaml"));
  options.server = "elsewhere.example:8080";
  const std::string spellings = "has no scheme; expected https://HOST:PORT or http://HOST:PORT";
  CHECK(has(message_of(world, options), "server: " + spellings));
  options.insecure_skip_tls_verify = true;
  CHECK(has(message_of(world, options), "server: " + spellings));
  const std::string file = world.files.write(
      "config",
      "clusters: [{name: c, cluster: {server: 'h:6443'}}]\ncontexts: [{name: c, context: {cluster: c}}]\n"
      "current-context: c\n");
  CHECK(has(message_of(world, with_file(file)), "server of cluster \"c\" in " + file + ": " + spellings));
}

TEST_CASE("a key server with TLS in place of one without gets the credentials of the kubeconfig") {
  World world;
  ConnectionOptions options = with_file(fixture("http-server.yaml"));
  options.server = "https://secure.example";
  const Opened opened = open_and_authenticate(world, options);
  CHECK(opened.connection.server.text() == "https://secure.example:443");
  CHECK(header(opened.auth, "Authorization") == "Bearer token-of-jane");
}

TEST_CASE("impersonation of a kubeconfig is not a credential and is sent without TLS") {
  World world;
  ConnectionOptions options = with_file(fixture("impersonation.yaml"));
  options.server = "http://elsewhere.example";
  CHECK(header(open_and_authenticate(world, options).auth, "Impersonate-User") == "jane");
}

TEST_CASE("a credential given by key is sent without TLS, with a warning that does not hold it") {
  World world;
  ConnectionOptions options = with_file(fixture("http-server.yaml"));
  options.token = "hunter2";
  Opened opened = open_and_authenticate(world, options);
  CHECK(header(opened.auth, "Authorization") == "Bearer hunter2");
  REQUIRE(clear_text_warnings(world.logger).size() == 1);
  CHECK(has(clear_text_warnings(world.logger)[0], "token"));
  CHECK(has(clear_text_warnings(world.logger)[0], "http://plain.example:8080"));

  options = with_file(fixture("path-prefix.yaml"));
  options.server = "http://elsewhere.example";
  options.username = "jane";
  options.password = "hunter2";
  opened = open_and_authenticate(world, options);
  CHECK(header(opened.auth, "Authorization") == "Basic amFuZTpodW50ZXIy");
  CHECK(clear_text_warnings(world.logger).size() == 2);
  for (const std::string& line : world.logger.lines) CHECK(!has(line, "hunter2"));
}

TEST_CASE("a key replaces its half of a pair of the kubeconfig") {
  World world;
  const auto authorization = [&](const char* user, const std::string& username, const std::string& password) {
    ConnectionOptions options = with_file(world.files.write(
        "config",
        "{current-context: c, contexts: [{name: c, context: {cluster: c, user: u}}], users: [{name: u, user: {" +
            std::string(user) + "}}], clusters: [{name: c, cluster: {server: 'https://h'}}]}"));
    options.username = username;
    options.password = password;
    return header(open_and_authenticate(world, options).auth, "Authorization");
  };
  const auto basic = [](const std::string& pair) { return "Basic " + base64_encode(pair); };
  CHECK(authorization("username: b, password: c", "z", "") == basic("z:c"));
  CHECK(authorization("username: b, password: c", "", "z") == basic("b:z"));
  CHECK(authorization("username: b, password: c", "y", "z") == basic("y:z"));
  CHECK(authorization("token: t", "y", "") == basic("y:"));

  const CertificateAndKey jane = self_signed("jane"), joe = self_signed("joe");
  world.files.write("jane.crt", jane.certificate_pem);
  world.files.write("jane.key", jane.key_pem);
  ConnectionOptions options = with_file(world.files.write("config", R"({current-context: c,
contexts: [{name: c, context: {cluster: c, user: u}}], clusters: [{name: c, cluster: {server: 'https://h'}}],
users: [{name: u, user: {client-certificate: jane.crt, client-key: jane.key}}]})"));
  options.client_cert_data = jane.certificate_pem;
  CHECK(open_and_authenticate(world, options).connection.tls.client_key_pem == jane.key_pem);
  options.client_cert_data = joe.certificate_pem;
  CHECK(has(message_of(world, options), "client-key of user \"u\""));
  options.client_key_data = joe.key_pem;
  CHECK(open_and_authenticate(world, options).connection.tls.client_certificate_pem == joe.certificate_pem);
}

TEST_CASE("a plugin that needs a terminal is an error where it is to run") {
  World world;
  const auto options_for = [&](const std::string& user, const std::string& server = "https://h") {
    return with_file(world.files.write(
        "config",
        "{current-context: c, contexts: [{name: c, context: {cluster: c, user: u}}], clusters: [{name: c, "
        "cluster: {server: '" +
            server + "'}}], users: [{name: u, user: {" + user +
            "exec: {apiVersion: client.authentication.k8s.io/v1, command: /nope, interactiveMode: Always}}}]}"));
  };
  CHECK(has(message_of(world, options_for("")), "exec of user \"u\""));
  CHECK(has(message_of(world, options_for("")), "has the interactiveMode Always, but a library has no terminal"));
  CHECK(header(open_and_authenticate(world, options_for("token: t, ")).auth, "Authorization") == "Bearer t");
  CHECK(header(open_and_authenticate(world, options_for("", "http://h")).auth, "Authorization").empty());
  const CertificateAndKey jane = self_signed("jane");
  world.files.write("jane.crt", jane.certificate_pem);
  world.files.write("jane.key", jane.key_pem);
  const std::string pair = "client-certificate: jane.crt, client-key: jane.key, ";
  CHECK(open_and_authenticate(world, options_for(pair)).connection.tls.client_key_pem == jane.key_pem);
  ConnectionOptions by_key = options_for("");
  by_key.token = "mine";
  CHECK(header(open_and_authenticate(world, by_key).auth, "Authorization") == "Bearer mine");
  by_key = options_for("");
  by_key.client_cert_data = jane.certificate_pem;
  by_key.client_key_data = jane.key_pem;
  CHECK(open_and_authenticate(world, by_key).connection.tls.client_key_pem == jane.key_pem);
}

TEST_CASE("keys override the file") {
  World world;
  ConnectionOptions options = with_file(fixture("path-prefix.yaml"));
  options.token = "mine";
  options.proxy_url = "http://other:1";
  Opened opened = open_and_authenticate(world, options);
  CHECK(header(opened.auth, "Authorization") == "Bearer mine");
  CHECK(opened.connection.proxy->text() == "http://other:1");
  CHECK(opened.connection.tls.server_name == "inner.example");

  // Another server is not called by the name of the file's.
  options.server = "https://elsewhere";
  opened = open_and_authenticate(world, options);
  CHECK(opened.connection.server.text() == "https://elsewhere:443");
  CHECK(opened.connection.tls.server_name.empty());

  ConnectionOptions insecure = with_file(fixture("simple.yaml"));
  insecure.insecure_skip_tls_verify = true;
  opened = open_and_authenticate(world, insecure);
  CHECK(opened.connection.tls.skip_verify);
  CHECK(opened.connection.tls.ca_pem.empty());

  ConnectionOptions other_ca = with_file(fixture("simple.yaml"));
  const CertificateAndKey ca = self_signed("mine");
  other_ca.ca_data = ca.certificate_pem;
  CHECK(open_and_authenticate(world, other_ca).connection.tls.ca_pem == ca.certificate_pem);

  ConnectionOptions as = with_file(fixture("impersonation.yaml"));
  as.impersonate_user = "joe";
  opened = open_and_authenticate(world, as);
  CHECK(header(opened.auth, "Impersonate-User") == "joe");
  CHECK(header(opened.auth, "Impersonate-Uid") == "uid-1");
  CHECK(header(opened.auth, "Impersonate-Group") == "dev");
  CHECK(header(opened.auth, "Impersonate-Extra-reason") == "testing");
}

// k8s.io/client-go/tools/clientcmd/client_config.go, getAuthInfo.
TEST_CASE("who may not be impersonated is said with the field, the user and the file, or the key") {
  World world;
  const auto options_for = [&](const std::string& user) {
    return with_file(world.files.write(
        "config",
        "{current-context: c, contexts: [{name: c, context: {cluster: c, user: u}}], clusters: [{name: c, "
        "cluster: {server: 'https://h'}}], users: [{name: u, user: {" +
            user + "}}]}"));
  };
  const std::string of_user = " of user \"u\" in " + world.files.path("config") + ": holds control characters";
  CHECK(has(message_of(world, options_for(R"(as: "a\nb")")), "as" + of_user));
  CHECK(has(message_of(world, options_for(R"(as: a, as-uid: "a\nb")")), "as-uid" + of_user));
  CHECK(has(message_of(world, options_for(R"(as: a, as-groups: [b, "a\nb"])")), "as-groups" + of_user));
  CHECK(has(message_of(world, options_for(R"(as: a, as-user-extra: {k: ["a\nb"]})")), "as-user-extra" + of_user));
  ConnectionOptions by_key = options_for(R"(as: "a\nb")");
  by_key.impersonate_user = "c";
  CHECK(header(open_and_authenticate(world, by_key).auth, "Impersonate-User") == "c");
  by_key.impersonate_groups = {"a\nb"};
  CHECK(has(message_of(world, by_key), "impersonate_groups: holds control characters"));
}

TEST_CASE("each key of impersonation replaces its own field of a kubeconfig") {
  World world;
  ConnectionOptions groups = with_file(fixture("impersonation.yaml"));
  groups.impersonate_groups = {"CN=admins,OU=x"};
  Opened opened = open_and_authenticate(world, groups);
  CHECK(header(opened.auth, "Impersonate-User") == "jane");
  CHECK(header(opened.auth, "Impersonate-Uid") == "uid-1");
  CHECK(header(opened.auth, "Impersonate-Group") == "CN=admins,OU=x");
  CHECK(opened.auth.headers.size() == 7);

  ConnectionOptions uid = with_file(fixture("impersonation.yaml"));
  uid.impersonate_uid = "uid-2";
  uid.impersonate_extra = {{"Reason", "mine"}, {"other", "too"}};
  opened = open_and_authenticate(world, uid);
  CHECK(header(opened.auth, "Impersonate-User") == "jane");
  CHECK(header(opened.auth, "Impersonate-Uid") == "uid-2");
  CHECK(header(opened.auth, "Impersonate-Group") == "dev");
  CHECK(header(opened.auth, "Impersonate-Extra-reason") == "mine");
  CHECK(header(opened.auth, "Impersonate-Extra-other") == "too");
  CHECK(opened.auth.headers.size() == 8);

  ConnectionOptions as = with_file(world.files.write("groups", R"({current-context: c,
clusters: [{name: c, cluster: {server: "https://c.example"}}], users: [{name: u, user: {token: t, as-groups: [g]}}],
contexts: [{name: c, context: {cluster: c, user: u}}]})"));
  CHECK(has(message_of(world, as), "without as"));
  as.impersonate_user = "eve";
  opened = open_and_authenticate(world, as);
  CHECK(header(opened.auth, "Impersonate-User") == "eve");
  CHECK(header(opened.auth, "Impersonate-Group") == "g");
}

// k8s.io/client-go/tools/clientcmd/client_config.go looks for the entry of that name, whatever it is.
TEST_CASE("a context, a cluster and a user may be named \"\"") {
  World world;
  const auto check_found = [&](const std::string& text) {
    const Opened opened = open_and_authenticate(world, with_file(world.files.write("config", text)));
    CHECK(opened.connection.server.text() == "https://c.example:443");
    CHECK(header(opened.auth, "Authorization") == "Bearer t");
  };
  for (const std::string current : {"", "current-context: '', "}) {
    check_found("{" + current + R"(clusters: [{name: "", cluster: {server: "https://c.example"}}],
users: [{name: "", user: {token: t}}], contexts: [{name: "", context: {cluster: "", user: ""}}]})");
    check_found("{" + current + R"(clusters: [{cluster: {server: "https://c.example"}}], users: [{user: {token: t}}],
contexts: [{context: {}}]})");
  }
  check_found(R"({current-context: c, clusters: [{name: "", cluster: {server: "https://c.example"}}],
users: [{name: "", user: {token: t}}], contexts: [{name: c, context: {}}]})");
  // In a pod too: such a kubeconfig is not empty.
  world.variables["KUBERNETES_SERVICE_HOST"] = "10.0.0.1";
  world.variables["KUBERNETES_SERVICE_PORT"] = "443";
  world.files.write("service-account/token", "pod-token\n");
  check_found(R"({clusters: [{name: k, cluster: {server: "https://c.example"}}], users: [{name: u, user: {token: t}}],
contexts: [{name: "", context: {cluster: k, user: u}}]})");
}

TEST_CASE("what keys replace may be missing in a kubeconfig") {
  World world;
  const std::string no_cluster = world.files.write("no-cluster", R"({current-context: c,
users: [{name: u, user: {token: t}}], contexts: [{name: c, context: {user: u, namespace: shop}}]})");
  CHECK(has(message_of(world, with_file(no_cluster)), "has no cluster"));
  for (const std::string& file : {no_cluster, fixture("missing-cluster.yaml"), fixture("no-server.yaml")}) {
    CAPTURE(file);
    ConnectionOptions options = with_file(file);
    options.server = "https://other";
    const Opened opened = open_and_authenticate(world, options);
    CHECK(opened.connection.server.text() == "https://other:443");
    CHECK(header(opened.auth, "Authorization") == (file == no_cluster ? "Bearer t" : ""));
  }
  ConnectionOptions options = with_file(fixture("missing-user.yaml"));
  options.token = "mine";
  CHECK(header(open_and_authenticate(world, options).auth, "Authorization") == "Bearer mine");
}

TEST_CASE("a server alone reads no file") {
  World world;
  world.variables["KUBECONFIG"] = fixture("not-yaml.yaml");
  ConnectionOptions options;
  options.server = "https://direct";
  CHECK(open_and_authenticate(world, options).connection.server.text() == "https://direct:443");
}

TEST_CASE("the error of a bad kubeconfig has file, entry and reason, never a value") {
  World world;
  struct Case {
    const char* file;
    std::vector<std::string> parts;
  };
  const Case cases[] = {
      {"insecure-and-ca.yaml",
       {"insecure-skip-tls-verify of cluster \"both\"", "contradicts certificate-authority-data"}},
      {"no-current-context.yaml", {"has no current-context"}},
      {"missing-context.yaml", {"context \"gone\" does not exist"}},
      {"missing-cluster.yaml", {"context \"c\"", "its cluster \"gone\" does not exist"}},
      {"missing-user.yaml", {"context \"c\"", "its user \"gone\" does not exist"}},
      {"no-server.yaml", {"cluster \"c\"", "has no server"}},
      {"not-yaml.yaml", {"is not valid YAML at line"}},
      {"wrong-types.yaml", {"clusters: expected a list"}},
      {"wrong-flag.yaml", {"clusters[0] \"c\": insecure-skip-tls-verify: expected true or false"}},
      {"other-kind.yaml", {"kind: expected Config"}},
      {"certificate-without-key.yaml",
       {"client-certificate of user \"jane\"", "the key of the certificate is missing"}},
      {"two-methods.yaml", {"user \"jane\"", "both a token and a user name"}},
      {"exec-without-mode.yaml", {"exec of user \"jane\"", "interactiveMode"}},
      {"exec-old-version.yaml", {"exec of user \"jane\"", "v1alpha1", "expected client.authentication.k8s.io/v1"}},
      {"auth-provider.yaml", {"auth-provider of user \"jane\"", "\"gcp\" is not supported"}},
      {"cyclic.yaml", {"has an anchor that contains itself"}},
      {"empty.yaml", {"has no current-context"}},
  };
  for (const Case& c : cases) {
    const std::string message = message_of(world, with_file(fixture(c.file)));
    CAPTURE(c.file);
    CAPTURE(message);
    CHECK(has(message, c.file));
    for (const std::string& part : c.parts) CHECK(has(message, part));
  }
  CHECK(has(message_of(world, with_file(fixture("simple.yaml"), "prod")), "context \"prod\" does not exist"));
}

TEST_CASE("an invalid file in a KUBECONFIG list is an error, not skipped") {
  World world;
  world.variables["KUBECONFIG"] = fixture("simple.yaml") + ":" + fixture("not-yaml.yaml");
  CHECK(has(message_of(world, {}), "not-yaml.yaml"));
}

TEST_CASE("garbage never does worse than an error") {
  World world;
  std::string deep_map;
  for (int i = 0; i < 2000; ++i) deep_map += std::string(static_cast<std::size_t>(i), ' ') + "a:\n";
  const std::vector<std::string> texts = {std::string(100'000, '['),
                                          std::string(100'000, '{'),
                                          deep_map,
                                          "- a\n- b\n",
                                          "text",
                                          "\xff\xfe\xfa",
                                          "? [a]\n: b\n",
                                          "clusters: [1, 2]",
                                          "clusters: [[]]",
                                          "clusters: [{name: {a: b}}]",
                                          "users: [{name: x, user: [a]}]",
                                          "users: [{name: x, user: {as-user-extra: {[1]: x}}}]",
                                          "users: [{name: x, user: {as-user-extra: {k: v}}}]",
                                          "users: [{name: x, user: {exec: {args: {a: b}}}}]",
                                          "current-context: [a]",
                                          "a: *nothing",
                                          "%YAML 9.9\n---\n",
                                          std::string("clusters:\0 x", 12),
                                          "&a [*a]",
                                          "contexts: &c [*c]",
                                          "!!binary x",
                                          "kind: !!map {}"};
  for (const std::string& text : texts) {
    const std::string path = world.files.write("garbage", text);
    CHECK(has(message_of(world, with_file(path)), path));
  }
}

TEST_CASE("of equal keys the last one is used, and equal names in one file are an error") {
  World world;
  const std::string head = "contexts: [{name: c, context: {cluster: c}}]\ncurrent-context: c\nclusters:\n";
  const std::string keys =
      world.files.write("keys", head + "- {name: c, cluster: {server: 'https://b', server: 'https://c'}}\n");
  CHECK(open_and_authenticate(world, with_file(keys)).connection.server.text() == "https://c:443");
  const std::string names = world.files.write(
      "names", head + "- {name: c, cluster: {server: 'https://b'}}\n- {name: c, cluster: {server: 'https://c'}}\n");
  CHECK(has(message_of(world, with_file(names)), "clusters[1] \"c\": is duplicated"));
}

TEST_CASE("in a pod without a kubeconfig the service account is used, over IPv6 too") {
  World world;
  const CertificateAndKey ca = self_signed("pod-ca");
  world.variables["KUBERNETES_SERVICE_HOST"] = "fd00::1";
  world.variables["KUBERNETES_SERVICE_PORT"] = "443";
  CHECK(has(message_of(world, {}), "server: is not set"));
  world.files.write("service-account/token", "pod-token\n");
  world.files.write("service-account/ca.crt", ca.certificate_pem);
  world.files.write("service-account/namespace", "pod-namespace\n");
  Opened opened = open_and_authenticate(world, {});
  CHECK(opened.connection.server.text() == "https://[fd00::1]:443");
  CHECK(opened.connection.tls.ca_pem == ca.certificate_pem);
  CHECK(header(opened.auth, "Authorization") == "Bearer pod-token");
  CHECK(opened.name_space == "pod-namespace");

  // Rotated by the kubelet.
  const auto access = world.open({});
  REQUIRE(access.has_value());
  world.files.write("service-account/token", "next-token\n");
  world.pass(Milliseconds(60'000));
  const auto auth = world.authenticate(**access);
  REQUIRE((auth && auth->has_value()));
  CHECK(header(**auth, "Authorization") == "Bearer next-token");

  world.variables["KUBECONFIG"] = fixture("simple.yaml");
  CHECK(open_and_authenticate(world, {}).connection.server.text() == "https://dev.example:6443");
}

// k8s.io/client-go/tools/clientcmd/merged_client_builder.go, Namespace.
TEST_CASE("in a pod a context without a namespace is in that of the pod") {
  World world;
  const auto name_space = [&](const std::string& context, const std::string& server = "") {
    const std::string text =
        "{current-context: c, clusters: [{name: k, cluster: {server: 'https://k.example'}}], contexts: "
        "[{name: c, context: {cluster: k" +
        context + "}}]}";
    ConnectionOptions options = with_file(world.files.write("config", text));
    options.server = server;
    return open_and_authenticate(world, options).name_space;
  };
  ConnectionOptions by_key;
  by_key.server = "https://k.example";
  world.variables["POD_NAMESPACE"] = "from-variable";
  world.files.write("service-account/namespace", "of-pod\n");
  world.files.write("service-account/token", "pod-token\n");
  CHECK(name_space("") == "default");
  CHECK(open_and_authenticate(world, by_key).name_space == "default");
  world.variables["KUBERNETES_SERVICE_HOST"] = "10.0.0.1";
  world.variables["KUBERNETES_SERVICE_PORT"] = "443";
  CHECK(name_space("") == "from-variable");
  world.variables.erase("POD_NAMESPACE");
  CHECK(name_space("") == "of-pod");
  CHECK(name_space(", namespace: ''") == "of-pod");
  CHECK(name_space("", "https://other.example") == "of-pod");
  CHECK(open_and_authenticate(world, by_key).name_space == "of-pod");
  CHECK(name_space(", namespace: default") == "default");
  CHECK(name_space(", namespace: shop") == "shop");
}

TEST_CASE("in a pod with a kubeconfig without current-context the service account is used, as by kubectl, and told") {
  World world;
  world.variables["KUBERNETES_SERVICE_HOST"] = "10.0.0.1";
  world.variables["KUBERNETES_SERVICE_PORT"] = "443";
  const std::string file = fixture("no-current-context.yaml");
  world.variables["KUBECONFIG"] = file;
  CHECK(has(message_of(world, {}), "has no current-context"));
  world.files.write("service-account/token", "pod-token\n");
  world.files.write("service-account/ca.crt", self_signed("pod-ca").certificate_pem);
  for (const ConnectionOptions& options : {ConnectionOptions{}, with_file(file)}) {
    world.logger.lines.clear();
    CHECK(open_and_authenticate(world, options).connection.server.text() == "https://10.0.0.1:443");
    const auto& lines = world.logger.lines;
    CHECK(std::any_of(lines.begin(), lines.end(), [&](const auto& line) {
      return has(line, "no-current-context.yaml has no current-context; the service account of the pod is used");
    }));
  }
  ConnectionOptions named = with_file(file);
  named.context = "gone";
  CHECK(has(message_of(world, named), "context \"gone\" does not exist"));
  world.variables["KUBECONFIG"] = fixture("missing-context.yaml");
  CHECK(has(message_of(world, {}), "context \"gone\" does not exist"));
}

namespace {

// The one line about where the connection comes from.
std::string line_about_connection(const World& world) {
  std::string found;
  for (std::size_t i = 0; i < world.logger.lines.size(); ++i) {
    if (!has(world.logger.lines[i], "connection from ")) continue;
    CHECK(found.empty());
    CHECK(world.logger.levels[i] == LogLevel::info);
    found = world.logger.lines[i];
  }
  return found;
}

}  // namespace

TEST_CASE("the log says where the connection comes from, which server and whose credentials, never those") {
  World world;
  ConnectionOptions options;
  SUBCASE("a kubeconfig") {
    const std::string config = world.files.write("config", R"(
current-context: here
contexts: [{name: here, context: {cluster: c, user: jane}}]
clusters: [{name: c, cluster: {server: "https://h:6443/prefix"}}]
users: [{name: jane, user: {token: hunter2, as: root}}]
)");
    world.variables["KUBECONFIG"] = "/nothing/there:" + config;
    REQUIRE(world.open(options).has_value());
    CHECK(line_about_connection(world) == "connection from kubeconfig " + config +
                                              ", context \"here\": server https://h:6443/prefix, credentials: token of "
                                              "user \"jane\" in " +
                                              config + ", impersonating \"root\"");
  }
  SUBCASE("keys") {
    options.server = "https://h";
    options.username = "jane";
    options.password = "hunter2";
    options.insecure_skip_tls_verify = true;
    REQUIRE(world.open(options).has_value());
    CHECK(line_about_connection(world) ==
          "connection from the configuration keys: server https://h:443, credentials: username \"jane\", certificates "
          "are not verified");
  }
  SUBCASE("a pod") {
    world.variables["KUBERNETES_SERVICE_HOST"] = "10.0.0.1";
    world.variables["KUBERNETES_SERVICE_PORT"] = "443";
    world.files.write("service-account/token", "hunter2\n");
    REQUIRE(world.open(options).has_value());
    CHECK(line_about_connection(world) ==
          "connection from the service account of the pod: server https://10.0.0.1:443, credentials: service account "
          "token");
  }
  for (const std::string& line : world.logger.lines) CHECK(!has(line, "hunter2"));
}

TEST_CASE("a proxy that is used is in the log without its credentials, with who named it") {
  World world;
  ConnectionOptions options;
  options.server = "https://h";
  world.variables["HTTPS_PROXY"] = "http://jane:hunter2@proxy.example:3128";
  REQUIRE(world.open(options).has_value());
  const auto& lines = world.logger.lines;
  const auto found = std::find(lines.begin(), lines.end(),
                               "environment variable HTTPS_PROXY: https://h:443 is reached through the proxy "
                               "http://proxy.example:3128");
  REQUIRE(found != lines.end());
  CHECK(world.logger.levels[static_cast<std::size_t>(found - lines.begin())] == LogLevel::notice);
  for (const std::string& line : lines) CHECK(!has(line, "hunter2"));
}

TEST_CASE("a CA in a pod that is there but cannot be used is an error, never another trust") {
  World world;
  world.variables["KUBERNETES_SERVICE_HOST"] = "10.0.0.1";
  world.variables["KUBERNETES_SERVICE_PORT"] = "443";
  world.files.write("service-account/token", "pod-token\n");
  const std::string path = world.files.path("service-account/ca.crt");
  for (const char* text : {"", "text", "-----BEGIN CERTIFICATE-----\nAAAA\n-----END CERTIFICATE-----\n"}) {
    world.files.write("service-account/ca.crt", text);
    CHECK(has(message_of(world, {}), "service account CA " + path + ": holds no certificate"));
  }
  std::filesystem::remove(path);
  std::filesystem::create_symlink("gone", path);
  CHECK(has(message_of(world, {}), "service account CA: cannot read " + path));
  std::filesystem::remove(path);
  std::filesystem::create_directory(path);
  CHECK(has(message_of(world, {}), "service account CA: cannot read " + path));
}

TEST_CASE("a pod without a CA trusts the system's and says so") {
  World world;
  world.variables["KUBERNETES_SERVICE_HOST"] = "10.0.0.1";
  world.variables["KUBERNETES_SERVICE_PORT"] = "443";
  world.variables["POD_NAMESPACE"] = "from-variable";
  world.files.write("service-account/token", "pod-token\n");
  const Opened opened = open_and_authenticate(world, {});
  CHECK(opened.connection.tls.ca_pem.empty());
  CHECK(opened.name_space == "from-variable");
  const auto& lines = world.logger.lines;
  CHECK(std::any_of(lines.begin(), lines.end(), [](const auto& line) { return has(line, "service account CA"); }));
}

namespace {

const std::string one_context =
    "contexts: [{name: c, context: {cluster: c, user: u}}]\ncurrent-context: c\n"
    "clusters: [{name: c, cluster: {server: 'https://h'}}]\n";

std::string authorization(World& world, const std::string& text) {
  const std::string path = world.files.write("config", text);
  return header(open_and_authenticate(world, with_file(path)).auth, "Authorization");
}

}  // namespace

// The right values are those of kubectl 1.32 on the same text (kubectl config view --raw).
TEST_CASE("merge keys are resolved as kubectl does") {
  World world;
  const std::string anchors = "x: &a {token: of-a, extra: 1}\ny: &b {token: of-b}\n";
  CHECK(authorization(world, anchors + one_context + "users: [{name: u, user: {<<: *a}}]") == "Bearer of-a");
  CHECK(authorization(world, anchors + one_context + "users: [{name: u, user: {<<: *a, token: own}}]") == "Bearer own");
  CHECK(authorization(world, anchors + one_context + "users: [{name: u, user: {token: own, <<: *a}}]") ==
        "Bearer of-a");
  CHECK(authorization(world, anchors + one_context + "users: [{name: u, user: {<<: [*a, *b]}}]") == "Bearer of-a");
  CHECK(authorization(world, anchors + one_context + "users: [{name: u, user: {<<: {token: inline}}}]") ==
        "Bearer inline");
  CHECK(authorization(world, anchors + one_context + "users: [{name: u, user: {<<: [], token: own}}]") == "Bearer own");
  CHECK(authorization(world, anchors + "z: &z {<<: *a}\n" + one_context + "users: [{name: u, user: {<<: *z}}]") ==
        "Bearer of-a");
  CHECK(authorization(world, "m: &m {users: [{name: u, user: {token: of-root}}]}\n<<: *m\n" + one_context) ==
        "Bearer of-root");
  CHECK(authorization(world, anchors + one_context + "users: [{name: u, user: {\"<<\": *a}}]").empty());
  for (const char* bad : {"<<: text", "<<: ~", "<<: [*a, text]", "<<: [[*a]]", "<<: *l"}) {
    CAPTURE(bad);
    const std::string path = world.files.write(
        "config", anchors + "l: &l [{token: t}]\n" + one_context + "users: [{name: u, user: {" + bad + "}}]");
    CHECK(has(message_of(world, with_file(path)), "has a merge key (<<) without a mapping at line"));
  }
}

TEST_CASE("scalars have the types and tags that kubectl sees") {
  World world;
  const auto token = [&](const std::string& value) {
    return authorization(world, one_context + "users: [{name: u, user: {token: " + value + "}}]");
  };
  CHECK(token("!!str 123") == "Bearer 123");
  CHECK(token("!foo 123") == "Bearer 123");
  CHECK(token("!!binary aGVsbG8=") == "Bearer hello");
  CHECK(token("'123'") == "Bearer 123");
  CHECK(token("2020-01-01") == "Bearer 2020-01-01");
  CHECK(token("1234e5678") == "Bearer 1234e5678");
  CHECK(token("1:30") == "Bearer 1:30");
  CHECK(token("-") == "Bearer -");
  CHECK(token("~").empty());
  for (const char* bad : {"123", "0x1F", "0o17", "09", "0b11", "1_000", "+12", "1.5", "1e5", ".inf", "true", "yes", "n",
                          "123456789012345678901234567890", "!!int 123"}) {
    CAPTURE(bad);
    const std::string path =
        world.files.write("config", one_context + "users: [{name: u, user: {token: " + bad + "}}]");
    CHECK(has(message_of(world, with_file(path)), "users[0] \"u\": token: expected a string"));
  }
  for (const char* bad : {"!!float abc", "!!binary '***'", "!!bool 7", "!!null x", "[a]", "{a: b}"}) {
    CAPTURE(bad);
    const std::string path =
        world.files.write("config", one_context + "users: [{name: u, user: {token: " + bad + "}}]");
    CHECK(has(message_of(world, with_file(path)), path));
  }
}

TEST_CASE("what kubectl reads without a word otherwise than it may be meant is in the log") {
  const std::string user = one_context + "users: [{name: u, user: {token: abc}}]\n";
  const std::pair<std::string, const char*> cases[] = {
      {user + "---\nusers: [{name: u, user: {token: other}}]\n", "more than one document; the first is used"},
      {user + "...\n---\nfoo: [\n", "more than one document; the first is used"},
      {one_context + "users: [{name: u, user: {token: x, token: abc}}]\n", "a key occurs twice; the last one is used"},
      {one_context + "users: [{name: u, user: !foo {token: !bar abc}}]\n", "a tag is ignored"}};
  for (const auto& [text, note] : cases) {
    World world;
    CHECK(authorization(world, text) == "Bearer abc");
    REQUIRE_FALSE(world.logger.lines.empty());
    CHECK(has(world.logger.lines[0], note));
    CHECK(world.logger.levels[0] == LogLevel::notice);
  }
  World world;
  CHECK(authorization(world, "\xef\xbb\xbf---\n" + user + "...\n") == "Bearer abc");
  for (const LogLevel level : world.logger.levels) CHECK(level > LogLevel::notice);
}

TEST_CASE("a kubeconfig is bounded in size, values and depth") {
  World world;
  std::string scalars = one_context + "x:\n";
  while (scalars.size() < (4u << 20)) scalars += "- a\n";
  std::string bombs = one_context + "a0: &a0 {k: v}\n";
  for (int i = 1; i < 20'000; ++i) {
    const std::string n = std::to_string(i);
    bombs += "a" + n + ": &a" + n + " {<<: *a" + std::to_string(i - 1) + ", k" + n + ": v}\n";
  }
  const std::string deep = "x: " + std::string(490, '[') + std::string(490, ']') + "\n" + one_context;
  const std::pair<std::string, const char*> cases[] = {
      {std::string((8u << 20) + 1, '#'), "is larger than 8388608 bytes"},
      {scalars, "has too many values"},
      {bombs, "has too many values"},
      {deep, "is nested too deep"},
      {"a: &a [*a]\n" + one_context, "has an anchor that contains itself"}};
  for (const auto& [text, reason] : cases) {
    const std::string path = world.files.write("config", text);
    const std::string message = message_of(world, with_file(path));
    CAPTURE(message);
    // A slow machine comes to the limit of time first.
    CHECK((has(message, reason) || has(message, "takes too long to read")));
  }
}

TEST_CASE(
    "KUBECONFIG may name /dev/null, empty parts, missing files and a pipe, and says which where there is nothing") {
  World world;
  const std::string file = fixture("simple.yaml");
  for (const std::string& list : {"/dev/null:" + file, "::" + file + ":", "/nope:" + file, file + ":/dev/null"}) {
    CAPTURE(list);
    world.variables["KUBECONFIG"] = list;
    CHECK(open_and_authenticate(world, {}).connection.server.text() == "https://dev.example:6443");
  }
  world.variables["KUBECONFIG"] = "/nope:/dev/null";
  CHECK(has(message_of(world, {}),
            "server: is not set, and there is no kubeconfig (KUBECONFIG: /nope does not exist, /dev/null is empty)"));
  ConnectionOptions with_context;
  with_context.context = "c";
  CHECK(has(message_of(world, with_context), "KUBECONFIG: /nope does not exist"));
  world.variables["KUBECONFIG"] = world.files.path("");
  CHECK(has(message_of(world, {}), "it is not a regular file, a pipe or /dev/null"));
  world.variables["KUBECONFIG"] = file + "/x:" + file;
  CHECK(has(message_of(world, {}), "cannot read " + file + "/x: Not a directory"));
  world.variables.erase("KUBECONFIG");
  CHECK(has(message_of(world, {}), "(~/.kube/config: " + world.files.path("home") + "/.kube/config does not exist)"));
}

TEST_CASE("a pipe is read once for all that are opened") {
  World world;
  int ends[2];
  REQUIRE(::pipe(ends) == 0);
  const std::string text = one_context + "users: [{name: u, user: {token: of-pipe}}]\n";
  REQUIRE(::write(ends[1], text.data(), text.size()) == static_cast<ssize_t>(text.size()));
  ::close(ends[1]);
  world.variables["KUBECONFIG"] = "/dev/fd/" + std::to_string(ends[0]);
  for (int i = 0; i < 3; ++i) CHECK(header(open_and_authenticate(world, {}).auth, "Authorization") == "Bearer of-pipe");
  ::close(ends[0]);
}

TEST_CASE("a named pipe is read once for each opening, and again for the next one") {
  World world;
  const std::string pipe = make_named_pipe(world, "config");
  for (const char* token : {"first", "second"}) {
    Writer writer(pipe, one_context + "users: [{name: u, user: {token: " + token + "}}]\n");
    std::string name_space;
    const auto access = world.open(with_file(pipe), &name_space);
    REQUIRE(access.has_value());
    const auto auth = world.authenticate(**access);
    REQUIRE(auth);
    REQUIRE(auth->has_value());
    CHECK(header(**auth, "Authorization") == std::string("Bearer ") + token);
    CHECK(name_space == "default");
  }
}

TEST_CASE("a named pipe whose writer has closed before it is opened is read to its end") {
  World world;
  const std::string pipe = make_named_pipe(world, "config");
  const int keeps_content = ::open(pipe.c_str(), O_RDONLY | O_CLOEXEC | O_NONBLOCK);
  REQUIRE(keeps_content >= 0);
  { std::ofstream(pipe, std::ios::binary) << "written"; }
  CHECK(pipe_content(pipe) == "written");
  ::close(keeps_content);
}

TEST_CASE("a pipe that is not written yet delays no other pipe") {
  World world;
  const std::string slow = make_named_pipe(world, "slow");
  const std::string quick = make_named_pipe(world, "quick");
  std::atomic<bool> slow_is_read{false};
  std::thread waits([&] {
    const std::string content = pipe_content(slow);
    slow_is_read = true;
    CHECK(content == "slow");
  });
  // It has the read end open from here on.
  const int to_slow = ::open(slow.c_str(), O_WRONLY | O_CLOEXEC);
  REQUIRE(to_slow >= 0);
  {
    Writer writer(quick, "quick");
    CHECK(pipe_content(quick) == "quick");
  }
  CHECK_FALSE(slow_is_read);
  CHECK(::write(to_slow, "slow", 4) == 4);
  ::close(to_slow);
  waits.join();
}

TEST_CASE("readers of one anonymous pipe take turns, and all have what it held") {
  int ends[2];
  REQUIRE(::pipe2(ends, O_CLOEXEC) == 0);
  const std::string path = "/dev/fd/" + std::to_string(ends[0]);
  std::vector<std::thread> readers;
  std::atomic<int> whole{0};
  for (int i = 0; i < 4; ++i) {
    readers.emplace_back([&] {
      if (pipe_content(path) == "one two") ++whole;
    });
  }
  CHECK(::write(ends[1], "one ", 4) == 4);
  CHECK(::write(ends[1], "two", 3) == 3);
  ::close(ends[1]);
  for (std::thread& reader : readers) reader.join();
  ::close(ends[0]);
  CHECK(whole == 4);
}

TEST_CASE("the id-token of a kubeconfig that is a pipe is kept: there is nothing to read again") {
  World world;
  const auto expiry =
      std::chrono::duration_cast<std::chrono::seconds>(world.wall.time_since_epoch()) + std::chrono::seconds(300);
  const std::string token = base64url_encode(R"({"alg":"none"})") + "." +
                            base64url_encode("{\"exp\":" + std::to_string(expiry.count()) + "}") + ".c2ln";
  const std::string pipe = make_named_pipe(world, "config");
  Writer writer(pipe, one_context + "users: [{name: u, user: {auth-provider: {name: oidc, config: {id-token: " + token +
                          "}}}}]\n");
  const auto access = world.open(with_file(pipe));
  REQUIRE(access.has_value());
  const auto auth = world.authenticate(**access);
  REQUIRE(auth);
  REQUIRE(auth->has_value());
  CHECK(header(**auth, "Authorization") == "Bearer " + token);
}

TEST_CASE(
    "the id-token of auth-provider oidc is taken while it is valid, and read again when kubectl has refreshed it") {
  World world;
  const auto config = [&](std::chrono::seconds life) {
    const auto expiry = std::chrono::duration_cast<std::chrono::seconds>(world.wall.time_since_epoch()) + life;
    const std::string token = base64url_encode(R"({"alg":"none"})") + "." +
                              base64url_encode("{\"exp\":" + std::to_string(expiry.count()) + "}") + ".c2ln";
    world.files.write(
        "config", one_context +
                      "users: [{name: u, user: {auth-provider: {name: oidc, config: {client-id: x, id-token: " + token +
                      ", refresh-token: hunter2}}}}]\n");
    return "Bearer " + token;
  };
  const std::string first = config(std::chrono::seconds(300));
  const ConnectionOptions options = with_file(world.files.path("config"));
  const auto access = world.open(options);
  REQUIRE(access.has_value());
  const auto authorization_now = [&] {
    const auto auth = world.authenticate(**access);
    REQUIRE(auth);
    if (const Error* error = auth->if_error()) return error->message;
    return header(**auth, "Authorization");
  };
  CHECK(authorization_now() == first);
  world.pass(Milliseconds(280'000));
  CHECK(authorization_now() == first);
  world.pass(Milliseconds(15'000));
  const std::string expired = authorization_now();
  CHECK(has(expired,
            "auth-provider of user \"u\" in " + world.files.path("config") + ": has an id-token that has expired"));
  CHECK(has(expired, "an exec plugin"));
  CHECK(!has(expired, "hunter2"));
  CHECK(message_of(world, options) == expired);
  const std::string second = config(std::chrono::seconds(300));
  world.pass(Milliseconds(1'000));
  CHECK(authorization_now() == second);

  for (const char* token : {"a.b.c", "text", "''", "e30.e30.e30"}) {
    world.files.write(
        "config",
        one_context + "users: [{name: u, user: {auth-provider: {name: oidc, config: {id-token: " + token + "}}}}]\n");
    CHECK(has(message_of(world, options), "to refresh it with; expected one that kubectl"));
  }
}

// k8s.io/client-go/rest/transport.go: the auth-provider wraps whatever transport the TLS settings make.
TEST_CASE("beside a client certificate of the user or by key the id-token of auth-provider oidc is sent too") {
  World world;
  const auto expiry =
      std::chrono::duration_cast<std::chrono::seconds>(world.wall.time_since_epoch()) + std::chrono::seconds(300);
  const std::string token = base64url_encode(R"({"alg":"none"})") + "." +
                            base64url_encode("{\"exp\":" + std::to_string(expiry.count()) + "}") + ".c2ln";
  const CertificateAndKey client = shared_authority().client("jane");
  const auto write = [&](const std::string& more) {
    return world.files.write("config", one_context + "users: [{name: u, user: {" + more +
                                           "auth-provider: {name: oidc, config: {id-token: " + token + "}}}}]\n");
  };
  const auto check_both = [&](const ConnectionOptions& options) {
    const Opened opened = open_and_authenticate(world, options);
    CHECK(header(opened.auth, "Authorization") == "Bearer " + token);
    CHECK(opened.connection.tls.client_certificate_pem == client.certificate_pem);
    CHECK(opened.connection.tls.client_key_pem == client.key_pem);
  };
  check_both(with_file(write("client-certificate-data: " + base64_encode(client.certificate_pem) +
                             ", client-key-data: " + base64_encode(client.key_pem) + ", ")));
  ConnectionOptions keys = with_file(write(""));
  keys.client_cert_data = client.certificate_pem;
  keys.client_key_data = client.key_pem;
  check_both(keys);
  // Another token takes its place, as that of a flag does.
  keys.token = "of-the-key";
  CHECK(header(open_and_authenticate(world, keys).auth, "Authorization") == "Bearer of-the-key");
}
