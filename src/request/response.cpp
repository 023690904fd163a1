#include "request/response.hpp"

#include <algorithm>
#include <optional>

#include "base/escapes.hpp"
#include "base/text.hpp"
#include "cluster/warnings.hpp"
#include "json/document.hpp"
#include "json/item.hpp"
#include "json/json_pointer.hpp"
#include "json/values.hpp"
#include "transport/header_rules.hpp"

namespace ksr::request {
namespace {

// Those of the body as the host has it: its coding and length on the wire are not. A value may have any bytes (RFC
// 9110, section 5.5, obs-text), while the host is given UTF-8.
std::vector<transport::Header> joined(const transport::ResponseHead& head) {
  const bool decoded = transport::content_coding(head) == transport::ContentCoding::gzip;
  std::vector<transport::Header> whole;
  for (const transport::Header& header : head.headers) {
    if (decoded && (header.name == "content-encoding" || header.name == "content-length")) continue;
    const auto held =
        std::find_if(whole.begin(), whole.end(), [&](const transport::Header& one) { return one.name == header.name; });
    if (held == whole.end()) {
      whole.push_back({header.name, as_utf8(header.value)});
    } else {
      held->value += ", " + as_utf8(header.value);
    }
  }
  return whole;
}

store::ObjectRef make_object(std::string_view body) {
  using json::text_at;
  const std::string_view metadata = json::find_pointer(body, "/metadata").value_or("{}");
  const std::string kind = text_at(body, "/kind");
  const std::string api_version = text_at(body, "/apiVersion");
  const std::string uid = text_at(metadata, "/uid");
  const std::string name_space = text_at(metadata, "/namespace");
  const std::string name = text_at(metadata, "/name");
  const std::string resource_version = text_at(metadata, "/resourceVersion");
  const std::string creation = text_at(metadata, "/creationTimestamp");
  json::Item item;
  item.text[0] = body;
  item.uid = uid;
  item.name_space = name_space;
  item.name = name;
  item.resource_version = resource_version;
  item.kind = kind;
  item.api_version = api_version;
  item.creation_timestamp = creation;
  item.recency = creation;
  return store::ObjectRef::create(item);
}

}  // namespace

std::vector<std::string> warnings_in_utf8(const transport::ResponseHead& head) {
  std::vector<std::string> warnings = cluster::warnings_of(head);
  for (std::string& warning : warnings) warning = as_utf8(warning);
  return warnings;
}

Response::Response(const transport::ResponseHead& head, std::vector<std::string> warnings, std::string body)
    : http_status_(head.status), headers_(joined(head)), warnings_(std::move(warnings)), body_(std::move(body)) {}

Response::~Response() {
  if (const store::Object* object = object_.load(std::memory_order_acquire)) object->release();
}

const std::string* Response::header(std::string_view name) const noexcept {
  for (const transport::Header& one : headers_) {
    if (equal_ignoring_case(one.name, name)) return &one.value;
  }
  return nullptr;
}

const store::Object* Response::object() const {
  if (const store::Object* made = object_.load(std::memory_order_acquire)) return made;
  std::string_view text = trimmed(body_);
  if (text.empty() || text.front() != '{') return nullptr;
  std::string mended;
  if (!json::document_kind(text)) text = mended = json_as_unicode(text);
  if (json::document_kind(text) != json::ValueKind::object) return nullptr;
  const store::ObjectRef made = make_object(text);
  const store::Object* none = nullptr;
  // Two threads may make one each; the first one counts.
  if (!object_.compare_exchange_strong(none, made.get(), std::memory_order_acq_rel)) return none;
  made->retain();
  return made.get();
}

}  // namespace ksr::request
