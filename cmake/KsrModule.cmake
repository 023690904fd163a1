# ksr_module(NAME [HOT] SOURCES a.cpp … [USES room…] [LINKS target…])
# A room of the house: one archive, linked into libksr.so and into the tests. Linking only what a room USES keeps the
# one-way rule honest: an include or a call upwards does not link.
function(ksr_module name)
  cmake_parse_arguments(module "HOT" "" "SOURCES;USES;LINKS" ${ARGN})
  add_library(ksr_${name} STATIC ${module_SOURCES})
  target_include_directories(ksr_${name} PUBLIC "${CMAKE_SOURCE_DIR}/src" "${CMAKE_SOURCE_DIR}/include")
  list(TRANSFORM module_USES PREPEND "ksr_")
  target_link_libraries(ksr_${name} PUBLIC ${module_USES} PRIVATE ksr_warnings ${module_LINKS})
  # A twentieth of the room's time (bench_json); the sanitized trees are there to find faults, and soon.
  if(module_HOT AND NOT KSR_SANITIZE)
    target_compile_options(ksr_${name} PRIVATE $<$<CONFIG:Release,RelWithDebInfo>:-O3>)
  endif()
endfunction()

# ksr_unit_test(NAME [OPTIMIZED] SOURCES a.cpp … USES room… [LINKS target…])
# One doctest program for one room, registered with ctest as unit.NAME.
function(ksr_unit_test name)
  cmake_parse_arguments(unit "OPTIMIZED" "" "SOURCES;USES;LINKS" ${ARGN})
  add_executable(unit_${name} ${unit_SOURCES})
  target_include_directories(unit_${name} PRIVATE "${CMAKE_SOURCE_DIR}/tests")
  list(TRANSFORM unit_USES PREPEND "ksr_")
  target_link_libraries(unit_${name} PRIVATE ksr_doctest_main ksr_warnings ${unit_USES} ${unit_LINKS})
  if(unit_OPTIMIZED)
    target_compile_options(unit_${name} PRIVATE ${KSR_TEST_OPTIMIZED})
  endif()
  add_test(NAME unit.${name} COMMAND unit_${name})
  set_tests_properties(unit.${name} PROPERTIES TIMEOUT 900 LABELS unit)
endfunction()
