// Name resolution away from the network thread: getaddrinfo blocks, and one slow name server must not stall the rest.
#pragma once

#include <boost/asio/ip/address.hpp>
#include <functional>
#include <memory>
#include <string>
#include <thread>
#include <vector>

#include "base/executor.hpp"
#include "base/expected.hpp"

namespace ksr::transport {

using Addresses = std::vector<boost::asio::ip::address>;
using LookUp = std::function<Expected<Addresses>(const std::string& host)>;

// getaddrinfo(3).
Expected<Addresses> look_up_with_the_system(const std::string& host);

// Its methods live on the executor's thread; the look-ups run on threads of its own, started when needed.
class DnsResolver {
 public:
  // Destroying it means that nobody waits any more; the look-up itself cannot be stopped.
  class Waiting {
   public:
    virtual ~Waiting() = default;
  };
  using Done = std::function<void(Expected<Addresses>)>;

  DnsResolver(Executor& executor, LookUp look_up);
  ~DnsResolver();
  DnsResolver(const DnsResolver&) = delete;
  DnsResolver& operator=(const DnsResolver&) = delete;

  // Calls `done` later, never within the call. Those who ask for the same name at the same time share one look-up.
  std::unique_ptr<Waiting> resolve(const std::string& host, Done done);

 private:
  struct Pool;
  void look_up(const std::string& host);
  Expected<std::thread> start_worker() noexcept;
  std::shared_ptr<Pool> pool_;
};

}  // namespace ksr::transport
