#include "cluster/harness/users.hpp"

namespace ksr::clustertest {

User admin_user() {
  return {"admin", "admin-token-of-the-cluster-tests", "system:masters"};
}
User reader_user() {
  return {"reader", "reader-token-of-the-cluster-tests", ""};
}
User unprivileged_user() {
  return {"unprivileged", "unprivileged-token-of-the-cluster-tests", ""};
}

std::string token_file_content(const std::vector<User>& users) {
  std::string content;
  for (const User& user : users) {
    content += user.token + "," + user.name + "," + user.name + "-uid";
    if (!user.groups.empty()) content += ",\"" + user.groups + "\"";
    content += "\n";
  }
  return content;
}

}  // namespace ksr::clustertest
