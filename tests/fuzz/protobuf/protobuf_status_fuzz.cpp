// Statuses in protobuf: whatever comes, what is taken for one is a JSON object that is not much longer than its bytes.
#include <boost/json.hpp>

#include "fuzz/fuzz.hpp"
#include "json/api_status.hpp"
#include "protobuf/api_status.hpp"

using ksr::fuzz::require;

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  const std::string_view bytes(reinterpret_cast<const char*>(data), size);
  const auto text = ksr::protobuf::status_as_json(bytes);
  if (!text) return 0;
  // A byte becomes six characters at most, a field of two bytes a member with its name.
  require(text->size() <= 32 * size + 256, "a Status is longer than its bytes allow");
  boost::system::error_code error;
  const boost::json::value document = boost::json::parse(*text, error);
  // Strings that are no UTF-8 are left as they came, and make no JSON.
  if (error) return 0;
  require(document.is_object() && document.as_object().at("kind").as_string() == "Status", "it is no Status object");
  const auto status = ksr::json::parse_api_status(*text);
  require(status.has_value(), "the Status is not read again");
  return 0;
}
