#include "request/media_types.hpp"

#include <array>
#include <utility>

#include "base/text.hpp"
#include "protobuf/media_type.hpp"

namespace ksr::request {
namespace {

using namespace std::string_view_literals;

constexpr std::array<std::pair<std::string_view, std::string_view>, 3> kForms{{
    {"json", "application/json"},
    // JSON as the second choice: an aggregated API may not know Tables.
    {"table", "application/json;as=Table;v=v1;g=meta.k8s.io,application/json"},
    {"yaml", "application/yaml"},
}};

}  // namespace

bool is_accept_form(std::string_view form) {
  if (form == "metadata" || form == "protobuf") return true;
  for (const auto& [word, type] : kForms) {
    if (form == word) return true;
  }
  return form.find('/') != std::string_view::npos && !has_control_characters(form);
}

std::string accept_header(std::string_view form, Verb verb) {
  if (form == "metadata") {
    const bool collection = verb == Verb::list || verb == Verb::remove_collection;
    const std::string kind = collection ? "PartialObjectMetadataList" : "PartialObjectMetadata";
    return "application/json;as=" + kind + ";g=meta.k8s.io;v=v1,application/json";
  }
  // Custom resources have no protobuf.
  if (form == "protobuf") return std::string(protobuf::kMediaType) + ",application/json";
  for (const auto& [word, type] : kForms) {
    if (form == word) return std::string(type);
  }
  return std::string(form);
}

bool is_protobuf(std::string_view body) {
  return body.substr(0, 4) == "k8s\0"sv;
}

std::string content_type_of(const Params& params, Verb verb) {
  if (verb == Verb::apply) return "application/apply-patch+yaml";
  if (verb == Verb::patch) {
    switch (params.patch_type) {
      case PatchType::json:
        return "application/json-patch+json";
      case PatchType::merge:
        return "application/merge-patch+json";
      case PatchType::strategic:
        return "application/strategic-merge-patch+json";
    }
  }
  return std::string(params.body && is_protobuf(*params.body) ? protobuf::kMediaType : "application/json");
}

}  // namespace ksr::request
