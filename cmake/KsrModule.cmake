# Headers that nearly every file of ours reads: precompiled once a target, they take a third of its compile time less.
# tests/lint/thread-safety compiles files of src/ and abi/ without them, so that one which misses an include is found.
option(KSR_PRECOMPILE_HEADERS "Precompile the standard library's and Boost.Asio's headers" ON)
set(KSR_STANDARD_HEADERS <algorithm> <chrono> <functional> <map> <memory> <optional> <string> <string_view> <utility> <vector>)
function(ksr_precompile target)
  # Where files are compiled together, a target has few compilations left: precompiling would cost more than it saves.
  if(KSR_PRECOMPILE_HEADERS AND NOT KSR_UNITY_BUILD)
    target_precompile_headers(${target} PRIVATE ${KSR_STANDARD_HEADERS} ${ARGN})
  endif()
endfunction()

# For trees that are always built from the start: the headers, which cost more than our sources, are read once for several
# of them. tests/lint/tidy reads the sources together, too: a name of one of them that another has, it tells.
option(KSR_UNITY_BUILD "Compile several files of a module or of a test program at a time" OFF)
set(CMAKE_UNITY_BUILD_BATCH_SIZE 12)

# ksr_module(NAME [HOT | COLD] SOURCES a.cpp … [USES module…] [LINKS target…] [PRECOMPILE <header>…])
# A module of src/: one archive, linked into libksr.so and into the tests. Its files may include headers of the modules
# that it USES, which come before it in the list of the top CMakeLists.txt, and of no other: check_includes.cmake looks at
# each build, since all modules share one include directory and a header alone would not need to be linked.
# HOT: the module is compiled with -O3. In the sanitized trees it is the only one that is optimized at all: their compile
# time counts, and of what they run the rest is waiting.
# COLD: what runs a few times in the life of a stream is compiled with -Os; of so much code half is the text in memory.
function(ksr_module name)
  cmake_parse_arguments(module "HOT;COLD" "" "SOURCES;USES;LINKS;PRECOMPILE" ${ARGN})
  foreach(used IN LISTS module_USES)
    if(NOT TARGET ksr_${used})
      message(FATAL_ERROR "module ${name} uses ${used}, which does not come before it in CMakeLists.txt")
    endif()
  endforeach()
  add_library(ksr_${name} STATIC ${module_SOURCES})
  target_include_directories(ksr_${name} PUBLIC "${CMAKE_SOURCE_DIR}/src" "${CMAKE_SOURCE_DIR}/include")
  list(TRANSFORM module_USES PREPEND "ksr_" OUTPUT_VARIABLE used_targets)
  target_link_libraries(ksr_${name} PUBLIC ${used_targets} PRIVATE ksr_warnings ${module_LINKS})
  ksr_precompile(ksr_${name} ${module_PRECOMPILE})
  set_target_properties(ksr_${name} PROPERTIES UNITY_BUILD ${KSR_UNITY_BUILD})

  file(GLOB files "${CMAKE_CURRENT_SOURCE_DIR}/*.cpp" "${CMAKE_CURRENT_SOURCE_DIR}/*.hpp")
  list(JOIN module_USES "," uses)
  set(stamp "${CMAKE_CURRENT_BINARY_DIR}/includes.checked")
  set(check "${CMAKE_SOURCE_DIR}/cmake/check_includes.cmake")
  add_custom_command(OUTPUT "${stamp}"
    COMMAND "${CMAKE_COMMAND}" -DFOLDER=${CMAKE_CURRENT_SOURCE_DIR} -DNAME=${name} -DUSES=${uses} -P "${check}"
    COMMAND "${CMAKE_COMMAND}" -E touch "${stamp}"
    DEPENDS ${files} "${check}" "${CMAKE_CURRENT_SOURCE_DIR}/CMakeLists.txt"
    COMMENT "Checking the includes of ${name}" VERBATIM)
  add_custom_target(ksr_${name}_includes DEPENDS "${stamp}")
  add_dependencies(ksr_${name} ksr_${name}_includes)

  # A twentieth of the time in bench_json.
  if(module_HOT AND NOT KSR_SANITIZE)
    target_compile_options(ksr_${name} PRIVATE $<$<CONFIG:Release,RelWithDebInfo>:-O3>)
  elseif(module_HOT)
    target_compile_options(ksr_${name} PRIVATE $<$<CONFIG:RelWithDebInfo>:-O1>)
  elseif(module_COLD AND NOT KSR_SANITIZE)
    target_compile_options(ksr_${name} PRIVATE $<$<CONFIG:Release,RelWithDebInfo>:-Os>)
  endif()
endfunction()

# ksr_unit_test(NAME [OPTIMIZED] [SOURCES a.cpp …] [THREADED b.cpp …] USES module… [LINKS target…] [PRECOMPILE <header>…])
# One doctest program for one module, registered with ctest as unit.NAME.
# THREADED: sources with tests in which several threads run. Only these are in a tree with ThreadSanitizer, which finds
# nothing in the others and takes ten times as long for them.
function(ksr_unit_test name)
  cmake_parse_arguments(unit "OPTIMIZED" "" "SOURCES;THREADED;USES;LINKS;PRECOMPILE" ${ARGN})
  if(KSR_SANITIZE MATCHES thread)
    set(unit_SOURCES)
  endif()
  add_executable(unit_${name} ${unit_SOURCES} ${unit_THREADED})
  target_include_directories(unit_${name} PRIVATE "${CMAKE_SOURCE_DIR}/tests")
  list(TRANSFORM unit_USES PREPEND "ksr_")
  target_link_libraries(unit_${name} PRIVATE ksr_doctest_main ksr_warnings ${unit_USES} ${unit_LINKS})
  ksr_precompile(unit_${name} <doctest/doctest.h> ${unit_PRECOMPILE})
  if(unit_OPTIMIZED)
    target_compile_options(unit_${name} PRIVATE ${KSR_TEST_OPTIMIZED})
  endif()
  add_test(NAME unit.${name} COMMAND unit_${name})
  set_tests_properties(unit.${name} PROPERTIES TIMEOUT 900 LABELS unit)
endfunction()
