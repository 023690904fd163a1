# ksr and ksr-watch are a project of their own (bindings/c/ksr-watch), which is built against an installed library. To be
# packaged with the library they are built here, from the same sources.
option(KSR_BUILD_WATCH "Build ksr and ksr-watch, to be packaged together with the library" ${KSR_BUILD_TESTS})
# No test of a sanitized tree runs them.
if(NOT KSR_BUILD_WATCH OR KSR_SANITIZE)
  return()
endif()

include("${CMAKE_SOURCE_DIR}/bindings/c/ksr-watch/sources.cmake")
ksr_add_program(ksr-program "${PROJECT_VERSION}" ksr::ksr ksr_yaml ksr_boost_json Threads::Threads ksr_warnings)
ksr_install_program(ksr-program COMPONENT ksr-watch EXCLUDE_FROM_ALL)
