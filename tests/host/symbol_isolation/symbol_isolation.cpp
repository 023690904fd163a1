// A host with its own cpprestsdk, Boost and OpenSSL, all in use while libksr is: neither binds to the other's symbols.
#include <cpprest/http_client.h>
#include <openssl/evp.h>
#include <openssl/ssl.h>

#include <boost/asio.hpp>
#include <boost/version.hpp>
#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <string>
#include <thread>

#include "ksr.h"

#define CHECK(condition)                                                           \
  do {                                                                             \
    if (!(condition)) {                                                            \
      std::fprintf(stderr, "%s:%d: failed: %s\n", __FILE__, __LINE__, #condition); \
      std::exit(1);                                                                \
    }                                                                              \
  } while (0)

namespace {

std::string env(const char* name) {
  const char* value = std::getenv(name);
  CHECK(value != nullptr);
  return value;
}

web::http::client::http_client own_client(const std::string& server) {
  web::http::client::http_client_config config;
  config.set_ssl_context_callback(
      [](boost::asio::ssl::context& context) { context.load_verify_file(env("KSR_TEST_CA")); });
  return web::http::client::http_client(server, config);
}

void own_request() {
  web::http::http_request request(web::http::methods::GET);
  request.set_request_uri("/api/v1/pods?limit=1");
  request.headers().add("Authorization", "Bearer " + env("KSR_TEST_TOKEN"));
  const web::http::http_response response = own_client(env("KSR_TEST_SERVER")).request(request).get();
  CHECK(response.status_code() == 200);
  CHECK(response.extract_json().get().has_array_field("items"));
}

// The host's exceptions have its own types and reach it.
void own_failure() {
  try {
    own_client("https://127.0.0.1:1").request(web::http::methods::GET).get();
    CHECK(!"a request to a closed port throws");
  } catch (const web::http::http_exception&) {
  }
}

void own_boost() {
  static_assert(BOOST_VERSION / 100 == 1074, "not the Boost of the unpacked packages");
  boost::asio::io_context context;
  boost::asio::steady_timer timer(context, std::chrono::milliseconds(5));
  bool rang = false;
  timer.async_wait([&](const boost::system::error_code& failed) { rang = !failed; });
  context.run();
  CHECK(rang);
}

void own_openssl() {
  unsigned char digest[EVP_MAX_MD_SIZE];
  unsigned int size = 0;
  CHECK(EVP_Digest("ksr", 3, digest, &size, EVP_sha256(), nullptr) == 1 && size == 32);
  SSL_CTX* const context = SSL_CTX_new(TLS_client_method());
  CHECK(context != nullptr);
  SSL_CTX_free(context);
}

ksr_stream* open_stream(const char* transport) {
  ksr_config* config = nullptr;
  ksr_stream* stream = nullptr;
  CHECK(ksr_config_new(&config) == KSR_OK);
  CHECK(ksr_config_set(config, "server", env("KSR_TEST_SERVER").c_str(), nullptr) == KSR_OK);
  CHECK(ksr_config_set(config, "ca_file", env("KSR_TEST_CA").c_str(), nullptr) == KSR_OK);
  CHECK(ksr_config_set(config, "token", env("KSR_TEST_TOKEN").c_str(), nullptr) == KSR_OK);
  CHECK(ksr_config_set(config, "resource", "v1/pods", nullptr) == KSR_OK);
  CHECK(ksr_config_set(config, "transport", transport, nullptr) == KSR_OK);
  CHECK(ksr_open(config, nullptr, nullptr, &stream, nullptr) == KSR_OK);
  ksr_config_free(config);
  return stream;
}

void own_work() {
  own_request();
  own_failure();
  own_boost();
  own_openssl();
}

}  // namespace

int main() {
  CHECK(std::strstr(ksr_build_info(), "1_74") == nullptr);
  own_request();  // first: the host's cpprestsdk starts its threads before libksr is used
  for (int round = 0; round < 3; ++round) {
    ksr_stream* const streams[] = {open_stream("websocket"), open_stream("http")};
    own_work();
    for (ksr_stream* stream : streams) CHECK(ksr_wait_synced(stream, 150'000) == KSR_OK);
    own_work();
    std::uint64_t objects = 0;
    for (ksr_stream* stream : streams) CHECK(ksr_stat(stream, "objects", &objects) == KSR_OK && objects > 0);
    for (ksr_stream* stream : streams) CHECK(ksr_close(stream) == KSR_OK);
    own_work();
  }
  return 0;
}
