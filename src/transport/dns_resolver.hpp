// `DnsResolver` resolves names away from the network thread, since getaddrinfo(3) blocks; used by Dial. Its methods
// live on the executor's thread.
#pragma once

#include <boost/asio/ip/address.hpp>
#include <functional>
#include <memory>
#include <string>
#include <vector>

#include "base/blocking_pool.hpp"
#include "base/cancellable_callback.hpp"
#include "base/executor.hpp"
#include "base/expected.hpp"

namespace ksr::transport {

using Addresses = std::vector<boost::asio::ip::address>;
using LookUp = std::function<Expected<Addresses>(const std::string& host)>;

// getaddrinfo(3). Blocks.
Expected<Addresses> look_up_with_the_system(const std::string& host);

class DnsResolver {
 public:
  using Done = std::function<void(Expected<Addresses>)>;

  DnsResolver(Executor& executor, LookUp look_up);
  // On any thread.
  ~DnsResolver();
  DnsResolver(const DnsResolver&) = delete;
  DnsResolver& operator=(const DnsResolver&) = delete;

  // Calls `done` later, never within the call. Calls for the same name at about the same time share one look-up,
  // which goes on when they are cancelled: it cannot be stopped.
  PendingCall resolve(const std::string& host, Done done);

 private:
  struct Lookups;

  Executor& executor_;
  const LookUp look_up_;
  const std::shared_ptr<Lookups> lookups_;
  BlockingPool pool_;
};

}  // namespace ksr::transport
