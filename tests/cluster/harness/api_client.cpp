#include "cluster/harness/api_client.hpp"

#include <boost/json/parse.hpp>
#include <boost/json/serialize.hpp>
#include <boost/system/system_error.hpp>

#include "cluster/harness/harness_error.hpp"
#include "cluster/harness/http_connection.hpp"

namespace ksr::clustertest {
namespace {

namespace http = boost::beast::http;
namespace json = boost::json;

constexpr int kHttpVersion = 11;

HttpRequest make_request(const std::string& method, const std::string& path, const std::string& token) {
  HttpRequest request(http::string_to_verb(method), path, kHttpVersion);
  if (request.method() == http::verb::unknown) throw HarnessError("unknown HTTP method " + method);
  request.set(http::field::host, "127.0.0.1");
  request.set(http::field::accept, "application/json");
  request.set(http::field::user_agent, "ksr-cluster-tests");
  if (!token.empty()) request.set(http::field::authorization, "Bearer " + token);
  return request;
}

std::string text_at(const json::object& object, const char* key) {
  const json::value* value = object.if_contains(key);
  return value != nullptr && value->is_string() ? std::string(value->get_string()) : std::string();
}

bool ok(const Reply& reply) {
  return reply.status >= 200 && reply.status < 300;
}

ApiRefused refusal(const std::string& method, const std::string& path, const Reply& reply) {
  const std::string what = method + " " + path + ": HTTP " + std::to_string(reply.status) + ": ";
  if (!reply.body.is_object()) return {reply.status, "", what + json::serialize(reply.body)};
  const json::object& status = reply.body.get_object();
  return {reply.status, text_at(status, "reason"), what + text_at(status, "message")};
}

std::string with_query(const std::string& path, const std::string& query) {
  return path + (path.find('?') == std::string::npos ? '?' : '&') + query;
}

}  // namespace

class ApiClient::Connection : public HttpConnection {
  using HttpConnection::HttpConnection;
};

ApiClient::ApiClient(Endpoint endpoint, std::string token) : endpoint_(std::move(endpoint)), token_(std::move(token)) {}
ApiClient::~ApiClient() = default;
ApiClient::ApiClient(ApiClient&&) noexcept = default;
ApiClient& ApiClient::operator=(ApiClient&&) noexcept = default;

Reply ApiClient::request(const std::string& method, const std::string& path, const json::value* body,
                         const std::string& content_type) {
  HttpRequest request = make_request(method, path, token_);
  if (body != nullptr) {
    request.set(http::field::content_type, content_type);
    request.body() = json::serialize(*body);
    request.prepare_payload();
  }
  for (;;) {
    const bool kept = connection_ != nullptr;
    try {
      if (!kept) connection_ = std::make_unique<Connection>(endpoint_);
      HttpResponse response = connection_->exchange(request);
      if (!response.keep_alive()) connection_.reset();
      json::error_code not_json;
      json::value parsed = json::parse(response.body(), not_json);
      if (not_json) parsed = json::string(response.body());
      return {static_cast<int>(response.result_int()), std::move(parsed)};
    } catch (const boost::system::system_error& failure) {
      connection_.reset();
      if (!kept) throw HarnessError(method + " " + path + ": " + failure.what());
    }
  }
}

json::object ApiClient::expect_object(const std::string& method, const std::string& path, const json::value* body,
                                      const std::string& content_type) {
  Reply reply = request(method, path, body, content_type);
  if (!ok(reply)) throw refusal(method, path, reply);
  if (!reply.body.is_object()) throw HarnessError(method + " " + path + ": the response is not a JSON object");
  return std::move(reply.body.get_object());
}

json::object ApiClient::get(const std::string& path) {
  return expect_object("GET", path, nullptr);
}

std::optional<json::object> ApiClient::find(const std::string& path) {
  try {
    return get(path);
  } catch (const ApiRefused& refused) {
    if (refused.status() == 404) return std::nullopt;
    throw;
  }
}

json::object ApiClient::create(const std::string& collection, const json::object& object) {
  const json::value body(object);
  return expect_object("POST", collection, &body);
}

json::object ApiClient::replace(const std::string& path, const json::object& object) {
  const json::value body(object);
  return expect_object("PUT", path, &body);
}

json::object ApiClient::patch(const std::string& path, const json::object& merge_patch) {
  const json::value body(merge_patch);
  return expect_object("PATCH", path, &body, "application/merge-patch+json");
}

json::object ApiClient::patch_status(const std::string& path, const json::object& status) {
  return patch(path + "/status", {{"status", status}});
}

void ApiClient::erase(const std::string& path) {
  const json::value at_once = {{"kind", "DeleteOptions"}, {"apiVersion", "v1"}, {"gracePeriodSeconds", 0}};
  expect_object("DELETE", path, &at_once);
}

void ApiClient::erase_collection(const std::string& path) {
  erase(path);
}

std::vector<json::object> ApiClient::list(const std::string& path) {
  std::vector<json::object> all;
  const std::string first = with_query(path, "limit=500");
  std::string next = first;
  for (;;) {
    json::object page = get(next);
    for (json::value& item : page.at("items").as_array()) all.push_back(std::move(item.as_object()));
    const std::string token = text_at(page.at("metadata").as_object(), "continue");
    if (token.empty()) return all;
    next = first + "&continue=" + token;  // base64url needs no escaping
  }
}

std::string ApiClient::list_version(const std::string& path) {
  return text_at(get(with_query(path, "limit=1")).at("metadata").as_object(), "resourceVersion");
}

std::string metadata_of(const json::object& object, const char* name) {
  const json::value* metadata = object.if_contains("metadata");
  return metadata != nullptr && metadata->is_object() ? text_at(metadata->get_object(), name) : std::string();
}

}  // namespace ksr::clustertest
