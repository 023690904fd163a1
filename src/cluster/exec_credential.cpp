#include "cluster/exec_credential.hpp"

#include <boost/json.hpp>

#include <optional>

#include "base/base64.hpp"
#include "base/civil_time.hpp"
#include "base/text.hpp"
#include "cluster/bounded_json.hpp"
#include "cluster/pem.hpp"
#include "cluster/yaml_document.hpp"

namespace ksr::cluster {
namespace {

Error wrong(const std::string& reason) {
  return {Status::auth, "its output " + reason};
}

// An absent member and null are the empty string; any other type is an error.
Expected<std::string> member_text(const boost::json::object& object, const char* name) {
  const boost::json::value* value = object.if_contains(name);
  if (value == nullptr || value->is_null()) return std::string();
  if (const boost::json::string* text = value->if_string()) return std::string(text->data(), text->size());
  return wrong(std::string("has a ") + name + " that is not a string");
}

boost::json::object cluster_of(const ExecCluster& cluster) {
  boost::json::object object;
  object["server"] = cluster.server;
  if (!cluster.tls_server_name.empty()) object["tls-server-name"] = cluster.tls_server_name;
  if (cluster.insecure_skip_tls_verify) object["insecure-skip-tls-verify"] = true;
  if (!cluster.ca_pem.empty()) object["certificate-authority-data"] = base64_encode(cluster.ca_pem);
  if (!cluster.proxy_url.empty()) object["proxy-url"] = cluster.proxy_url;
  if (cluster.disable_compression) object["disable-compression"] = true;
  boost::system::error_code failure;
  if (boost::json::value config = boost::json::parse(cluster.config, failure); !cluster.config.empty() && !failure) {
    object["config"] = std::move(config);
  }
  return object;
}

Expected<void> take_token(const boost::json::object& status, Credentials& credentials) {
  const auto token = member_text(status, "token");
  if (!token) return token.error();
  if (has_control_characters(*token)) return wrong("has a token with control characters");
  if (!token->empty()) credentials.authorization = bearer(*token);
  return {};
}

Expected<void> take_certificate(const boost::json::object& status, Credentials& credentials) {
  auto certificate = member_text(status, "clientCertificateData");
  if (!certificate) return certificate.error();
  auto key = member_text(status, "clientKeyData");
  if (!key) return key.error();
  if (certificate->empty() != key->empty()) return wrong("has only one of clientCertificateData and clientKeyData");
  if (certificate->empty()) return {};
  if (auto fine = check_certificates("clientCertificateData", *certificate); !fine)
    return wrong("is unusable: " + fine.error().message);
  if (auto fine = check_key("clientKeyData", *key, *certificate); !fine)
    return wrong("is unusable: " + fine.error().message);
  credentials.certificate_pem = *std::move(certificate);
  credentials.key_pem = *std::move(key);
  return {};
}

Expected<void> take_expiry(const boost::json::object& status, Credentials& credentials) {
  const auto text = member_text(status, "expirationTimestamp");
  if (!text) return text.error();
  if (text->empty()) return {};
  const auto time = parse_rfc3339(*text);
  if (!time) return wrong("has an expirationTimestamp that is not an RFC 3339 time");
  credentials.expires = to_time_point(*time);
  return {};
}

// As kubectl's decoder, which takes what begins with a brace for JSON and else for YAML
// (k8s.io/apimachinery/pkg/util/yaml, IsJSONBuffer): of JSON with something behind it nothing is taken.
std::optional<boost::json::value> parsed(const std::string& output) {
  const std::string_view text = trimmed(without_byte_order_mark(output));
  if (!text.empty() && text.front() == '{') return parse_bounded_json(text);
  try {
    // YAML has strings that JSON has not, such as those that are not UTF-8.
    return parse_bounded_json(yaml_as_json(YamlDocument(output).root(), ""));
  } catch (const YamlMismatch&) {
    return std::nullopt;
  }
}

Expected<boost::json::object> checked_object(const std::string& output, const std::string& api_version) {
  if (trimmed(output).empty())
    return Error{Status::auth, "it printed nothing; expected an ExecCredential in JSON or YAML"};
  std::optional<boost::json::value> value = parsed(output);
  if (!value || !value->is_object()) return wrong("is not an object in JSON or YAML; expected an ExecCredential");
  boost::json::object& object = value->get_object();
  const auto kind = member_text(object, "kind");
  // Without one it is what is asked for (k8s.io/apimachinery/pkg/runtime/serializer/json/json.go, gvkWithDefaults).
  if (!kind || (!kind->empty() && *kind != "ExecCredential"))
    return wrong("is of another kind; expected ExecCredential");
  const auto version = member_text(object, "apiVersion");
  // The apiVersion of the response is that of the request (k8s.io/client-go/plugin/pkg/client/auth/exec/exec.go).
  if (!version || *version != api_version) return wrong("is of another apiVersion; expected " + api_version);
  return {std::move(object)};
}

}  // namespace

std::string exec_info(const std::string& api_version, const ExecCluster* cluster) {
  boost::json::object spec;
  spec["interactive"] = false;
  if (cluster != nullptr) spec["cluster"] = cluster_of(*cluster);
  boost::json::object info;
  info["kind"] = "ExecCredential";
  info["apiVersion"] = api_version;
  info["spec"] = std::move(spec);
  return boost::json::serialize(info);
}

Expected<Credentials> parse_exec_credential(const std::string& output, const std::string& api_version) {
  const auto object = checked_object(output, api_version);
  if (!object) return object.error();
  const boost::json::value* status = object->if_contains("status");
  if (status == nullptr || !status->is_object()) return wrong("has no status");
  Credentials credentials;
  if (auto fine = take_token(status->get_object(), credentials); !fine) return fine.error();
  if (auto fine = take_certificate(status->get_object(), credentials); !fine) return fine.error();
  if (auto fine = take_expiry(status->get_object(), credentials); !fine) return fine.error();
  if (credentials.authorization.empty() && credentials.certificate_pem.empty()) {
    return wrong("has neither a token nor a certificate and key");
  }
  return credentials;
}

std::vector<std::string> secrets_of_exec_credential(const std::string& output) {
  const std::optional<boost::json::value> value = parsed(output);
  const boost::json::object* object = value ? value->if_object() : nullptr;
  const boost::json::value* status = object == nullptr ? nullptr : object->if_contains("status");
  std::vector<std::string> secrets;
  if (status == nullptr || !status->is_object()) return secrets;
  for (const char* name : {"token", "clientKeyData"}) {
    auto text = member_text(status->get_object(), name);
    if (text && !text->empty()) secrets.push_back(*std::move(text));
  }
  return secrets;
}

}  // namespace ksr::cluster
