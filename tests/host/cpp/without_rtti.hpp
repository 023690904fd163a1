// A file of the host that is compiled without run-time type information; used by streams_test.cpp.
#pragma once

#include <ksr.hpp>

namespace ksr::testing {

// Throws the ksr::error of a config that nothing can be opened with.
void open_nothing();
std::size_t count_names(const ksr::snapshot& view);

}  // namespace ksr::testing
