// Responses to lists, gets and writes, from the revision log; used by World. Lives on the server's thread.
#pragma once

#include "server/fault.hpp"
#include "server/request.hpp"
#include "server/revision_log.hpp"
#include "server/selector.hpp"
#include "server/status.hpp"

namespace ksr::testserver {

Reply status_reply(const ApiStatus& status);

// The objects that a query selects.
struct Scope {
  std::string ns;
  std::string name;  // empty: all of them
  Selector labels;
  Selector fields;
  std::optional<ShardRange> shard;

  // Throws std::runtime_error on selectors that the apiserver refuses.
  static Scope of(const ApiRequest& request);
  bool holds(const StoredObject& object) const;
};

// A request for metadata only, by its Accept header.
bool wants_metadata(const ApiRequest& request);

// `fault`: inject and huge put an item in front; empty_pages returns no items and always a continue token.
Reply list_objects(const ApiRequest& request, const RevisionLog& log, const Fault& fault);
Reply get_object(const ApiRequest& request, const RevisionLog& log);
// POST, PUT, PATCH and DELETE.
Reply write_object(const ApiRequest& request, RevisionLog& log);

// An object of about that many bytes.
std::string huge_object(const ResourceType& type, std::uint64_t bytes, std::uint64_t revision);

}  // namespace ksr::testserver
