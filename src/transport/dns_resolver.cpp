#include "transport/dns_resolver.hpp"

#include <netdb.h>
#include <sys/socket.h>

#include <algorithm>
#include <cerrno>
#include <cstring>
#include <map>
#include <utility>

#include "base/exception_error.hpp"
#include "base/resource_exhaustion.hpp"
#include "base/standard_descriptors.hpp"

namespace ksr::transport {
namespace {

// Each name that hangs keeps a thread until the system gives up, and must not delay the others. As many as Go has
// threads in getaddrinfo (net/net.go, concurrentThreadsLimit).
constexpr int kMaxThreads = 500;
// A look-up that takes longer may hang for ever, in a name service that was down when it began: another one is started
// beside it for who asks then, up to so many for one name.
constexpr Milliseconds kMaxShared{5'000};
constexpr int kMaxLookupsOfName = 4;

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
  errno = 0;
  int code = getaddrinfo(host.c_str(), nullptr, &hints, &raw);
  if (code == EAI_NONAME || code == EAI_ADDRFAMILY) {
    // AI_ADDRCONFIG ignores loopback addresses, and "localhost" has to resolve on a machine that has no others.
    hints.ai_flags = 0;
    code = getaddrinfo(host.c_str(), nullptr, &hints, &raw);
  }
  if (code != 0) {
    // It says then that there is no such name (glibc, nss_files).
    if (is_resource_exhaustion(errno)) return resource_exhausted("resolving " + host, errno);
    if (code == EAI_MEMORY) return resource_exhausted("resolving " + host, ENOMEM);
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
  struct Name {
    std::vector<CancellableCallback<void(Expected<Addresses>)>> waiting;
    int under_way = 0;
    // The newest look-up.
    Instant started{};
  };
  // Names with a look-up under way.
  std::map<std::string, Name> names;

  // Whichever look-up ends first answers for all.
  void finish(const std::string& host, const Expected<Addresses>& outcome) {
    const auto found = names.find(host);
    if (found == names.end()) return;
    const auto callbacks = std::exchange(found->second.waiting, {});
    if (--found->second.under_way == 0) names.erase(found);
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
  Lookups::Name& name = lookups_->names[host];
  const Instant now = executor_.now();
  auto& waiting = name.waiting;
  try {
    waiting.erase(std::remove_if(waiting.begin(), waiting.end(), [](const auto& other) { return !other.pending(); }),
                  waiting.end());
    waiting.push_back(callback);
    const bool is_shared = name.under_way > 0 && now - name.started < kMaxShared;
    if (is_shared || name.under_way >= kMaxLookupsOfName) return pending;
    pool_.call<Addresses>(
        executor_, [look_up = look_up_, host] { return look_up(host); },
        [lookups = lookups_, host](const Expected<Addresses>& outcome) { lookups->finish(host, outcome); });
    ++name.under_way;
    name.started = now;
    return pending;
  } catch (...) {
    // Later calls must not wait for a look-up that was never started.
    if (name.under_way == 0) lookups_->names.erase(host);
    throw;
  }
}

}  // namespace ksr::transport
