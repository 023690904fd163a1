// `ApiRequest` is a request as received with its meaning to the API, and `Reply` a response; used by World and
// Connection. Values: on any thread.
#pragma once
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "server/query.hpp"

namespace ksr::testserver {

struct ResourceType;
class ResourceTypes;

using Headers = std::vector<std::pair<std::string, std::string>>;

// The value of the first header of that name, compared without case; empty without one.
std::string header_value(const Headers& headers, std::string_view name);
// Elements of all headers of that name, split at commas.
std::vector<std::string> header_list(const Headers& headers, std::string_view name);

// A request as received, and its meaning to the API.
struct ApiRequest {
  std::string method;
  std::string raw_target;
  Headers headers;
  std::string body;
  bool keep_alive = true;

  Target target;
  bool websocket = false;
  std::vector<std::string> subprotocols;

  const ResourceType* type = nullptr;
  std::string ns;
  std::string name;
  std::string subresource;
  // list, watch, get, log, stream, write, discovery, other; other with no type is an unknown path unless a fixed
  // document.
  std::string verb = "other";
  std::string user;

  std::string header(std::string_view header_name) const { return header_value(headers, header_name); }
};

struct Reply {
  unsigned status = 200;
  std::string content_type = "application/json";
  std::string body;
  Headers headers;
};

// Fills in the members after `target` from the path. False: no such path.
bool route(ApiRequest& request, const ResourceTypes& types);
// The request's RBAC verb: list, watch, get, create, update, patch, delete.
std::string access_verb(const ApiRequest& request);

const char* reason_phrase(unsigned status);

}  // namespace ksr::testserver
