#include "cluster/resource.hpp"

#include <algorithm>

#include "base/text.hpp"

namespace ksr::cluster {
namespace {

constexpr std::size_t kMaxLabelLength = 63;
constexpr std::size_t kMaxSubdomainLength = 253;

Error not_a_resource(std::string_view text) {
  return {Status::invalid,
          "resource: " + in_quotes(text) +
              " is not a valid resource; expected group/version/resource (apps/v1/deployments, v1/pods), a path "
              "(/apis/apps/v1/deployments) or a name (deploy, ingresses.networking.k8s.io)"};
}

Resource core_resource(std::string_view version, std::string_view plural) {
  const std::string v(version), p(plural);
  return {"/api/" + v, p, std::nullopt, v + "/" + p};
}

Resource group_resource(std::string_view group, std::string_view version, std::string_view plural) {
  const std::string g(group), v(version), p(plural);
  return {"/apis/" + g + "/" + v, p, std::nullopt, g + "/" + v + "/" + p};
}

bool is_name(std::string_view text) {
  const std::string lower = lower_case(text);
  return !lower.empty() && is_dns_subdomain(lower);
}

std::optional<Resource> from_path(const std::vector<std::string_view>& parts) {
  if (parts.size() == 4 && parts[1] == "api" && is_dns_label(parts[2]) && is_dns_label(parts[3])) {
    return core_resource(parts[2], parts[3]);
  }
  if (parts.size() == 5 && parts[1] == "apis" && is_dns_subdomain(parts[2]) && is_dns_label(parts[3]) &&
      is_dns_label(parts[4])) {
    return group_resource(parts[2], parts[3], parts[4]);
  }
  return std::nullopt;
}

bool has_namespace(const std::vector<std::string_view>& parts) {
  return parts.size() > 4 && std::find(parts.begin() + 1, parts.end(), "namespaces") != parts.end();
}

}  // namespace

bool are_full_names(const std::vector<std::string>& names) {
  return std::all_of(names.begin(), names.end(), [](const std::string& name) {
    const auto parsed = parse_resource(name);
    return parsed && *parsed;
  });
}

bool operator==(const Resource& a, const Resource& b) noexcept {
  return a.root == b.root && a.plural == b.plural && a.namespaced == b.namespaced && a.kind == b.kind;
}

std::string api_version_of(const Resource& resource) {
  const std::string_view core = "/api/";
  const std::string_view groups = "/apis/";
  const bool in_core = resource.root.compare(0, core.size(), core) == 0;
  return resource.root.substr(std::min(resource.root.size(), in_core ? core.size() : groups.size()));
}

bool is_core_version(std::string_view text) noexcept {
  return text.size() > 1 && text[0] == 'v' && text[1] >= '1' && text[1] <= '9' && is_dns_label(text);
}

bool is_dns_label(std::string_view text) noexcept {
  if (text.empty() || text.size() > kMaxLabelLength || text.front() == '-' || text.back() == '-') return false;
  return std::all_of(text.begin(), text.end(), [](char c) { return is_lower(c) || is_digit(c) || c == '-'; });
}

bool is_dns_subdomain(std::string_view text) {
  if (text.size() > kMaxSubdomainLength) return false;
  const auto labels = split(text, '.');
  return std::all_of(labels.begin(), labels.end(), is_dns_label);
}

Expected<std::optional<Resource>> parse_resource(std::string_view text) {
  const auto parts = split(text, '/');
  if (parts.size() == 1) {
    if (!is_name(text)) return not_a_resource(text);
    return std::optional<Resource>{};
  }
  if (parts[0].empty()) {
    if (auto resource = from_path(parts)) return resource;
    if (has_namespace(parts)) {
      return Error{Status::invalid, "resource: " + in_quotes(text) +
                                        " has a namespace in it; expected the path of the whole collection, such as "
                                        "/api/v1/pods, and the namespace in the key namespace"};
    }
    return not_a_resource(text);
  }
  if (parts.size() == 2 && is_core_version(parts[0]) && is_dns_label(parts[1])) {
    return std::optional<Resource>{core_resource(parts[0], parts[1])};
  }
  if (parts.size() == 3 && is_dns_subdomain(parts[0]) && is_dns_label(parts[1]) && is_dns_label(parts[2])) {
    return std::optional<Resource>{group_resource(parts[0], parts[1], parts[2])};
  }
  return not_a_resource(text);
}

}  // namespace ksr::cluster
