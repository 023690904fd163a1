// What of some settings has to be read again, how, and how often.
#pragma once

#include <vector>

#include "cluster/renewable.hpp"
#include "cluster/settings.hpp"

namespace ksr::cluster {

struct PlannedRenewal {
  RenewalPlan plan;
  // What was read when the connection was opened.
  Contribution initial;
};

std::string bearer(const std::string& token);
// What the settings say by themselves, files included as they were read when the connection was opened.
Contribution contribution_of(const Settings& settings);
std::vector<PlannedRenewal> renewals_of(const Settings& settings);

}  // namespace ksr::cluster
