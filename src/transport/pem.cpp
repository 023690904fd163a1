#include "transport/pem.hpp"

#include <openssl/err.h>

#include <algorithm>
#include <new>
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

// CN=ksr, with a key of the curve P-256 that nobody has.
constexpr unsigned char kKnownCertificate[] = {
    0x30, 0x82, 0x01, 0x6e, 0x30, 0x82, 0x01, 0x13, 0xa0, 0x03, 0x02, 0x01, 0x02, 0x02, 0x14, 0x1f, 0x0f, 0xad, 0x58,
    0x50, 0xf4, 0x03, 0xbc, 0xa4, 0xe4, 0x31, 0x04, 0x36, 0xaf, 0xa9, 0x20, 0x76, 0xef, 0xc0, 0xd2, 0x30, 0x0a, 0x06,
    0x08, 0x2a, 0x86, 0x48, 0xce, 0x3d, 0x04, 0x03, 0x02, 0x30, 0x0e, 0x31, 0x0c, 0x30, 0x0a, 0x06, 0x03, 0x55, 0x04,
    0x03, 0x0c, 0x03, 0x6b, 0x73, 0x72, 0x30, 0x20, 0x17, 0x0d, 0x32, 0x36, 0x31, 0x31, 0x33, 0x30, 0x31, 0x32, 0x30,
    0x30, 0x32, 0x32, 0x5a, 0x18, 0x0f, 0x32, 0x31, 0x32, 0x36, 0x31, 0x31, 0x30, 0x36, 0x31, 0x32, 0x30, 0x30, 0x32,
    0x32, 0x5a, 0x30, 0x0e, 0x31, 0x0c, 0x30, 0x0a, 0x06, 0x03, 0x55, 0x04, 0x03, 0x0c, 0x03, 0x6b, 0x73, 0x72, 0x30,
    0x59, 0x30, 0x13, 0x06, 0x07, 0x2a, 0x86, 0x48, 0xce, 0x3d, 0x02, 0x01, 0x06, 0x08, 0x2a, 0x86, 0x48, 0xce, 0x3d,
    0x03, 0x01, 0x07, 0x03, 0x42, 0x00, 0x04, 0xc9, 0xe3, 0xcc, 0x66, 0x47, 0x38, 0xee, 0x28, 0x87, 0x52, 0x28, 0x2b,
    0x4b, 0x49, 0x7d, 0x1c, 0xbe, 0x38, 0x80, 0xe7, 0x09, 0x45, 0x9e, 0x7e, 0xbd, 0x1b, 0xd4, 0x7a, 0x76, 0xfe, 0xc6,
    0xad, 0x3c, 0x97, 0x00, 0x9a, 0x53, 0x36, 0xc0, 0x82, 0x66, 0x07, 0x93, 0xcf, 0xbe, 0xee, 0x25, 0xfc, 0x5c, 0xb7,
    0xbe, 0xf7, 0x77, 0x58, 0x17, 0xca, 0x5f, 0x9f, 0x5a, 0xab, 0xf5, 0x70, 0x1c, 0xf7, 0xa3, 0x4d, 0x30, 0x4b, 0x30,
    0x1d, 0x06, 0x03, 0x55, 0x1d, 0x0e, 0x04, 0x16, 0x04, 0x14, 0xdb, 0xc2, 0xbb, 0xbe, 0x94, 0x11, 0x24, 0x5f, 0xc0,
    0x34, 0x8d, 0xc5, 0x81, 0xd1, 0x5d, 0x10, 0xbb, 0xb1, 0x9b, 0x0a, 0x30, 0x1f, 0x06, 0x03, 0x55, 0x1d, 0x23, 0x04,
    0x18, 0x30, 0x16, 0x80, 0x14, 0xdb, 0xc2, 0xbb, 0xbe, 0x94, 0x11, 0x24, 0x5f, 0xc0, 0x34, 0x8d, 0xc5, 0x81, 0xd1,
    0x5d, 0x10, 0xbb, 0xb1, 0x9b, 0x0a, 0x30, 0x09, 0x06, 0x03, 0x55, 0x1d, 0x13, 0x04, 0x02, 0x30, 0x00, 0x30, 0x0a,
    0x06, 0x08, 0x2a, 0x86, 0x48, 0xce, 0x3d, 0x04, 0x03, 0x02, 0x03, 0x49, 0x00, 0x30, 0x46, 0x02, 0x21, 0x00, 0xd8,
    0x1f, 0x18, 0x68, 0xa2, 0x08, 0x23, 0x78, 0xda, 0x7a, 0x02, 0x79, 0x41, 0xfd, 0xe7, 0x27, 0xe6, 0x49, 0x95, 0x13,
    0x59, 0x87, 0x03, 0x1c, 0x56, 0x32, 0xf1, 0xa6, 0xa8, 0x7e, 0x14, 0x42, 0x02, 0x21, 0x00, 0xc0, 0xcd, 0xbd, 0xd9,
    0xee, 0x8e, 0x1a, 0x0d, 0x3e, 0x23, 0xac, 0x6d, 0x7d, 0xb3, 0x83, 0x93, 0xd5, 0xc5, 0xe0, 0x46, 0xe2, 0x25, 0xb0,
    0x21, 0x48, 0x6a, 0x10, 0xd3, 0xcf, 0x85, 0xf1, 0x36};

// OpenSSL does not always say that it had too little memory: it skips what it cannot allocate and says that nothing
// fits. Whether it is that is seen by what must succeed.
void throw_unless_openssl_works() {
  const unsigned char* bytes = kKnownCertificate;
  const Certificate known(d2i_X509(nullptr, &bytes, sizeof kKnownCertificate));
  if (!known || X509_get0_pubkey(known.get()) == nullptr) throw std::bad_alloc();
}

// `make` once more where its result is not `good`: what one allocation that failed has spoiled.
template <class Make, class IsGood>
auto made_twice(const Make& make, const IsGood& good) {
  auto first = make();
  if (good(first)) return first;
  auto second = make();
  if (!good(second)) throw_unless_openssl_works();
  return second;
}

Certificate parse_certificate(const Block& block) {
  const auto parse = [&] {
    const auto* bytes = reinterpret_cast<const unsigned char*>(block.der.data());
    const unsigned char* const end = bytes + block.der.size();
    const auto size = static_cast<long>(block.der.size());
    Certificate certificate(block.label == "TRUSTED CERTIFICATE" ? d2i_X509_AUX(nullptr, &bytes, size)
                                                                 : d2i_X509(nullptr, &bytes, size));
    if (bytes != end) certificate.reset();
    return certificate;
  };
  // A certificate remembers that its key could not be read.
  return made_twice(parse,
                    [](const Certificate& parsed) { return parsed && X509_get0_pubkey(parsed.get()) != nullptr; });
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
  const auto parse = [&] {
    const auto* bytes = reinterpret_cast<const unsigned char*>(block.der.data());
    return PrivateKey(d2i_AutoPrivateKey(nullptr, &bytes, static_cast<long>(block.der.size())));
  };
  return made_twice(parse, [](const PrivateKey& parsed) { return parsed != nullptr; });
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
  const auto check = [&] { return X509_check_private_key(certificate, key.get()) == 1; };
  if (!made_twice(check, [](bool belongs) { return belongs; })) {
    return Error{Status::invalid, role + ": is not the key of the client certificate"};
  }
  return key;
}

}  // namespace ksr::transport
