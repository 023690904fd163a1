# Flags that every target of ours is built with. Third-party code is built without the warnings.
set(CMAKE_CXX_STANDARD 17)
set(CMAKE_CXX_STANDARD_REQUIRED ON)
set(CMAKE_CXX_EXTENSIONS OFF)
set(CMAKE_C_STANDARD 99)
set(CMAKE_C_STANDARD_REQUIRED ON)
set(CMAKE_C_EXTENSIONS OFF)
set(CMAKE_POSITION_INDEPENDENT_CODE ON)
set(CMAKE_C_VISIBILITY_PRESET hidden)
set(CMAKE_CXX_VISIBILITY_PRESET hidden)
set(CMAKE_VISIBILITY_INLINES_HIDDEN ON)
set(CMAKE_EXPORT_COMPILE_COMMANDS ON)
if(NOT CMAKE_BUILD_TYPE AND NOT CMAKE_CONFIGURATION_TYPES)
  set(CMAKE_BUILD_TYPE Release CACHE STRING "Build type" FORCE)
endif()

if(CMAKE_CXX_BYTE_ORDER STREQUAL "BIG_ENDIAN")
  message(FATAL_ERROR "ksr is for little-endian machines, such as x86-64 and arm64; this compiler is for a big-endian one")
endif()

add_library(ksr_warnings INTERFACE)
target_compile_options(ksr_warnings INTERFACE
  -Wall -Wextra -Wpedantic -Wconversion -Wshadow -Werror)

# What is never called leaves with --gc-sections: without, a whole object file stays for one function of it.
if(NOT KSR_SANITIZE)
  add_compile_options(-ffunction-sections -fdata-sections)
endif()

if(KSR_SANITIZE)
  add_compile_options(-fsanitize=${KSR_SANITIZE} -fno-omit-frame-pointer -fno-sanitize-recover=all)
  add_link_options(-fsanitize=${KSR_SANITIZE})
endif()

# Third-party code is not on trial for undefined behaviour, and compiles in a third of the time without. It keeps the
# other sanitizers: they have to see every access to memory.
set(KSR_THIRD_PARTY_OPTIONS -w)
if(KSR_SANITIZE)
  list(APPEND KSR_THIRD_PARTY_OPTIONS -O0 -g0)
  if(KSR_SANITIZE MATCHES undefined)
    list(APPEND KSR_THIRD_PARTY_OPTIONS -fno-sanitize=undefined)
  endif()
endif()

# Code that is made of Asio's and websocketpp's templates: the checks of each pointer on its way through them are a third
# of its compile time, and AddressSanitizer finds those that matter.
set(KSR_TEMPLATE_OPTIONS)
if(KSR_SANITIZE MATCHES undefined)
  set(KSR_TEMPLATE_OPTIONS -fno-sanitize=null,alignment,vptr)
endif()
