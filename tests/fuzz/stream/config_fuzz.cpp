// Config keys: lines of key=value through set_key and through the ABI, which take the same ones, then ksr_open. Nothing
// leaves this machine: before a stream is opened, all that names a host or a file is set to a port of the loopback
// interface where nothing listens.
#include <cstdlib>

#include "base/text.hpp"
#include "fuzz/fuzz.hpp"
#include "ksr.h"
#include "stream/config.hpp"

namespace {

using ksr::fuzz::Input;
using ksr::fuzz::require;

struct Counts {
  int destroyed = 0;
};

std::string take_message(ksr_error* error) {
  std::string message = ksr_error_message(error, nullptr);
  ksr_error_free(error);
  return message;
}

void check_message(const std::string& message, const std::string& key, const std::string& value) {
  require(!message.empty() && !ksr::has_control_characters(message), "not one line: " + message);
  const bool secret = value.find("S3CRET") != std::string::npos && key.find("S3CRET") == std::string::npos;
  require(!secret || message.find("S3CRET") == std::string::npos, "a message with a secret: " + message);
}

void set(ksr_config* config, ksr::stream::Config& inside, const std::string& key, const std::string& value) {
  ksr_error* error = nullptr;
  const ksr_status status = ksr_config_set(config, key.c_str(), value.c_str(), &error);
  const auto outcome = ksr::stream::set_key(inside, key, value);
  require((status == KSR_OK) == outcome.has_value(), "the ABI takes another key or value than set_key");
  require((error != nullptr) == (status != KSR_OK), "an error without a status, or the other way round");
  if (error != nullptr) check_message(take_message(error), key, value);
}

void open(ksr_config* config) {
  constexpr std::pair<const char*, const char*> kHarmless[] = {{"server", "http://127.0.0.1:1"},
                                                               {"proxy_url", ""},
                                                               {"kubeconfig", ""},
                                                               {"context", ""},
                                                               {"token_file", ""},
                                                               {"ca_file", ""},
                                                               {"client_cert_file", ""},
                                                               {"client_key_file", ""},
                                                               {"headlamp_url", ""},
                                                               {"headlamp_cluster", ""}};
  for (const auto& [key, value] : kHarmless) ksr_config_set(config, key, value, nullptr);
  Counts counts;
  ksr_stream* stream = nullptr;
  ksr_error* error = nullptr;
  const ksr_status status = ksr_open(
      config, &counts, [](void* user_data) { ++static_cast<Counts*>(user_data)->destroyed; }, &stream, &error);
  if (status != KSR_OK) {
    require(error != nullptr && stream == nullptr, "a failing ksr_open without an error, or with a stream");
    check_message(take_message(error), "", "");
  } else {
    require(error == nullptr && stream != nullptr, "ksr_open without a stream, or with an error");
    ksr_wait_synced(stream, 0);
    require(ksr_close(stream) == KSR_OK, "a stream that cannot be closed");
  }
  require(counts.destroyed == 1, "destroyed " + std::to_string(counts.destroyed) + " times");
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  // A proxy of the environment would be asked for the server.
  static const bool clean = ::unsetenv("HTTP_PROXY") == 0 && ::unsetenv("http_proxy") == 0;
  require(clean, "the environment cannot be changed");
  Input input(data, size);
  ksr_config* config = nullptr;
  require(ksr_config_new(&config) == KSR_OK, "no configuration");
  ksr::stream::Config inside;
  while (!input.empty()) {
    const std::string line(input.line());
    const std::size_t equals = std::min(line.find('='), line.size());
    // Texts of the ABI end at a NUL.
    const std::string key = line.substr(0, equals).c_str();
    const std::string value = equals < line.size() ? line.substr(equals + 1).c_str() : "";
    set(config, inside, key, value);
  }
  open(config);
  ksr_config_free(config);
  return 0;
}
