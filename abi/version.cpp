#include <dlfcn.h>
#include <openssl/crypto.h>

#include <boost/version.hpp>
#include <string>
#include <string_view>

#include "abi/guard.hpp"
#include "base/status.hpp"

namespace {

static_assert(KSR_VERSION == (KSR_VERSION_MAJOR << 16 | KSR_VERSION_MINOR << 8 | KSR_VERSION_PATCH),
              "ksr.h and the project's version differ");

constexpr std::string_view kFeatures[] = {"websocket",       "http",     "tls",      "gzip", "http_proxy",
                                          "manual_delivery", "requests", "channels", "exec", "log_resume",
                                          "portforward"};

// Whether OpenSSL is a part of this library (KSR_OPENSSL=static): where its code is decides, not how it was meant.
bool has_openssl_inside() {
  Dl_info openssl;
  Dl_info here;
  return dladdr(reinterpret_cast<const void*>(&OpenSSL_version), &openssl) != 0 &&
         dladdr(static_cast<const void*>(kFeatures), &here) != 0 && openssl.dli_fbase == here.dli_fbase;
}

std::string describe_build() {
  std::string names;
  for (const std::string_view name : kFeatures) {
    names += names.empty() ? "\"" : ",\"";
    names += name;
    names += '"';
  }
  return std::string("{\"version\":\"" KSR_VERSION_STRING "\",\"compiler\":\"" KSR_COMPILER
                     "\",\"cpprestsdk\":\"" KSR_CPPRESTSDK_VERSION "\",\"boost\":\"") +
         BOOST_LIB_VERSION + "\",\"openssl\":{\"built_with\":\"" OPENSSL_VERSION_TEXT "\",\"running_with\":\"" +
         OpenSSL_version(OPENSSL_VERSION) + "\",\"linked\":\"" + (has_openssl_inside() ? "static" : "dynamic") +
         "\"},\"features\":[" + names + "]}";
}

}  // namespace

extern "C" {

uint32_t ksr_version(void) {
  return KSR_VERSION;
}

const char* ksr_version_string(void) {
  return KSR_VERSION_STRING;
}

const char* ksr_build_info(void) {
  return ksr::abi::guard_value_also_forked<const char*>("{}", [] {
    // Never destroyed: the text is promised to be static, also while the process exits.
    static const std::string* const text = new std::string(describe_build());
    return text->c_str();
  });
}

int ksr_has_feature(const char* name) {
  if (name == nullptr) return 0;
  for (const std::string_view feature : kFeatures) {
    if (feature == name) return 1;
  }
  return 0;
}

const char* ksr_status_name(ksr_status status) {
  return ksr::status_name(static_cast<ksr::Status>(status));
}

}  // extern "C"
