#include "cluster/renewal_plans.hpp"

#include <algorithm>

#include "base/base64.hpp"
#include "cluster/pem.hpp"

namespace ksr::cluster {
namespace {

// client-go: transport/token_source.go, transport/cert_rotation.go and transport/ca_rotation.go.
constexpr Milliseconds token_file_period{60'000};
constexpr Milliseconds certificate_file_period{300'000};
constexpr Milliseconds expiry_leeway{10'000};

Expected<std::string> text_again(const Pem& pem) {
  if (!pem.from_file()) return pem.text;
  return read_file(pem.file, largest_credential_file);
}

Expected<Contribution> read_ca(const Pem& ca) {
  auto text = text_again(ca);
  if (!text) return text.error();
  if (auto fine = check_certificates(ca.file.role + " " + ca.file.path, *text); !fine) return fine.error();
  Contribution read;
  read.ca_pem = *std::move(text);
  return read;
}

// A pair caught in the middle of its rotation does not match, and is no pair.
Expected<Contribution> read_client_certificate(const Pem& certificate, const Pem& key) {
  auto certificate_text = text_again(certificate);
  if (!certificate_text) return certificate_text.error();
  auto key_text = text_again(key);
  if (!key_text) return key_text.error();
  if (auto fine = check_certificates(certificate.file.role + " " + certificate.file.path, *certificate_text); !fine) {
    return fine.error();
  }
  if (auto fine = check_key(key.file.role + " " + key.file.path, *key_text, *certificate_text); !fine)
    return fine.error();
  Contribution read;
  read.certificate_pem = *std::move(certificate_text);
  read.key_pem = *std::move(key_text);
  return read;
}

Expected<Contribution> read_token(const NamedFile& file) {
  auto token = read_token_file(file);
  if (!token) return token.error();
  Contribution read;
  read.authorization = bearer(*token);
  return read;
}

RenewalPlan file_plan(const NamedFile& file, Milliseconds period) {
  RenewalPlan plan;
  plan.name = file.role + " " + file.path;
  plan.period = period;
  plan.outlives_failure = true;
  return plan;
}

// Fetched again before it expires, so that none expires on the way; a short life is not cut by much.
void apply_leeway(Contribution& credentials, WallTime now) {
  if (!credentials.expires) return;
  const auto life = *credentials.expires - now;
  if (life > life.zero()) *credentials.expires -= std::min<WallTime::duration>(expiry_leeway, life / 5);
}

RenewalPlan exec_plan(const ExecPlan& exec, const Surroundings& surroundings,
                      const std::shared_ptr<const std::atomic<bool>>& stop) {
  RenewalPlan plan;
  plan.name = exec.role;
  plan.credentials = true;
  plan.fetch = [exec, stop, wall_clock = surroundings.wall_clock]() -> Expected<Contribution> {
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

Contribution contribution_of(const Settings& settings) {
  const Authentication& authentication = settings.authentication;
  Contribution said;
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

std::vector<PlannedRenewal> renewals_of(const Settings& settings, const Surroundings& surroundings,
                                        const std::shared_ptr<const std::atomic<bool>>& stop) {
  std::vector<PlannedRenewal> renewals;
  if (const NamedFile& file = settings.authentication.token_file; !file.path.empty()) {
    RenewalPlan plan = file_plan(file, token_file_period);
    plan.credentials = true;
    plan.fetch = [file] { return read_token(file); };
    Contribution initial;
    initial.authorization = bearer(settings.authentication.token);
    renewals.push_back({std::move(plan), std::move(initial)});
  }
  if (settings.ca.from_file()) {
    RenewalPlan plan = file_plan(settings.ca.file, certificate_file_period);
    plan.fetch = [ca = settings.ca] { return read_ca(ca); };
    Contribution initial;
    initial.ca_pem = settings.ca.text;
    renewals.push_back({std::move(plan), std::move(initial)});
  }
  if (settings.client_certificate.from_file() || settings.client_key.from_file()) {
    RenewalPlan plan = file_plan(settings.client_certificate.file, certificate_file_period);
    plan.by_itself = true;
    plan.fetch = [certificate = settings.client_certificate, key = settings.client_key] {
      return read_client_certificate(certificate, key);
    };
    Contribution initial;
    initial.certificate_pem = settings.client_certificate.text;
    initial.key_pem = settings.client_key.text;
    renewals.push_back({std::move(plan), std::move(initial)});
  }
  if (settings.authentication.exec) {
    renewals.push_back({exec_plan(*settings.authentication.exec, surroundings, stop), std::nullopt});
  }
  return renewals;
}

}  // namespace ksr::cluster
