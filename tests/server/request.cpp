#include "server/request.hpp"

#include "server/resource_type.hpp"

namespace ksr::testserver {
namespace {

bool is_discovery(const std::vector<std::string>& segments, const ResourceTypes& types) {
  const auto count = segments.size();
  if (count == 0) return false;
  if (segments[0] == "api") return count == 1 || (count == 2 && segments[1] == "v1");
  if (segments[0] != "apis") return false;
  if (count == 1) return true;
  if (count == 2) return !types.versions(segments[1]).empty();
  return count == 3 && !types.of_version(segments[1], segments[2]).empty();
}

bool route_resource(ApiRequest& request, const ResourceTypes& types) {
  auto rest = request.target.segments;
  if (rest.empty() || (rest[0] != "api" && rest[0] != "apis")) return false;
  const std::size_t root = rest[0] == "api" ? 2 : 3;
  if (rest.size() <= root) return false;
  const std::string group = root == 3 ? rest[1] : "";
  const std::string version = rest[root - 1];
  rest.erase(rest.begin(), rest.begin() + static_cast<std::ptrdiff_t>(root));
  const bool in_namespace = rest.size() >= 3 && rest[0] == "namespaces";
  if (in_namespace) {
    request.ns = rest[1];
    rest.erase(rest.begin(), rest.begin() + 2);
  }
  if (rest.size() > 3) return false;
  request.type = types.find(group, version, rest[0]);
  if (!request.type || (in_namespace && !request.type->namespaced)) return false;
  if (rest.size() > 1) request.name = rest[1];
  if (rest.size() > 2) request.subresource = rest[2];
  return request.name.empty() || in_namespace == request.type->namespaced;
}

// exec, attach and port-forward of a pod, and its proxy, which takes any WebSocket.
bool is_stream(const std::string& subresource) {
  return subresource == "exec" || subresource == "attach" || subresource == "portforward" || subresource == "proxy";
}

std::string resource_verb(const ApiRequest& request) {
  if (request.method != "GET") return "write";
  if (request.type->plural == "pods" && request.subresource == "log") return "log";
  if (request.type->plural == "pods" && is_stream(request.subresource)) return "stream";
  if (request.target.flag("watch")) return "watch";
  return request.name.empty() ? "list" : "get";
}

}  // namespace

std::string header_value(const Headers& headers, std::string_view name) {
  for (const auto& [key, value] : headers) {
    if (equal_ignoring_case(key, name)) return value;
  }
  return "";
}

std::vector<std::string> header_list(const Headers& headers, std::string_view name) {
  std::vector<std::string> result;
  for (const auto& [key, value] : headers) {
    if (!equal_ignoring_case(key, name)) continue;
    std::string_view rest = value;
    while (true) {
      const auto comma = rest.find(',');
      auto part = rest.substr(0, comma);
      while (!part.empty() && part.front() == ' ') part.remove_prefix(1);
      while (!part.empty() && part.back() == ' ') part.remove_suffix(1);
      if (!part.empty()) result.emplace_back(part);
      if (comma == std::string_view::npos) break;
      rest.remove_prefix(comma + 1);
    }
  }
  return result;
}

bool route(ApiRequest& request, const ResourceTypes& types) {
  const auto& segments = request.target.segments;
  if (is_discovery(segments, types)) {
    request.verb = "discovery";
    return true;
  }
  if (segments.size() == 1) {
    const auto& word = segments[0];
    return word == "version" || word == "readyz" || word == "livez" || word == "healthz";
  }
  if (!route_resource(request, types)) {
    request.type = nullptr;
    return false;
  }
  request.verb = resource_verb(request);
  return true;
}

std::string access_verb(const ApiRequest& request) {
  if (request.verb == "log" || request.verb == "stream") return "get";
  if (request.verb != "write") return request.verb;
  if (request.method == "POST") return "create";
  if (request.method == "PUT") return "update";
  if (request.method == "PATCH") return "patch";
  return "delete";
}

const char* reason_phrase(unsigned status) {
  switch (status) {
    case 101:
      return "Switching Protocols";
    case 200:
      return "OK";
    case 201:
      return "Created";
    case 301:
      return "Moved Permanently";
    case 302:
      return "Found";
    case 307:
      return "Temporary Redirect";
    case 308:
      return "Permanent Redirect";
    case 400:
      return "Bad Request";
    case 401:
      return "Unauthorized";
    case 403:
      return "Forbidden";
    case 404:
      return "Not Found";
    case 405:
      return "Method Not Allowed";
    case 409:
      return "Conflict";
    case 410:
      return "Gone";
    case 415:
      return "Unsupported Media Type";
    case 422:
      return "Unprocessable Entity";
    case 429:
      return "Too Many Requests";
    case 500:
      return "Internal Server Error";
    case 502:
      return "Bad Gateway";
    case 503:
      return "Service Unavailable";
    case 504:
      return "Gateway Timeout";
    default:
      return "Unknown";
  }
}

}  // namespace ksr::testserver
