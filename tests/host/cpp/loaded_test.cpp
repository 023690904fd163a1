// The functions of the library looked up when the program runs, beside files that are linked to it.
#define KSR_HPP_LOADED
#include <dlfcn.h>
#include <doctest/doctest.h>
#include <ksr.hpp>

#include <cstring>
#include <string>

namespace {

void* missing(const char* name) {
  return std::strcmp(name, "ksr_latest") == 0 ? nullptr : dlsym(RTLD_DEFAULT, name);
}

std::uint32_t of_another_major_version() {
  return KSR_VERSION + 0x010000;
}

std::uint32_t older() {
  return KSR_VERSION - 1;
}

template <std::uint32_t (*version)()>
void* with_version(const char* name) {
  return std::strcmp(name, "ksr_version") == 0 ? reinterpret_cast<void*>(version) : dlsym(RTLD_DEFAULT, name);
}

template <class Find>
std::string refusal(Find&& find) {
  try {
    ksr::load_functions(find);
  } catch (const ksr::error& error) {
    CHECK(error.code() == ksr::status::unsupported);
    // Though no function is there that it could ask.
    const bool is_there = ksr::ksr_error_http_status != nullptr;
    CHECK_FALSE(is_there);
    CHECK(error.http_status() == 0);
    CHECK(error.is_fatal());
    CHECK_FALSE(error.maybe_done());
    CHECK(error.reason() == "");
    return error.what();
  }
  return "";
}

void* library() {
  static void* const loaded = dlopen(KSR_TEST_LIBRARY, RTLD_NOW | RTLD_LOCAL);
  return loaded;
}

void* of_library(const char* name) {
  return dlsym(library(), name);
}

// As if another thread had closed the client before the open has returned.
ksr_status open_and_close(ksr_client* client, const ksr_params* params, void* user_data, ksr_destroy_fn destroy,
                          ksr_request** out, ksr_error** err) {
  const auto open = reinterpret_cast<decltype(&::ksr_request_open)>(of_library("ksr_request_open"));
  const ksr_status opened = open(client, params, user_data, destroy, out, err);
  CHECK(ksr::ksr_client_close(client) == KSR_OK);
  return opened;
}

void* with_clients_closed(const char* name) {
  return std::strcmp(name, "ksr_request_open") == 0 ? reinterpret_cast<void*>(open_and_close) : of_library(name);
}

// How such a call ends.
std::string end_of(const ksr::params& params) {
  std::string end;
  const ksr::client client(ksr::config{{"server", "http://127.0.0.1:1"}});
  client.call_async(params, [&](const ksr::result<ksr::response>& answer) {
    CHECK(end.empty());
    end = to_string(answer.code());
    if (!answer && answer.failure().maybe_done()) end += ", maybe done";
    if (!answer && answer.failure().with(ksr::status::cancelled, "as ").maybe_done()) end += " as well";
  });
  return end;
}

}  // namespace

TEST_CASE("a library that is loaded, and those that do not fit") {
  {
    // Before anything is loaded, what is empty can be made and destroyed.
    const ksr::stream stream;
    const ksr::snapshot view;
    const ksr::object object = ksr::object();
    const ksr::snapshot copy = view;
    CHECK_FALSE(copy);
  }
  REQUIRE(library() != nullptr);
  CHECK(refusal(missing) == "the library has no ksr_latest");
  CHECK(refusal(with_version<of_another_major_version>).find("does not fit") != std::string::npos);
  CHECK(refusal(with_version<older>).find("does not fit") != std::string::npos);
  CHECK(refusal([](const char*) -> void* { return nullptr; }) == "the library has no ksr_version");
  ksr::load_functions(of_library);
  CHECK(ksr::version() >= KSR_VERSION);
  ksr::config config{{"server", "http://127.0.0.1:1"}, {"resource", "v1/pods"}};
  int states = 0;
  config.on_state([&](ksr::stream_ref, ksr::state) { ++states; });
  ksr::stream stream(config);
  CHECK(stream.try_wait_synced(std::chrono::milliseconds(1)) == ksr::status::timeout);
  stream.close();
  CHECK(states > 0);
  CHECK(ksr::stream::try_open(ksr::config()).code() == ksr::status::invalid);
}

TEST_CASE("a call whose client is closed before it is open was cancelled") {
  using ksr::params;
  ksr::load_functions(with_clients_closed);
  const params got{{"verb", "get"}, {"resource", "v1/pods"}, {"namespace", "a"}, {"name", "b"}};
  CHECK(end_of(got) == "KSR_E_CANCELLED");
  CHECK(end_of(params{{"path", "/healthz"}}) == "KSR_E_CANCELLED");
  CHECK(end_of(params{{"path", "/healthz"}, {"method", "HEAD"}}) == "KSR_E_CANCELLED");
  const std::string maybe = "KSR_E_CANCELLED, maybe done as well";
  params patched{{"path", "/healthz"}, {"method", "PATCH"}};
  CHECK(end_of(patched.body("{}")) == maybe);
  params created{{"verb", "create"}, {"resource", "v1/pods"}, {"namespace", "a"}};
  params moved;
  moved = std::move(created.body("{}"));
  CHECK(end_of(moved) == maybe);
  CHECK(end_of(params(std::move(moved))) == maybe);
  ksr::load_functions(of_library);
}
