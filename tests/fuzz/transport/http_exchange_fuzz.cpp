// HTTP requests: what a server answers, in pieces, gzip included, over new and pooled connections, while time passes or
// the host destroys the exchange within a call.
#include "fuzz/fuzz.hpp"
#include "fuzz/transport/memory_network.hpp"
#include "fuzz/transport/observed.hpp"
#include "transport/http_exchange.hpp"

namespace {

using ksr::Milliseconds;
using ksr::fuzz::Input;
using ksr::fuzz::MemoryNetwork;
using ksr::fuzz::Observed;
using ksr::fuzz::require;

constexpr const char* kMethods[] = {"GET", "HEAD", "POST", "GET"};

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  Input input(data, size);
  const std::uint8_t choice = input.byte();
  const std::size_t destroy_in = input.byte();
  const std::size_t piece = 1 + input.byte();
  const std::uint8_t time = input.byte();
  std::string_view rest = input.rest();

  MemoryNetwork network([&](const std::string& written, std::size_t most, MemoryNetwork::Arrival& arrival) {
    if (written.empty()) return false;
    arrival.bytes = std::string(rest.substr(0, std::min(piece, most)));
    rest.remove_prefix(arrival.bytes.size());
    arrival.failed = arrival.bytes.empty() && (choice & 1) != 0;
    return true;
  });
  {
    ksr::transport::HttpClient client(network.route());
    // The second request finds the connection of the first in the pool, if that was kept.
    for (int number = 0; number < 2; ++number) {
      Observed observed(destroy_in > 200 ? 0 : destroy_in);
      ksr::transport::Request request;
      request.method = kMethods[(choice >> 1) % 4];
      request.target = "/api/v1/pods";
      request.accept_gzip = (choice & 8) != 0;
      if (request.method == std::string("POST") && (choice & 16) != 0) request.body = "{}";
      if ((choice & 32) != 0) request.idle_timeout = Milliseconds(1000);
      if ((choice & 64) != 0) request.response_timeout = Milliseconds(1000);
      observed.exchange = client.start(request, observed).exchange;
      for (int step = 0; network.run_one(); ++step) {
        if (time != 0 && step % time == time - 1) network.advance(Milliseconds(time * 10));
      }
      require(observed.ended || observed.destroyed(), "nothing more comes, and the exchange has not ended");
      observed.destroy();
      network.run();
    }
    network.advance(Milliseconds(3600'000));
  }
  network.run();
  return 0;
}
