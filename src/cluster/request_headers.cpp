#include "cluster/request_headers.hpp"

#include "base/text.hpp"
#include "transport/header_rules.hpp"

namespace ksr::cluster {
namespace {

// k8s.io/client-go/transport/round_trippers.go, headerKeyEscape.
std::string escaped_extra_key(std::string_view key) {
  std::string escaped;
  for (const char c : key) {
    const std::string_view one(&c, 1);
    escaped += transport::is_token(one) && c != '%' ? std::string(one) : percent_encode(one);
  }
  return escaped;
}

Error bad_value(const std::string& key) {
  return {Status::invalid, key + ": holds control characters; expected one line"};
}

Expected<void> check_impersonation(const Impersonation& who) {
  if (who.any() && !who.user.set()) {
    return Error{Status::invalid,
                 "impersonate_user: is not set, but impersonate_uid, impersonate_groups or impersonate_extra is"};
  }
  for (const ValueWithOrigin* value : {&who.user, &who.uid}) {
    if (has_control_characters(value->text)) return bad_value(value->role);
  }
  for (const ValueWithOrigin& group : who.groups) {
    if (has_control_characters(group.text)) return bad_value(group.role);
  }
  for (const auto& [key, value] : who.extra) {
    if (key.empty())
      return Error{Status::invalid, "impersonate_extra: the key is empty; expected impersonate_extra.KEY"};
    if (has_control_characters(value.text)) return bad_value(value.role);
  }
  return {};
}

void add_impersonation(std::vector<transport::Header>& headers, const Impersonation& who) {
  if (who.user.set()) headers.push_back({"Impersonate-User", who.user.text});
  if (who.uid.set()) headers.push_back({"Impersonate-Uid", who.uid.text});
  for (const auto& group : who.groups) headers.push_back({"Impersonate-Group", group.text});
  for (const auto& [key, value] : who.extra) {
    headers.push_back({"Impersonate-Extra-" + escaped_extra_key(lower_case(key)), value.text});
  }
}

Expected<void> check_header(const std::string& name, const std::string& value) {
  if (!transport::is_token(name)) {
    // Not repeated: a whole header line may stand there.
    return Error{Status::invalid, "header.NAME: is not a valid header name; expected letters, digits and '-'"};
  }
  if (transport::set_by(name) != transport::HeaderSetter::host) {
    return Error{
        Status::invalid,
        "header." + name + ": is set by the library itself; expected another header, or the config key for it"};
  }
  if (has_control_characters(value)) return bad_value("header." + name);
  return {};
}

}  // namespace

Expected<std::vector<transport::Header>> request_headers(const Impersonation& impersonation,
                                                         const ConnectionOptions& options) {
  if (has_control_characters(options.user_agent)) return bad_value("user_agent");
  if (auto fine = check_impersonation(impersonation); !fine) return fine.error();

  std::vector<transport::Header> headers;
  headers.push_back({"User-Agent", options.user_agent.empty() ? "libksr/" KSR_VERSION_STRING : options.user_agent});
  add_impersonation(headers, impersonation);
  for (const auto& [name, value] : options.headers) {
    if (auto fine = check_header(name, value); !fine) return fine.error();
    headers.push_back({name, value});
  }
  return headers;
}

}  // namespace ksr::cluster
