// Values of options, base64, resource versions and texts for messages: the same again when written and read, in order,
// and within their bounds.
#include "base/text.hpp"

#include "base/base64.hpp"
#include "base/option_text.hpp"
#include "base/resource_version.hpp"
#include "base/server_name.hpp"
#include "fuzz/fuzz.hpp"

namespace {

using ksr::fuzz::require;

void check_options(const std::string& text) {
  if (const auto flag = ksr::parse_boolean(text)) require(text == (*flag ? "true" : "false"), "a boolean that is none");
  if (const auto duration = ksr::parse_duration(text)) {
    require(duration->count() >= 0 && ksr::is_digit(text.front()), "a duration that is none");
    const auto again = ksr::parse_duration(std::to_string(duration->count()) + "ms");
    require(again.has_value() && *again == *duration, "a duration reads differently when written");
  }
  if (const auto count = ksr::parse_count(text)) {
    const std::size_t digits = std::min(text.find_first_not_of('0'), text.size() - 1);
    require(std::to_string(*count) == text.substr(digits), "a number reads differently when written");
  }
  if (const auto bytes = ksr::parse_size(text)) {
    const auto again = ksr::parse_size(std::to_string(*bytes));
    require(again.has_value() && *again == *bytes, "a size reads differently when written");
  }
  for (const std::string& name : ksr::parse_names(text)) {
    require(!name.empty() && name.find(',') == std::string::npos && ksr::trimmed(name, " ") == name, "a name is none");
  }
}

void check_messages(const std::string& text) {
  const std::string line = ksr::one_line(text);
  require(line.size() <= ksr::kMaxForeignText && !ksr::has_control_characters(line), "not one short line");
  require(ksr::one_line(line) == line, "one_line changes what it has made");
  const std::string quoted = ksr::in_quotes(text);
  require(quoted.size() >= 2 && quoted.find('"', 1) == quoted.size() - 1, "quotes within quotes");
}

void check_base64(const std::string& text) {
  require(ksr::base64_decode(ksr::base64_encode(text)) == text, "base64 loses bytes");
  const auto decoded = ksr::base64_decode(text);
  if (decoded) require(ksr::base64_decode(ksr::base64_encode(*decoded)) == decoded, "base64 reads differently");
}

bool is_version(const std::string& text) {
  return !text.empty() && text.front() != '0' && text.find_first_not_of("0123456789") == std::string::npos;
}

void check_versions(std::string a, std::string b) {
  const auto order = ksr::compare_resource_versions(a, b);
  const auto reverse = ksr::compare_resource_versions(b, a);
  require(order.has_value() == (is_version(a) && is_version(b)) && order.has_value() == reverse.has_value(),
          "versions compare differently");
  if (!order) return;
  const std::size_t width = std::max(a.size(), b.size());
  a.insert(0, width - a.size(), '0');
  b.insert(0, width - b.size(), '0');
  require((*order < 0) == (a < b) && (*order == 0) == (a == b) && (*reverse < 0) == (b < a),
          "versions in another order");
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  ksr::fuzz::Input input(data, size);
  const std::string first(input.line());
  const std::string second(input.rest());
  for (const std::string& text : {first, second}) {
    check_options(text);
    check_messages(text);
    check_base64(text);
    ksr::is_server_name(text);
    require(ksr::equal_ignoring_case(text, ksr::lower_case(text)), "lower case is another text");
  }
  check_versions(first, second);
  return 0;
}
