// What of some settings has to be read again, how, and how often.
#pragma once

#include <atomic>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "cluster/renewable.hpp"
#include "cluster/settings.hpp"

namespace ksr::cluster {

struct PlannedRenewal {
  RenewalPlan plan;
  // What was read when the connection was opened; empty: nothing yet.
  std::optional<Contribution> initial;
};

std::string bearer(const std::string& token);
// What the settings say by themselves, files included as they were read when the connection was opened.
Contribution contribution_of(const Settings& settings);
// Raising `stop` ends a plugin that is running. `surroundings` outlives all fetches.
std::vector<PlannedRenewal> renewals_of(const Settings& settings, const Surroundings& surroundings,
                                        const std::shared_ptr<const std::atomic<bool>>& stop);

}  // namespace ksr::cluster
