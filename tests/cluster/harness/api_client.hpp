// `ApiClient` is a small synchronous client of the apiserver with one kept-alive connection, for what a test does to
// the cluster; used by Cluster and the tests. It shares no code with the library under test. Lives on any one thread at
// a time.
#pragma once

#include <boost/json/value.hpp>
#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <vector>

namespace ksr::clustertest {

struct Endpoint {
  std::uint16_t port = 0;  // on 127.0.0.1
  std::string ca_file;     // empty: plain HTTP
};

struct Reply {
  int status = 0;
  boost::json::value body;  // a string when the server did not answer in JSON
};

class ApiClient {
 public:
  ApiClient(Endpoint endpoint, std::string token);
  ~ApiClient();
  ApiClient(ApiClient&&) noexcept;
  ApiClient& operator=(ApiClient&&) noexcept;

  // Throws HarnessError if there is no reply. A kept connection that fails is replaced once.
  Reply request(const std::string& method, const std::string& path, const boost::json::value* body = nullptr,
                const std::string& content_type = "application/json");

  // These throw ApiRefused unless the answer is 2xx, and return the object as the server now has it.
  boost::json::object get(const std::string& path);
  std::optional<boost::json::object> find(const std::string& path);  // nullopt on 404
  boost::json::object create(const std::string& collection, const boost::json::object& object);
  boost::json::object replace(const std::string& path, const boost::json::object& object);
  boost::json::object patch(const std::string& path, const boost::json::object& merge_patch);  // RFC 7386
  boost::json::object patch_status(const std::string& path, const boost::json::object& status);
  void erase(const std::string& path);             // at once, without a grace period
  void erase_collection(const std::string& path);  // may carry a query

  // Every object of the collection, in pages if there are many; the path may carry a query.
  std::vector<boost::json::object> list(const std::string& path);
  // The resourceVersion of a list read from etcd now, not from the watch cache.
  std::string list_version(const std::string& path);

 private:
  class Connection;
  boost::json::object expect_object(const std::string& method, const std::string& path, const boost::json::value* body,
                                    const std::string& content_type = "application/json");

  Endpoint endpoint_;
  std::string token_;
  std::unique_ptr<Connection> connection_;
};

// object.metadata.NAME as a string; empty when absent.
std::string metadata_of(const boost::json::object& object, const char* name);

}  // namespace ksr::clustertest
