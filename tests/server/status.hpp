// `ApiStatus` is a failure as the API reports it (metav1.Status); used by World and the handlers. A value: on any
// thread.
#pragma once
#include <cstdint>
#include <string>
#include <string_view>

namespace ksr::testserver {

struct ResourceType;

// The messages are those of kube-apiserver 1.36, byte for byte where a client could depend on them.
struct ApiStatus {
  unsigned code = 0;
  std::string reason;
  std::string message;
  std::string details_json;    // a JSON object such as {"kind":"pods"}; empty: no details
  std::string continue_token;  // in metadata
  unsigned retry_after_seconds = 0;

  std::string body() const;  // without the newline that ends a body
};

std::string json_quoted(std::string_view text);

ApiStatus status_of_code(unsigned code, const std::string& message = "");
ApiStatus too_old_watch(std::uint64_t asked, std::uint64_t oldest);
ApiStatus too_old_list();
ApiStatus too_old_continue(const std::string& inconsistent_token);
ApiStatus too_large(std::uint64_t asked, std::uint64_t current);
ApiStatus bad_request(const std::string& message);
ApiStatus invalid_list_options(const std::string& field, const std::string& message);
ApiStatus not_found(const ResourceType& type, const std::string& name);
ApiStatus already_exists(const ResourceType& type, const std::string& name);
ApiStatus conflict(const ResourceType& type, const std::string& name);
ApiStatus forbidden(const ResourceType& type, const std::string& user, const std::string& verb, const std::string& ns,
                    const std::string& name);

}  // namespace ksr::testserver
