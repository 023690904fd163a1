#include "transport/failures.hpp"

#include <openssl/crypto.h>
#include <openssl/err.h>

#include <boost/asio/error.hpp>
#include <boost/asio/ssl/error.hpp>

#include "transport/exit_guard.hpp"

namespace ksr::transport {
namespace {

constexpr std::size_t kMemoryProbe = std::size_t{16} * 1024;

}  // namespace

Error transport_error(const std::string& step, const std::string& reason) {
  return Error{Status::transport, step + ": " + reason, {}, 502};
}

Error timed_out(const std::string& step, const std::string& after_what) {
  return Error{Status::timeout, step + ": " + after_what, {}, 408};
}

Error tls_failure(const std::string& step, const std::string& reason) {
  return Error{Status::tls, step + ": " + reason, {}, 502};
}

Error protocol_error(const std::string& step, const std::string& what) {
  return Error{Status::protocol, step + ": " + what, {}, 502};
}

Error io_error(const std::string& step, const boost::system::error_code& reason) {
  if (is_resource_exhaustion(reason)) return Error{Status::out_of_memory, step + ": " + reason_text(reason)};
  if (reason.category() == boost::asio::error::get_ssl_category()) return tls_failure(step, reason_text(reason));
  return transport_error(step, reason_text(reason));
}

bool openssl_lacks_memory() noexcept {
  bool told = false;
  // What follows from a lack of memory says something else, such as that a key is too weak.
  while (const unsigned long queued = ERR_get_error()) told = told || ERR_GET_REASON(queued) == ERR_R_MALLOC_FAILURE;
  if (told) return true;
  // Some functions say "init fail" or "internal error" then. OPENSSL_malloc() would have the path of this file in the
  // library.
  void* const probe = CRYPTO_malloc(kMemoryProbe, "", 0);
  CRYPTO_free(probe, "", 0);
  return probe == nullptr;
}

bool is_resource_exhaustion(const boost::system::error_code& reason) noexcept {
  return reason.category() == boost::system::system_category() && ksr::is_resource_exhaustion(reason.value());
}

std::string reason_text(const boost::system::error_code& reason) {
  if (reason == boost::asio::error::eof) return "the peer closed the connection";
  if (reason == boost::asio::ssl::error::stream_truncated) return "the peer closed the connection without close_notify";
  if (reason.category() == boost::asio::error::get_ssl_category()) {
    const TlsUse use;
    const char* text = use ? ERR_reason_error_string(static_cast<unsigned long>(reason.value())) : nullptr;
    // The category's own message() asks OpenSSL the same.
    return text != nullptr ? text : "TLS error " + std::to_string(reason.value());
  }
  return reason.message();
}

std::string duration_text(long long milliseconds) {
  return milliseconds % 1000 == 0 ? std::to_string(milliseconds / 1000) + " s" : std::to_string(milliseconds) + " ms";
}

}  // namespace ksr::transport
