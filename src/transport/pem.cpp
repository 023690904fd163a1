#include "transport/pem.hpp"

#include <openssl/err.h>

#include <algorithm>
#include <optional>
#include <string_view>
#include <utility>

#include "base/base64.hpp"
#include "base/text.hpp"

namespace ksr::transport {
namespace {

// The host may use the same OpenSSL on this thread: its error queue is left as it was.
class ErrorQueueScope {
 public:
  ErrorQueueScope() { ERR_set_mark(); }
  ~ErrorQueueScope() { ERR_pop_to_mark(); }
  ErrorQueueScope(const ErrorQueueScope&) = delete;
  ErrorQueueScope& operator=(const ErrorQueueScope&) = delete;
};

// One block: its label, and what its base64 says.
struct Block {
  std::string label;
  std::string der;
};

constexpr std::string_view kBegin = "-----BEGIN ";
constexpr std::string_view kEnd = "-----END ";
constexpr std::string_view kDashes = "-----";
// Each broken block is read from its BEGIN to an END.
constexpr std::size_t kMaxBroken = 100;

// A line without its end and without blanks at its end, cut off `text`.
std::string_view take_pem_line(std::string_view& text) {
  const std::size_t end = text.find('\n');
  std::string_view line = text.substr(0, end);
  text.remove_prefix(end == std::string_view::npos ? text.size() : end + 1);
  if (end != std::string_view::npos && !line.empty() && line.back() == '\r') line.remove_suffix(1);
  while (!line.empty() && kBlanks.find(line.back()) != std::string_view::npos) line.remove_suffix(1);
  return line;
}

bool begins_with(std::string_view text, std::string_view beginning) {
  return text.substr(0, beginning.size()) == beginning;
}

// The text after the first line that begins with `beginning`, which is at the beginning of `text` or after a line end.
std::optional<std::string_view> after_line_beginning(std::string_view text, std::string_view beginning) {
  if (begins_with(text, beginning)) return text.substr(beginning.size());
  const std::string line_beginning = "\n" + std::string(beginning);
  const std::size_t found = text.find(line_beginning);
  if (found == std::string_view::npos) return std::nullopt;
  return text.substr(found + line_beginning.size());
}

// What follows the label of a BEGIN line up to the line END of that label; empty where that is missing, or the base64
// between them is broken.
std::optional<std::string> read_block(std::string_view& text, std::string_view label) {
  std::string_view rest = text;
  bool has_headers = false;
  for (;;) {
    std::string_view next = rest;
    if (rest.empty() || take_pem_line(next).find(':') == std::string_view::npos) break;
    has_headers = true;
    rest = next;
  }
  const bool empty = !has_headers && begins_with(rest, kEnd);
  const std::size_t end = empty ? 0 : rest.find("\n" + std::string(kEnd));
  if (end == std::string_view::npos) return std::nullopt;
  std::string_view after_end = rest.substr(end + (empty ? 0 : 1) + kEnd.size());
  const std::string_view end_line = take_pem_line(after_end);
  if (end_line != std::string(label) + std::string(kDashes)) return std::nullopt;
  auto der = base64_decode(rest.substr(0, end));
  if (der) text = after_end;
  return der;
}

// The blocks that Go's encoding/pem finds, by its rules: text around them, line ends of CR LF, blanks at line ends,
// empty lines and headers (RFC 1421) do not matter; what is broken is text. `broken` is whether a BEGIN line was part
// of that.
std::vector<Block> read_blocks(std::string_view text, std::size_t& broken) {
  std::vector<Block> blocks;
  text = without_byte_order_mark(text);
  while (broken < kMaxBroken) {
    const auto found = after_line_beginning(text, kBegin);
    if (!found) break;
    text = *found;
    const std::string_view line = take_pem_line(text);
    if (line.size() < kDashes.size() || line.substr(line.size() - kDashes.size()) != kDashes) continue;
    const std::string_view label = line.substr(0, line.size() - kDashes.size());
    // Where the block is broken, the next one may begin right here.
    auto der = read_block(text, label);
    if (!der) {
      ++broken;
      continue;
    }
    blocks.push_back({std::string(label), *std::move(der)});
  }
  return blocks;
}

Certificate parse_certificate(const Block& block) {
  const auto* bytes = reinterpret_cast<const unsigned char*>(block.der.data());
  const unsigned char* const end = bytes + block.der.size();
  const auto size = static_cast<long>(block.der.size());
  Certificate certificate(block.label == "TRUSTED CERTIFICATE" ? d2i_X509_AUX(nullptr, &bytes, size)
                                                               : d2i_X509(nullptr, &bytes, size));
  if (bytes != end) certificate.reset();
  return certificate;
}

bool is_certificate(const Block& block) {
  return block.label == "CERTIFICATE" || block.label == "X509 CERTIFICATE" || block.label == "TRUSTED CERTIFICATE";
}

bool is_private_key(const Block& block) {
  constexpr std::string_view kKey = "PRIVATE KEY";
  const std::string_view label = block.label;
  return label.size() >= kKey.size() && label.substr(label.size() - kKey.size()) == kKey;
}

PrivateKey parse_private_key(const Block& block) {
  const auto* bytes = reinterpret_cast<const unsigned char*>(block.der.data());
  return PrivateKey(d2i_AutoPrivateKey(nullptr, &bytes, static_cast<long>(block.der.size())));
}

}  // namespace

Expected<std::vector<Certificate>> read_certificates(const std::string& role, const std::string& pem) {
  const ErrorQueueScope errors;
  std::size_t broken = 0;
  std::vector<Certificate> certificates;
  for (const Block& block : read_blocks(pem, broken)) {
    if (!is_certificate(block)) continue;
    if (Certificate certificate = parse_certificate(block)) {
      certificates.push_back(std::move(certificate));
    } else {
      ++broken;
    }
  }
  if (certificates.empty()) {
    return Error{Status::invalid, role +
                                      (broken > 0 ? ": holds no certificate that parses" : ": holds no certificate") +
                                      "; expected PEM with at least one CERTIFICATE"};
  }
  return certificates;
}

Expected<PrivateKey> read_private_key(const std::string& role, const std::string& pem, X509* certificate) {
  const ErrorQueueScope errors;
  std::size_t broken = 0;
  const std::vector<Block> blocks = read_blocks(pem, broken);
  const auto found = std::find_if(blocks.begin(), blocks.end(), is_private_key);
  PrivateKey key = found == blocks.end() ? nullptr : parse_private_key(*found);
  if (!key) {
    return Error{Status::invalid, role + ": holds no private key that parses; expected PEM without a pass phrase"};
  }
  if (X509_check_private_key(certificate, key.get()) != 1) {
    return Error{Status::invalid, role + ": is not the key of the client certificate"};
  }
  return key;
}

}  // namespace ksr::transport
