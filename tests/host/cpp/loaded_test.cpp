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
  void* const library = dlopen(KSR_TEST_LIBRARY, RTLD_NOW | RTLD_LOCAL);
  REQUIRE(library != nullptr);
  CHECK(refusal(missing) == "the library has no ksr_latest");
  CHECK(refusal(with_version<of_another_major_version>).find("does not fit") != std::string::npos);
  CHECK(refusal(with_version<older>).find("does not fit") != std::string::npos);
  CHECK(refusal([](const char*) -> void* { return nullptr; }) == "the library has no ksr_version");
  ksr::load_functions([&](const char* name) { return dlsym(library, name); });
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
