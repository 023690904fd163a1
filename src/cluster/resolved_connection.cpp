#include "cluster/resolved_connection.hpp"

namespace ksr::cluster {
namespace {

// Length before text, so that no two lists of texts come out the same.
class Fingerprint {
 public:
  Fingerprint& operator<<(const std::string& text) {
    text_ += std::to_string(text.size());
    text_ += ':';
    text_ += text;
    return *this;
  }
  // What a file held is no part of it: the same file is the same connection before and after it was rotated.
  Fingerprint& operator<<(const Pem& pem) {
    return pem.from_file() ? *this << "file" << pem.file.path : *this << "text" << pem.text;
  }
  Fingerprint& operator<<(const ExecPlan& exec) {
    const ExecStanza& stanza = exec.stanza;
    *this << stanza.api_version << stanza.command << (stanza.provide_cluster_info ? exec.cluster.config : "-");
    for (const std::string& argument : stanza.arguments) *this << "argument" << argument;
    for (const auto& [name, value] : stanza.variables) *this << "variable" << name << value;
    return *this << std::to_string(exec.timeout.count());
  }
  Fingerprint& operator<<(const HeadlampPlan& headlamp) {
    for (const auto& header : headlamp.http_headers) *this << header.name << header.value;
    for (const std::string& subprotocol : headlamp.subprotocols) *this << "subprotocol" << subprotocol;
    return *this;
  }
  const std::string& text() const noexcept { return text_; }

 private:
  std::string text_;
};

}  // namespace

std::string fingerprint(const ResolvedConnection& settings) {
  const Authentication& authentication = settings.authentication;
  const bool token_from_file = !authentication.token_file.path.empty();
  Fingerprint print;
  print << settings.server.text() << settings.ca << settings.client_certificate << settings.client_key;
  print << settings.tls_server_name << (settings.skip_verify ? "skip" : "verify");
  if (settings.proxy) print << "proxy" << settings.proxy->text() << settings.proxy->userinfo;
  print << std::to_string(settings.connect_timeout.count());
  print << authentication.token_file.path << (token_from_file ? std::string() : authentication.token);
  print << authentication.username << authentication.password;
  if (authentication.exec) print << "exec" << *authentication.exec;
  if (settings.headlamp) print << "headlamp" << *settings.headlamp;
  print << (settings.compression ? "gzip" : "plain");
  for (const auto& header : settings.headers) print << header.name << header.value;
  return print.text();
}

}  // namespace ksr::cluster
