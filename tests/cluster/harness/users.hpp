// The users of the test cluster, which authenticate by bearer token (kube-apiserver's --token-auth-file); used by
// Cluster and the tests. On any thread.
#pragma once

#include <string>
#include <vector>

namespace ksr::clustertest {

struct User {
  std::string name;
  std::string token;
  std::string groups;  // comma-separated
};

// Member of system:masters: everything is allowed.
User admin_user();
// Has no permission until a test binds it to a role, such as make_reader_role's.
User reader_user();
// Never has any permission.
User unprivileged_user();

std::string token_file_content(const std::vector<User>& users);

}  // namespace ksr::clustertest
