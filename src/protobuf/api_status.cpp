#include "protobuf/api_status.hpp"

#include <cstdint>

#include "json/unescape.hpp"
#include "protobuf/wire_reader.hpp"

namespace ksr::protobuf {
namespace {

// The members of one JSON object, in the order of the Go struct. Empty values are left out, as omitempty does.
class Members {
 public:
  void add_text(std::string_view name, std::string_view value) {
    if (value.empty()) return;
    begin(name);
    json::append_json_string(value, text_);
  }
  // int32 in protobuf: a negative one is extended to 64 bits.
  void add_number(std::string_view name, std::uint64_t value) {
    if (value == 0) return;
    begin(name);
    text_ += std::to_string(static_cast<std::int32_t>(value));
  }
  void add_json(std::string_view name, std::string_view json) {
    begin(name);
    text_ += json;
  }
  std::string object() const { return "{" + text_ + "}"; }

 private:
  void begin(std::string_view name) {
    if (!text_.empty()) text_ += ',';
    text_ += '"';
    text_ += name;
    text_ += "\":";
  }

  std::string text_;
};

// The numbers of fields: apimachinery pkg/apis/meta/v1/generated.proto.

std::optional<std::string> cause_as_json(std::string_view message) {
  std::string_view reason, text, place;
  WireReader reader(message);
  while (const auto field = reader.next()) {
    if (field->number == 1) reason = field->bytes;
    if (field->number == 2) text = field->bytes;
    if (field->number == 3) place = field->bytes;
  }
  if (reader.malformed()) return std::nullopt;
  Members members;
  members.add_text("reason", reason);
  members.add_text("message", text);
  members.add_text("field", place);
  return members.object();
}

std::optional<std::string> details_as_json(std::string_view message) {
  std::string_view name, group, kind, uid;
  std::string causes;
  std::uint64_t retry_after_seconds = 0;
  WireReader reader(message);
  while (const auto field = reader.next()) {
    switch (field->number) {
      case 1:
        name = field->bytes;
        break;
      case 2:
        group = field->bytes;
        break;
      case 3:
        kind = field->bytes;
        break;
      case 4: {
        const auto cause = cause_as_json(field->bytes);
        if (!cause) return std::nullopt;
        causes += (causes.empty() ? "" : ",") + *cause;
        break;
      }
      case 5:
        retry_after_seconds = field->number_value;
        break;
      case 6:
        uid = field->bytes;
        break;
      default:
        break;
    }
  }
  if (reader.malformed()) return std::nullopt;
  Members members;
  members.add_text("name", name);
  members.add_text("group", group);
  members.add_text("kind", kind);
  members.add_text("uid", uid);
  if (!causes.empty()) members.add_json("causes", "[" + causes + "]");
  members.add_number("retryAfterSeconds", retry_after_seconds);
  return members.object();
}

}  // namespace

std::optional<std::string> status_as_json(std::string_view body) {
  const auto envelope = open_envelope(body);
  if (!envelope || envelope->kind != "Status") return std::nullopt;
  std::string_view status, text, reason;
  std::optional<std::string> details;
  std::uint64_t code = 0;
  WireReader reader(envelope->raw);
  while (const auto field = reader.next()) {
    switch (field->number) {
      case 2:
        status = field->bytes;
        break;
      case 3:
        text = field->bytes;
        break;
      case 4:
        reason = field->bytes;
        break;
      case 5:
        details = details_as_json(field->bytes);
        if (!details) return std::nullopt;
        break;
      case 6:
        code = field->number_value;
        break;
      default:
        break;
    }
  }
  if (reader.malformed()) return std::nullopt;
  Members members;
  members.add_text("kind", envelope->kind);
  members.add_text("apiVersion", envelope->api_version);
  members.add_json("metadata", "{}");
  members.add_text("status", status);
  members.add_text("message", text);
  members.add_text("reason", reason);
  if (details) members.add_json("details", *details);
  members.add_number("code", code);
  return members.object();
}

}  // namespace ksr::protobuf
