// `run_on` runs a function on the thread of an io_context and returns its result; used by the harness's proxies.
// For any thread but the io_context's own, which would wait for itself.
#pragma once

#include <boost/asio/io_context.hpp>
#include <boost/asio/post.hpp>
#include <future>
#include <utility>

namespace ksr::clustertest {

template <class Action>
auto run_on(boost::asio::io_context& io, Action action) -> decltype(action()) {
  std::packaged_task<decltype(action())()> task(std::move(action));
  auto result = task.get_future();
  boost::asio::post(io, std::move(task));
  return result.get();
}

}  // namespace ksr::clustertest
