// Who may log in to the test cluster, by bearer token (kube-apiserver's --token-auth-file).
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
// Allowed nothing until a test binds it to a role, such as make_reader_role's.
User reader_user();
// Never allowed anything.
User nobody_user();

std::string token_file_content(const std::vector<User>& users);

}  // namespace ksr::clustertest
