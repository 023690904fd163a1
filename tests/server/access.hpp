// `AccessRules` decides what a request may do: bearer tokens, basic credentials, client certificates, impersonation and
// denials; used by World. Lives on the server's thread.
#pragma once
#include <optional>
#include <string>
#include <vector>

#include "server/request.hpp"
#include "server/server_options.hpp"

namespace ksr::testserver {

class AccessRules {
 public:
  void add_token(Token token) { tokens_.push_back(std::move(token)); }
  void remove_token(const std::string& token);
  void deny(Denial denial) { denials_.push_back(std::move(denial)); }
  void clear_denials() { denials_.clear(); }
  void require_authentication() { anonymous_allowed_ = false; }

  // The user's name; nullopt: 401. Removes a bearer token from the WebSocket subprotocols as the apiserver does.
  std::optional<std::string> authenticate(ApiRequest& request, const std::string& certificate_user) const;
  bool allowed(const std::string& user, const std::string& verb, const std::string& plural,
               const std::string& ns) const;

 private:
  std::optional<std::string> user_of_token(const std::string& token) const;

  std::vector<Token> tokens_;
  std::vector<Denial> denials_;
  bool anonymous_allowed_ = true;
};

}  // namespace ksr::testserver
