// What of some settings has to be read again, how, and how often.
#pragma once

#include <atomic>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "cluster/credential_source.hpp"
#include "cluster/resolved_connection.hpp"

namespace ksr::cluster {

struct PlannedCredentialSource {
  CredentialSourcePlan plan;
  // What was read when the connection was opened; empty: nothing yet.
  std::optional<Credentials> initial;
};

std::string bearer(const std::string& token);
// What the settings say by themselves, files included as they were read when the connection was opened.
Credentials credentials_of(const ResolvedConnection& settings);
// Raising `stop` ends a plugin that is running. `process_env` outlives all fetches.
std::vector<PlannedCredentialSource> credential_sources_of(const ResolvedConnection& settings,
                                                           const ProcessEnvironment& process_env,
                                                           const std::shared_ptr<const std::atomic<bool>>& stop);

}  // namespace ksr::cluster
