// Status objects: whatever they say, what is taken from them is short, on one line and within its bounds.
#include "base/text.hpp"
#include "fuzz/fuzz.hpp"
#include "json/api_status.hpp"

#include <boost/json.hpp>

namespace {

using ksr::fuzz::require;

void check_text(const std::string& text) {
  require(text.size() <= ksr::kMaxForeignText, "a text of a Status is too long");
  require(!ksr::has_control_characters(text), "a text of a Status has control characters");
  // Valid UTF-8, or the parser would not take it as a string.
  boost::system::error_code error;
  boost::json::parse(boost::json::serialize(boost::json::string(text)), error);
  require(!error, "a text of a Status is not UTF-8");
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  const std::string_view text(reinterpret_cast<const char*>(data), size);
  const auto status = ksr::json::parse_api_status(text);
  boost::system::error_code error;
  const boost::json::value document = boost::json::parse(text, error);
  if (!status) return 0;
  check_text(status->reason);
  check_text(status->message);
  for (const auto& cause : status->causes) {
    check_text(cause.reason);
    check_text(cause.message);
    check_text(cause.field);
  }
  if (status->retry_after_seconds) {
    require(*status->retry_after_seconds >= 0 && *status->retry_after_seconds <= ksr::json::kMaxRetryAfter.count(),
            "a wait out of its bounds");
  }
  if (error) return 0;
  const auto& members = document.as_object();
  if (const auto* const kind = members.if_contains("kind")) {
    require(kind->as_string() == "Status", "a Status of another kind");
  } else {
    require(members.at("status").as_string() == "Failure" && members.at("metadata").is_object() &&
                members.at("code").is_number() && !members.contains("apiVersion"),
            "what has no kind was taken for a Status");
  }
  const boost::json::value* const code = document.as_object().if_contains("code");
  if (code != nullptr && code->is_int64() && code->as_int64() > 0 && code->as_int64() < 1000) {
    require(code->as_int64() == status->code, "another code than the Status has");
  }
  return 0;
}
