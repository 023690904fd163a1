// What ksr_open refuses and what it makes of the keys that describe a connection by themselves.
#include <doctest/doctest.h>
#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <fstream>
#include <functional>

#include "base/base64.hpp"
#include "support/certificates.hpp"
#include "unit/cluster/fakes.hpp"

using namespace ksr;
using namespace ksr::cluster;
using namespace ksr::cluster::testing;
using namespace ksr::testing;

namespace {

ConnectionOptions to(const std::string& server) {
  ConnectionOptions options;
  options.server = server;
  return options;
}

// The error, which names `key` first, is of one line, and does not hold `secret`.
void check_refused(World& world, const ConnectionOptions& options, const std::string& key,
                   const std::string& secret = "hunter2") {
  CAPTURE(key);
  const auto access = world.open(options);
  REQUIRE(!access.has_value());
  CAPTURE(access.error().message);
  CHECK(access.error().status == Status::invalid);
  CHECK(access.error().message.find(key) == 0);
  CHECK(access.error().message.find('\n') == std::string::npos);
  CHECK(access.error().message.find(secret) == std::string::npos);
}

}  // namespace

TEST_CASE("a token goes into every request, with the library's own user agent") {
  World world;
  ConnectionOptions options = to("https://127.0.0.1:6443/prefix");
  options.token = "t0ken";
  options.headers = {{"X-Team", "blue"}};
  const auto access = world.open(options);
  REQUIRE(access.has_value());
  CHECK((*access)->server() == "https://127.0.0.1:6443");
  CHECK(world.transport.connects.empty());

  const auto auth = world.authenticate(**access);
  REQUIRE(auth);
  REQUIRE(auth->has_value());
  CHECK(header(**auth, "Authorization") == "Bearer t0ken");
  CHECK(header(**auth, "User-Agent") == "libksr/" KSR_VERSION_STRING);
  CHECK(header(**auth, "X-Team") == "blue");
  REQUIRE(world.transport.connects.size() == 1);
  CHECK(world.transport.connects[0].server.text() == "https://127.0.0.1:6443/prefix");
  CHECK(world.transport.connects[0].tls.ca_pem.empty());
}

TEST_CASE("user name and password become basic authentication") {
  World world;
  ConnectionOptions options = to("https://h");
  options.username = "jane";
  options.password = "pass:word";
  options.user_agent = "mine/1";
  const auto access = world.open(options);
  REQUIRE(access.has_value());
  const auto auth = world.authenticate(**access);
  REQUIRE((auth && auth->has_value()));
  CHECK(header(**auth, "Authorization") == "Basic " + base64_encode("jane:pass:word"));
  CHECK(header(**auth, "User-Agent") == "mine/1");
}

TEST_CASE("a credential given by key and sent without TLS is in a warning, without its value") {
  const auto warned = [](const std::string& server, const std::function<void(ConnectionOptions&, World&)>& set) {
    World world;
    ConnectionOptions options = to(server);
    set(options, world);
    const auto access = world.open(options);
    REQUIRE(access.has_value());
    for (const std::string& line : world.logger.lines) CHECK(line.find("hunter2") == std::string::npos);
    return clear_text_warnings(world.logger).size();
  };
  const auto token = [](ConnectionOptions& options, World&) { options.token = "hunter2"; };
  const auto token_file = [](ConnectionOptions& options, World& world) {
    options.token_file = world.files.write("token", "hunter2");
  };
  const auto password = [](ConnectionOptions& options, World&) { options.password = "hunter2"; };
  const auto header_of = [](const char* name, const char* value) {
    return [name, value](ConnectionOptions& options, World&) { options.headers = {{name, value}}; };
  };
  for (const std::function<void(ConnectionOptions&, World&)>& set :
       std::vector<std::function<void(ConnectionOptions&, World&)>>{
           token, token_file, password, header_of("cookie", "hunter2"), header_of("X-Auth-Request", "hunter2"),
           header_of("X-Api-Key", "hunter2"), header_of("X-Forwarded-Access-Token", "hunter2"),
           header_of("X-Other", "Bearer hunter2")}) {
    CHECK(warned("http://h", set) == 1);
    CHECK(warned("HTTP://127.0.0.1.example", set) == 1);
    CHECK(warned("https://h", set) == 0);
    for (const char* loopback : {"http://localhost", "http://127.0.0.9:1", "http://[::1]:1"}) {
      CHECK(warned(loopback, set) == 0);
    }
  }
  // A proxy carries it over the network whatever the server is called.
  CHECK(warned("http://127.0.0.1:1", [](ConnectionOptions& options, World&) {
          options.token = "hunter2";
          options.proxy_url = "http://proxy:3128";
        }) == 1);
  CHECK(warned("http://h", [](ConnectionOptions& options, World&) {
          options.impersonate_user = "jane";
          options.headers = {{"X-Team", "blue"}};
        }) == 0);
}

TEST_CASE("impersonation is spelled out in headers") {
  World world;
  ConnectionOptions options = to("https://h");
  options.impersonate_user = "jane";
  options.impersonate_uid = "u-1";
  options.impersonate_groups = {"dev", "ops"};
  options.impersonate_extra = {{"example.com/Scopes", "a"}, {"x", "b"}, {"x", "c"}};
  const auto access = world.open(options);
  REQUIRE(access.has_value());
  const auto auth = world.authenticate(**access);
  REQUIRE((auth && auth->has_value()));
  const std::vector<transport::Header> expected = {
      {"User-Agent", "libksr/" KSR_VERSION_STRING},
      {"Impersonate-User", "jane"},
      {"Impersonate-Uid", "u-1"},
      {"Impersonate-Group", "dev"},
      {"Impersonate-Group", "ops"},
      {"Impersonate-Extra-example.com%2Fscopes", "a"},
      {"Impersonate-Extra-x", "b"},
      {"Impersonate-Extra-x", "c"},
  };
  CHECK((*auth)->headers == expected);
  CHECK(header(**auth, "Authorization").empty());
}

TEST_CASE("certificates come from data, from base64 of data and from files") {
  World world;
  const CertificateAndKey ca = self_signed("ca"), client = self_signed("jane");
  ConnectionOptions options = to("https://h");
  options.ca_data = base64_encode(ca.certificate_pem);
  options.client_cert_data = client.certificate_pem;
  options.client_key_file = world.files.write("client.key", client.key_pem);
  options.tls_server_name = "kubernetes";
  options.connect_timeout = Milliseconds(1234);
  options.proxy_url = "http://u:p@proxy:3128";
  const auto access = world.open(options);
  REQUIRE(access.has_value());
  const auto auth = world.authenticate(**access);
  REQUIRE((auth && auth->has_value()));
  REQUIRE(world.transport.connects.size() == 1);
  const auto& connection = world.transport.connects[0];
  CHECK(connection.tls.ca_pem == ca.certificate_pem);
  CHECK(connection.tls.client_certificate_pem == client.certificate_pem);
  CHECK(connection.tls.client_key_pem == client.key_pem);
  CHECK(connection.tls.server_name == "kubernetes");
  CHECK(!connection.tls.skip_verify);
  CHECK(connection.proxy->text() == "http://proxy:3128");
  CHECK(connection.proxy->userinfo == "u:p");
  CHECK(connection.connect_timeout == Milliseconds(1234));
}

// As with <(command) of a shell.
TEST_CASE("a CA, a client certificate, its key and a token may be pipes, and what is read once is no other's later") {
  World world;
  const CertificateAndKey ca = self_signed("ca"), client = self_signed("jane"), other = self_signed("joe");
  std::vector<int> open_ends;
  const auto pipe_of = [&](const std::string& text) {
    int ends[2];
    REQUIRE(::pipe(ends) == 0);
    REQUIRE(::write(ends[1], text.data(), text.size()) == static_cast<ssize_t>(text.size()));
    ::close(ends[1]);
    open_ends.push_back(ends[0]);
    return "/dev/fd/" + std::to_string(ends[0]);
  };
  ConnectionOptions options = to("https://h");
  options.ca_file = pipe_of(ca.certificate_pem);
  options.client_cert_file = pipe_of(client.certificate_pem);
  options.client_key_file = pipe_of(client.key_pem);
  options.token_file = pipe_of("alice\n");
  const auto first = world.open(options);
  REQUIRE_MESSAGE(first.has_value(), (first ? "" : first.error().message));
  // Each opening has what it held.
  const auto again = world.open(options);
  REQUIRE(again.has_value());
  CHECK(*again == *first);
  for (const int end : open_ends) ::close(end);
  // Nothing is read again.
  world.pass(Milliseconds(600'000));
  const auto auth = world.authenticate(**first);
  REQUIRE((auth && auth->has_value()));
  CHECK(header(**auth, "Authorization") == "Bearer alice");
  const transport::TlsSettings& tls = world.transport.connects.back().tls;
  CHECK(tls.ca_pem == ca.certificate_pem);
  CHECK(tls.client_certificate_pem == client.certificate_pem);
  CHECK(tls.client_key_pem == client.key_pem);

  // The same descriptors, other pipes: the numbers are the lowest that are free.
  open_ends.clear();
  ConnectionOptions others = to("https://h");
  others.ca_file = pipe_of(ca.certificate_pem);
  others.client_cert_file = pipe_of(other.certificate_pem);
  others.client_key_file = pipe_of(other.key_pem);
  others.token_file = pipe_of("bob\n");
  REQUIRE(others.token_file == options.token_file);
  const auto second = world.open(others);
  for (const int end : open_ends) ::close(end);
  REQUIRE(second.has_value());
  CHECK(*second != *first);
  const auto other_auth = world.authenticate(**second);
  REQUIRE((other_auth && other_auth->has_value()));
  CHECK(header(**other_auth, "Authorization") == "Bearer bob");

  // Regular files as well.
  ConnectionOptions by_descriptor = to("https://h");
  std::vector<std::shared_ptr<Access>> opened;
  for (const char* token : {"carol", "dave"}) {
    const std::string file = world.files.write(token, token);
    const int descriptor = ::open(file.c_str(), O_RDONLY | O_CLOEXEC);
    by_descriptor.token_file = "/proc/self/fd/" + std::to_string(descriptor);
    const auto access = world.open(by_descriptor);
    ::close(descriptor);
    REQUIRE(access.has_value());
    world.pass(Milliseconds(120'000));
    const auto authenticated = world.authenticate(**access);
    REQUIRE((authenticated && authenticated->has_value()));
    CHECK(header(**authenticated, "Authorization") == std::string("Bearer ") + token);
    opened.push_back(*access);
  }
  CHECK(opened[0] != opened[1]);

  ConnectionOptions named = to("https://h");
  named.token_file = world.files.path("fifo");
  REQUIRE(::mkfifo(named.token_file.c_str(), 0600) == 0);
  const int keeps_content = ::open(named.token_file.c_str(), O_RDONLY | O_CLOEXEC | O_NONBLOCK);
  { std::ofstream(named.token_file, std::ios::binary) << "eve"; }
  const auto by_name = world.open(named);
  ::close(keeps_content);
  REQUIRE(by_name.has_value());
  const auto auth_by_name = world.authenticate(**by_name);
  REQUIRE((auth_by_name && auth_by_name->has_value()));
  CHECK(header(**auth_by_name, "Authorization") == "Bearer eve");
}

TEST_CASE("data takes precedence over the file, which is not read") {
  World world;
  const CertificateAndKey ca = self_signed("ca");
  ConnectionOptions options = to("https://h");
  options.ca_data = ca.certificate_pem;
  options.ca_file = "/no/such/file";
  CHECK(world.open(options).has_value());
}

TEST_CASE("insecure is passed on") {
  World world;
  ConnectionOptions options = to("https://h");
  options.insecure_skip_tls_verify = true;
  const auto access = world.open(options);
  REQUIRE(access.has_value());
  world.authenticate(**access);
  REQUIRE(world.transport.connects.size() == 1);
  CHECK(world.transport.connects[0].tls.skip_verify);
}

TEST_CASE("files that are missing, irregular, too large or not PEM are refused by key and path") {
  World world;
  const CertificateAndKey client = self_signed("jane"), other = self_signed("joe");
  ConnectionOptions options = to("https://h");
  options.ca_file = "/no/such/ca.crt";
  check_refused(world, options, "ca_file: cannot read /no/such/ca.crt: No such file");
  options.ca_file = world.files.path("");
  check_refused(world, options, "ca_file: cannot read");
  options.ca_file = "/dev/null";
  check_refused(world, options, "ca_file: cannot read /dev/null: it is not a regular file or a pipe");
  options.ca_file = world.files.write("large", std::string((1u << 20) + 1, 'x'));
  check_refused(world, options, "ca_file: cannot read " + options.ca_file + ": it is larger");
  options.ca_file = world.files.write("text", "hunter2\n");
  check_refused(world, options, "ca_file " + options.ca_file + ": holds no certificate");
  options.ca_file = world.files.write("half", client.certificate_pem.substr(0, 200) + "\n-----END CERTIFICATE-----\n");
  check_refused(world, options, "ca_file " + options.ca_file + ": holds no certificate that parses");
  options.ca_file = world.files.write("empty-ca", "");
  check_refused(world, options, "ca_file " + options.ca_file + ": holds no certificate");
  options.ca_file = "";
  options.ca_data = "hunter2";
  check_refused(world, options, "ca_data: is neither PEM nor base64 of PEM");

  ConnectionOptions keys = to("https://h");
  keys.client_cert_data = client.certificate_pem;
  check_refused(world, keys, "client_cert_data: the key of the certificate is missing");
  keys.client_key_data = client.certificate_pem;
  check_refused(world, keys, "client_key_data: holds no private key");
  keys.client_key_data = other.key_pem;
  check_refused(world, keys, "client_key_data: is not the key of the client certificate");
  keys.client_cert_data = "";
  check_refused(world, keys, "client_key_data: the certificate of the key is missing");
}

TEST_CASE("a path in an error is one line") {
  World world;
  ConnectionOptions options;
  options.server = "https://h";
  options.token_file = "/no/such\nfile\x1b";
  const auto opened = world.open(options);
  REQUIRE(!opened.has_value());
  CHECK(opened.error().message.find("token_file: cannot read /no/such file?: ") == 0);
}

TEST_CASE("contradictions and impossible values are refused by key") {
  World world;
  const CertificateAndKey ca = self_signed("ca");
  ConnectionOptions insecure = to("https://h");
  insecure.insecure_skip_tls_verify = true;
  insecure.ca_data = ca.certificate_pem;
  check_refused(world, insecure, "insecure_skip_tls_verify: contradicts ca_data");

  check_refused(world, to("ftp://h"), "server: has the scheme");
  check_refused(world, to("127.0.0.1:18777"), "server: has no scheme; expected https://HOST:PORT or http://HOST:PORT");
  for (const char* never : {"https://[1:2]", "https://h/%zz", "https://h:0"})
    check_refused(world, to(never), "server: ");
  check_refused(world, to("https://" + std::string(60, 'a') + std::string(200, '.') + "b"), "server: ");
  check_refused(world, to("https://u:hunter2@h"), "server: has a user name");

  ConnectionOptions token = to("https://h");
  token.token = "hunter2\r\nX-Evil: 1";
  check_refused(world, token, "token: holds control characters");
  token.token = "";
  token.token_file = world.files.write("token", "hunter2\nhunter2\n");
  check_refused(world, token, "token_file: " + token.token_file + " holds control characters");
  token.token_file = world.files.write("empty", " \n");
  check_refused(world, token, "token_file: " + token.token_file + " is empty");
  token.token_file = "/no/such/token";
  check_refused(world, token, "token_file: cannot read /no/such/token");

  ConnectionOptions both = to("https://h");
  both.token = "hunter2";
  both.username = "jane";
  check_refused(world, both, "username: contradicts token");
  both.token = "";
  both.username = "ja:ne";
  check_refused(world, both, "username: holds a colon");
  both.username = "jane";
  both.password = "hunter2\n";
  check_refused(world, both, "password: holds control characters");

  for (const char* name : {"Authorization",
                           "HOST",
                           "Sec-WebSocket-Key",
                           "Impersonate-User",
                           "user-agent",
                           "Proxy-Authorization",
                           "Proxy-Connection",
                           "Expect",
                           "keep-alive",
                           "Connection",
                           "TE",
                           "Trailer",
                           "Transfer-Encoding",
                           "Upgrade",
                           "Content-Length",
                           "Content-Type",
                           "Origin",
                           "Accept",
                           "Accept-Encoding",
                           "bad name",
                           "x:y",
                           ""}) {
    ConnectionOptions header = to("https://h");
    header.headers = {{name, "hunter2"}};
    check_refused(world, header, "header.");
  }
  ConnectionOptions split = to("https://h");
  split.headers = {{"X-A", "a\r\nX-B: hunter2"}};
  check_refused(world, split, "header.X-A: holds control characters");
  ConnectionOptions agent = to("https://h");
  agent.user_agent = "a\nb";
  check_refused(world, agent, "user_agent: ");
  ConnectionOptions groups = to("https://h");
  groups.impersonate_groups = {"dev"};
  check_refused(world, groups, "impersonate_user: is not set");
  ConnectionOptions extra = to("https://h");
  extra.impersonate_user = "jane";
  extra.impersonate_extra = {{"sco\ape\n", "a\nb"}};
  check_refused(world, extra, "impersonate_extra.sco?pe: holds control characters");
  ConnectionOptions proxy = to("https://h");
  proxy.proxy_url = "socks5://u:hunter2@p:1080";
  check_refused(world, proxy, "proxy_url: has the scheme \"socks5\", which is not supported");
  ConnectionOptions name = to("https://h");
  for (const char* bad : {"a b", "fe80::1%lo", "*", "*.example.test", ".example.test", "a..b", "example.test.."}) {
    CAPTURE(bad);
    name.tls_server_name = bad;
    check_refused(world, name, "tls_server_name: ");
  }
  name.tls_server_name = "example.test.";
  CHECK(world.open(name).has_value());
}

TEST_CASE("settings that the transport refuses are the answer, and no later request is stuck") {
  World world;
  world.transport.refusal = Error{Status::tls, "no such cipher"};
  const auto access = world.open(to("https://h:1"));
  REQUIRE(access.has_value());
  const auto refused = world.authenticate(**access);
  REQUIRE((refused && !refused->has_value()));
  CHECK(refused->error().message == "connection to https://h:1: no such cipher");
  world.transport.refusal.reset();
  const auto granted = world.authenticate(**access);
  REQUIRE((granted && granted->has_value()));
}

TEST_CASE("half a pair of certificate and key is ignored beside another credential, and the log says so") {
  const CertificateAndKey client = self_signed("jane");
  const auto opened = [](const std::function<void(ConnectionOptions&)>& set) {
    World world;
    ConnectionOptions options = to("https://h");
    set(options);
    const auto access = world.open(options);
    REQUIRE(access.has_value());
    const auto auth = world.authenticate(**access);
    REQUIRE((auth && auth->has_value()));
    CHECK(world.transport.connects.back().tls.client_certificate_pem.empty());
    CHECK(world.transport.connects.back().tls.client_key_pem.empty());
    const auto& levels = world.logger.levels;
    const auto noticed = std::find(levels.begin(), levels.end(), LogLevel::notice);
    REQUIRE(noticed != levels.end());
    CHECK(std::count(levels.begin(), levels.end(), LogLevel::notice) == 1);
    const std::string& line = world.logger.lines[static_cast<std::size_t>(noticed - levels.begin())];
    CHECK(line.find("is missing; it is ignored") != std::string::npos);
    return header(**auth, "Authorization");
  };
  CHECK(opened([&](ConnectionOptions& options) {
          options.token = "t";
          options.client_key_data = client.key_pem;
        }) == "Bearer t");
  CHECK(opened([&](ConnectionOptions& options) {
          options.token = "t";
          options.client_cert_file = "/no/such/file";
        }) == "Bearer t");
  CHECK(opened([&](ConnectionOptions& options) {
          options.username = "jane";
          options.password = "p";
          options.client_key_data = client.key_pem;
        }) == "Basic " + base64_encode("jane:p"));
}

TEST_CASE("a secret in the place of another value is not repeated") {
  World world;
  const std::string token = "eyJhbGciOiJSUzI1NiJ9.eyJzdWIiOiJqYW5lIn0.hunter2AAAAAAAAAAAAAAA";
  const std::string no_jwt = "Ab1hunter2Ab1hunter2Ab1hunter2";
  for (const std::string& secret : {token, no_jwt}) {
    for (std::string ConnectionOptions::*member :
         {&ConnectionOptions::server, &ConnectionOptions::token_file, &ConnectionOptions::ca_file,
          &ConnectionOptions::ca_data, &ConnectionOptions::kubeconfig, &ConnectionOptions::context,
          &ConnectionOptions::client_cert_file, &ConnectionOptions::proxy_url}) {
      ConnectionOptions options = to("https://h");
      options.*member = secret;
      options.client_key_file = options.client_cert_file;
      const auto access = world.open(options);
      REQUIRE(!access.has_value());
      CAPTURE(access.error().message);
      CHECK(access.error().message.find("hunter2") == std::string::npos);
    }
  }
  ConnectionOptions line = to("https://h");
  line.headers = {{"X-Token: hunter2", "x"}};
  check_refused(world, line, "header.NAME: is not a valid header name");
  line.headers.clear();
  line.tls_server_name = "hunter2 hunter2";
  check_refused(world, line, "tls_server_name: is not a valid host name");
}

TEST_CASE("the secrets of a connection are known to what reports its errors") {
  World world;
  const CertificateAndKey client = self_signed("jane");
  ConnectionOptions options = to("https://h");
  options.username = "jane";
  options.password = "hunter2";
  options.client_cert_data = client.certificate_pem;
  options.client_key_data = client.key_pem;
  options.proxy_url = "http://u:pr%40xy-pass@proxy:3128";
  options.headers = {{"X-Api-Key", "key-of-gateway"}, {"X-Team", "blue-team"}};
  const auto access = world.open(options);
  REQUIRE(access.has_value());
  const auto secrets = (*access)->secrets();
  const std::string key_line = client.key_pem.substr(client.key_pem.find('\n') + 1, 40);
  for (const std::string& secret : {std::string("hunter2"), base64_encode("jane:hunter2"), std::string("pr@xy-pass"),
                                    base64_encode("u:pr@xy-pass"), std::string("key-of-gateway"), key_line}) {
    CHECK(secrets->blanked("<" + secret + ">") == "<***>");
  }
  CHECK(secrets->blanked("blue-team") == "blue-team");

  ConnectionOptions file = to("https://h");
  file.token_file = world.files.write("token", "first-token");
  const auto rotating = world.open(file);
  REQUIRE(rotating.has_value());
  world.files.write("token", "second-token");
  world.pass(Milliseconds(60'000));
  world.authenticate(**rotating);
  CHECK((*rotating)->secrets()->blanked("first-token second-token") == "*** ***");
}

TEST_CASE("a token file may begin with a byte order mark") {
  World world;
  ConnectionOptions options = to("https://h");
  options.token_file = world.files.write("token", "\xef\xbb\xbft0ken\r\n");
  const auto access = world.open(options);
  REQUIRE(access.has_value());
  const auto auth = world.authenticate(**access);
  REQUIRE((auth && auth->has_value()));
  CHECK(header(**auth, "Authorization") == "Bearer t0ken");
}
