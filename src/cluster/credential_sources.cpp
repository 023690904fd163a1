#include "cluster/credential_sources.hpp"

#include <algorithm>

#include "base/base64.hpp"
#include "cluster/pem.hpp"

namespace ksr::cluster {
namespace {

// client-go: transport/token_source.go, transport/cert_rotation.go and transport/ca_rotation.go.
constexpr Milliseconds kTokenFilePeriod{60'000};
constexpr Milliseconds kCertificateFilePeriod{300'000};
constexpr Milliseconds kExpiryLeeway{10'000};

Expected<std::string> text_again(const Pem& pem) {
  if (!pem.from_file()) return pem.text;
  return read_file(pem.file, kMaxCredentialFileSize);
}

Expected<Credentials> read_ca(const Pem& ca) {
  auto text = text_again(ca);
  if (!text) return text.error();
  if (auto fine = check_certificates(ca.file.role + " " + ca.file.path, *text); !fine) return fine.error();
  Credentials read;
  read.ca_pem = *std::move(text);
  return read;
}

// A pair caught in the middle of its rotation does not match, and is no pair.
Expected<Credentials> read_client_certificate(const Pem& certificate, const Pem& key) {
  auto certificate_text = text_again(certificate);
  if (!certificate_text) return certificate_text.error();
  auto key_text = text_again(key);
  if (!key_text) return key_text.error();
  if (auto fine = check_certificates(certificate.file.role + " " + certificate.file.path, *certificate_text); !fine) {
    return fine.error();
  }
  if (auto fine = check_key(key.file.role + " " + key.file.path, *key_text, *certificate_text); !fine)
    return fine.error();
  Credentials read;
  read.certificate_pem = *std::move(certificate_text);
  read.key_pem = *std::move(key_text);
  return read;
}

Expected<Credentials> read_token(const NamedFile& file) {
  auto token = read_token_file(file);
  if (!token) return token.error();
  Credentials read;
  read.authorization = bearer(*token);
  return read;
}

CredentialSourcePlan file_plan(const NamedFile& file, Milliseconds period) {
  CredentialSourcePlan plan;
  plan.name = file.role + " " + file.path;
  plan.period = period;
  plan.keep_stale_on_error = true;
  return plan;
}

// Fetched again before it expires, so that none expires on the way; a short life is not cut by much.
void apply_leeway(Credentials& credentials, WallTime now) {
  if (!credentials.expires) return;
  const auto life = *credentials.expires - now;
  if (life > life.zero()) *credentials.expires -= std::min<WallTime::duration>(kExpiryLeeway, life / 5);
}

CredentialSourcePlan exec_plan(const ExecPlan& exec, const ProcessEnvironment& process_env,
                               const std::shared_ptr<const std::atomic<bool>>& stop) {
  CredentialSourcePlan plan;
  plan.name = exec.role;
  plan.credentials = true;
  plan.fetch = [exec, stop, wall_clock = process_env.wall_clock]() -> Expected<Credentials> {
    auto credentials = run_exec_plugin(exec, *stop);
    if (credentials) apply_leeway(*credentials, wall_clock());
    return credentials;
  };
  return plan;
}

}  // namespace

std::string bearer(const std::string& token) {
  return "Bearer " + token;
}

Credentials credentials_of(const ResolvedConnection& settings) {
  const Authentication& authentication = settings.authentication;
  Credentials said;
  if (!authentication.token.empty()) {
    said.authorization = bearer(authentication.token);
  } else if (!authentication.username.empty() || !authentication.password.empty()) {
    said.authorization = "Basic " + base64_encode(authentication.username + ":" + authentication.password);
  }
  said.ca_pem = settings.ca.text;
  said.certificate_pem = settings.client_certificate.text;
  said.key_pem = settings.client_key.text;
  return said;
}

std::vector<PlannedCredentialSource> credential_sources_of(const ResolvedConnection& settings,
                                                           const ProcessEnvironment& process_env,
                                                           const std::shared_ptr<const std::atomic<bool>>& stop) {
  std::vector<PlannedCredentialSource> renewals;
  if (const NamedFile& file = settings.authentication.token_file; !file.path.empty()) {
    CredentialSourcePlan plan = file_plan(file, kTokenFilePeriod);
    plan.credentials = true;
    plan.fetch = [file] { return read_token(file); };
    Credentials initial;
    initial.authorization = bearer(settings.authentication.token);
    renewals.push_back({std::move(plan), std::move(initial)});
  }
  if (settings.ca.from_file()) {
    CredentialSourcePlan plan = file_plan(settings.ca.file, kCertificateFilePeriod);
    plan.fetch = [ca = settings.ca] { return read_ca(ca); };
    Credentials initial;
    initial.ca_pem = settings.ca.text;
    renewals.push_back({std::move(plan), std::move(initial)});
  }
  if (settings.client_certificate.from_file() || settings.client_key.from_file()) {
    CredentialSourcePlan plan = file_plan(settings.client_certificate.file, kCertificateFilePeriod);
    plan.proactive = true;
    plan.fetch = [certificate = settings.client_certificate, key = settings.client_key] {
      return read_client_certificate(certificate, key);
    };
    Credentials initial;
    initial.certificate_pem = settings.client_certificate.text;
    initial.key_pem = settings.client_key.text;
    renewals.push_back({std::move(plan), std::move(initial)});
  }
  if (settings.authentication.exec) {
    renewals.push_back({exec_plan(*settings.authentication.exec, process_env, stop), std::nullopt});
  }
  return renewals;
}

}  // namespace ksr::cluster
