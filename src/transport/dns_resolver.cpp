#include "transport/dns_resolver.hpp"

#include <netdb.h>
#include <sys/socket.h>

#include <cerrno>
#include <cstring>
#include <map>
#include <utility>

#include "base/exception_error.hpp"
#include "base/standard_descriptors.hpp"

namespace ksr::transport {
namespace {

// Each name that hangs keeps a thread until the system gives up, and must not delay the others. As many as Go has
// threads in getaddrinfo (net/net.go, concurrentThreadsLimit).
constexpr int kMaxThreads = 500;

struct FreeAddressList {
  void operator()(addrinfo* list) const { freeaddrinfo(list); }
};

boost::asio::ip::address address_of(const sockaddr& raw) {
  if (raw.sa_family == AF_INET6) {
    const auto& ipv6 = reinterpret_cast<const sockaddr_in6&>(raw);
    boost::asio::ip::address_v6::bytes_type bytes;
    std::memcpy(bytes.data(), &ipv6.sin6_addr, bytes.size());
    return boost::asio::ip::address_v6(bytes, ipv6.sin6_scope_id);
  }
  const auto& ipv4 = reinterpret_cast<const sockaddr_in&>(raw);
  return boost::asio::ip::address_v4(ntohl(ipv4.sin_addr.s_addr));
}

}  // namespace

Expected<Addresses> look_up_with_the_system(const std::string& host) {
  const StandardDescriptorsReserved reserved;
  addrinfo hints{};
  hints.ai_family = AF_UNSPEC;
  hints.ai_socktype = SOCK_STREAM;
  hints.ai_flags = AI_ADDRCONFIG;
  addrinfo* raw = nullptr;
  int code = getaddrinfo(host.c_str(), nullptr, &hints, &raw);
  if (code == EAI_NONAME || code == EAI_ADDRFAMILY) {
    // AI_ADDRCONFIG ignores loopback addresses, and "localhost" has to resolve on a machine that has no others.
    hints.ai_flags = 0;
    code = getaddrinfo(host.c_str(), nullptr, &hints, &raw);
  }
  if (code != 0) {
    const std::string reason = code == EAI_SYSTEM ? std::strerror(errno) : gai_strerror(code);
    return Error{Status::transport, "resolving " + host + ": " + reason, {}, 502};
  }
  const std::unique_ptr<addrinfo, FreeAddressList> list(raw);
  Addresses addresses;
  for (const addrinfo* entry = list.get(); entry != nullptr; entry = entry->ai_next) {
    if (entry->ai_family == AF_INET || entry->ai_family == AF_INET6) addresses.push_back(address_of(*entry->ai_addr));
  }
  if (addresses.empty()) return Error{Status::transport, "resolving " + host + ": no address", {}, 502};
  return addresses;
}

// Executor's thread only; owned by the look-ups under way, too.
struct DnsResolver::Lookups {
  // Those that wait for each name whose look-up is under way.
  std::map<std::string, std::vector<CancellableCallback<void(Expected<Addresses>)>>> waiting;

  void finish(const std::string& host, const Expected<Addresses>& outcome) {
    const auto found = waiting.find(host);
    if (found == waiting.end()) return;
    const auto callbacks = std::move(found->second);
    waiting.erase(found);
    for (const auto& callback : callbacks) {
      const Done done = callback.take();
      if (!done) continue;
      // The callback deals with its own exceptions: what is caught here is that there was no memory to copy the
      // outcome.
      try {
        done(outcome);
      } catch (...) {
        done(error_of_exception());
      }
    }
  }
};

DnsResolver::DnsResolver(Executor& executor, LookUp look_up)
    : executor_(executor),
      look_up_(std::move(look_up)),
      lookups_(std::make_shared<Lookups>()),
      pool_("ksr-dns", kMaxThreads) {}

DnsResolver::~DnsResolver() = default;

PendingCall DnsResolver::resolve(const std::string& host, Done done) {
  const CancellableCallback<void(Expected<Addresses>)> callback(std::move(done));
  // From here on an exception destroys the handle, and so cancels.
  PendingCall pending = callback.handle();
  auto& callbacks = lookups_->waiting[host];
  callbacks.push_back(callback);
  if (callbacks.size() > 1) return pending;
  try {
    pool_.call<Addresses>(
        executor_, [look_up = look_up_, host] { return look_up(host); },
        [lookups = lookups_, host](const Expected<Addresses>& outcome) { lookups->finish(host, outcome); });
    return pending;
  } catch (...) {
    // Later calls must not wait for a look-up that was never started.
    lookups_->waiting.erase(host);
    throw;
  }
}

}  // namespace ksr::transport
