#include <utility>

#include "cluster/query.hpp"
#include "cluster/shared_access.hpp"

namespace ksr::cluster {
namespace {

Expected<std::vector<Resource>> named_in_full(const QueryOptions& query) {
  if (auto fine = validate_query(query); !fine) return fine.error();
  std::vector<Resource> resources;
  for (const std::string& name : query.resources) {
    auto resource = parse_resource(name);
    if (!resource) return resource.error();
    if (!*resource) {
      return Error{Status::invalid, "resource: \"" + name + "\" is a name; expected group/version/resource or a path"};
    }
    resources.push_back(**std::move(resource));
  }
  return resources;
}

using Ready = std::function<void(Expected<std::vector<Resource>>)>;

class Resolution final : public Pending {
 public:
  explicit Resolution(std::shared_ptr<Ready> ready) : ready_(std::move(ready)) {}
  ~Resolution() override { *ready_ = nullptr; }

 private:
  std::shared_ptr<Ready> ready_;
};

}  // namespace

std::unique_ptr<Pending> SharedAccess::resolve(const QueryOptions& query, Ready ready) {
  auto waiting = std::make_shared<Ready>(std::move(ready));
  executor_.post([waiting, outcome = named_in_full(query)] {
    if (const auto answer = std::exchange(*waiting, nullptr)) answer(outcome);
  });
  return std::make_unique<Resolution>(std::move(waiting));
}

}  // namespace ksr::cluster
