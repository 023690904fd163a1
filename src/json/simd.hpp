// The vector registers that every machine of the architecture has, for the loops over JSON text; used by bytes.hpp,
// block_masks.hpp and text_cursor.cpp. KSR_JSON_SIMD is defined where there are any, and KSR_JSON_ISA then is the
// namespace of what is compiled for them. Both files define the same two types:
//   `ByteVector`: 16 bytes, for short runs
//   `ByteBlock`: a part of a block of 64 bytes, or all of it
// Any thread.
#pragma once

#ifndef KSR_JSON_PORTABLE
#include "json/simd_neon.hpp"
#include "json/simd_x86.hpp"
#endif
