# Cross-compiles for arm64 with Debian's g++-aarch64-linux-gnu, and runs what is built with qemu-user. KSR_ARM64_LIBRARIES
# is what cmake/fetch-arm64-libraries has left: OpenSSL and zlib. Headers that are the same on every machine (Boost,
# websocketpp, doctest) are the machine's own.
set(CMAKE_SYSTEM_NAME Linux)
set(CMAKE_SYSTEM_PROCESSOR aarch64)
set(CMAKE_C_COMPILER aarch64-linux-gnu-gcc)
set(CMAKE_CXX_COMPILER aarch64-linux-gnu-g++)

set(KSR_ARM64_LIBRARIES "${CMAKE_CURRENT_LIST_DIR}/../../build/deps/debian-12-arm64" CACHE PATH
  "Where cmake/fetch-arm64-libraries has left OpenSSL and zlib")
list(APPEND CMAKE_TRY_COMPILE_PLATFORM_VARIABLES KSR_ARM64_LIBRARIES)
set(CMAKE_FIND_ROOT_PATH "${KSR_ARM64_LIBRARIES}")
set(CMAKE_LIBRARY_ARCHITECTURE aarch64-linux-gnu)
set(CMAKE_FIND_ROOT_PATH_MODE_PROGRAM NEVER)
set(CMAKE_FIND_ROOT_PATH_MODE_LIBRARY ONLY)
set(CMAKE_FIND_ROOT_PATH_MODE_INCLUDE BOTH)
set(CMAKE_FIND_ROOT_PATH_MODE_PACKAGE ONLY)

set(CMAKE_CROSSCOMPILING_EMULATOR qemu-aarch64 -L /usr/aarch64-linux-gnu
  -E "LD_LIBRARY_PATH=${KSR_ARM64_LIBRARIES}/usr/lib/aarch64-linux-gnu")
