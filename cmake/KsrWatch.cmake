# ksr-watch is a project of its own (bindings/c/ksr-watch), which is built against an installed library. To be packaged
# with the library it is built here, from the same sources.
option(KSR_BUILD_WATCH "Build ksr-watch, to be packaged together with the library" ${KSR_BUILD_TESTS})
if(NOT KSR_BUILD_WATCH)
  return()
endif()

set(watch "${CMAKE_SOURCE_DIR}/bindings/c/ksr-watch")
file(GLOB watch_sources CONFIGURE_DEPENDS "${watch}/src/*.c")
add_executable(ksr-watch ${watch_sources})
target_compile_definitions(ksr-watch PRIVATE _POSIX_C_SOURCE=200809L KSR_WATCH_VERSION="${PROJECT_VERSION}")
target_link_libraries(ksr-watch PRIVATE ksr::ksr ksr_warnings)
install(TARGETS ksr-watch RUNTIME DESTINATION "${CMAKE_INSTALL_BINDIR}" COMPONENT ksr-watch EXCLUDE_FROM_ALL)
install(FILES "${watch}/ksr-watch.1" DESTINATION "${CMAKE_INSTALL_MANDIR}/man1" COMPONENT ksr-watch EXCLUDE_FROM_ALL)
