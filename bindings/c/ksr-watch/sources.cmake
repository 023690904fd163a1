# What the program is made of, for its own project and for the packages (cmake/KsrWatch.cmake). Of the library it uses
# ksr.h alone. What it has to read as the library does (YAML, kubeconfigs, discovery documents) it reads with the same
# sources, which are compiled into it.
set(ksr_program_dir "${CMAKE_CURRENT_LIST_DIR}")
set(ksr_program_root "${CMAKE_CURRENT_LIST_DIR}/../../..")

file(GLOB ksr_program_sources CONFIGURE_DEPENDS "${ksr_program_dir}/src/*.c" "${ksr_program_dir}/src/commands/*.cpp")

set(ksr_program_shared)
foreach(name IN ITEMS
  base/base64 base/blocking_pool base/civil_time base/escapes base/exception_error base/option_text base/page_check base/secrets base/server_name base/standard_descriptors
  base/status base/text base/thread base/url
  cluster/bounded_json cluster/connection_spec cluster/discovery_documents cluster/files cluster/find_connection_spec
  cluster/kubeconfig cluster/process_environment cluster/resource cluster/rest_mapper cluster/yaml_document
  cluster/yaml_reader)
  list(APPEND ksr_program_shared "${ksr_program_root}/src/${name}.cpp")
endforeach()

# ksr_add_program(TARGET VERSION TARGET_TO_LINK...): the program ksr, and ksr-watch, a link to it, beside it. All but main is
# in the object library TARGET-parts, for tests.
function(ksr_add_program target version)
  set(parts ${ksr_program_sources} ${ksr_program_shared})
  set(main "${ksr_program_dir}/src/commands/main.cpp")
  list(REMOVE_ITEM parts "${main}")
  add_library(${target}-parts OBJECT ${parts})
  target_include_directories(${target}-parts PUBLIC "${ksr_program_dir}/src" "${ksr_program_root}/src")
  target_compile_definitions(${target}-parts PUBLIC _POSIX_C_SOURCE=200809L KSR_WATCH_VERSION="${version}")
  target_link_libraries(${target}-parts PUBLIC ${ARGN})
  # Several make one file: they take longer to read their headers than to compile. The class in arguments.cpp, which others
  # know by name, has a member of a type that no other file may see.
  set_target_properties(${target}-parts PROPERTIES UNITY_BUILD ON UNITY_BUILD_BATCH_SIZE 8)
  file(GLOB alone "${ksr_program_dir}/src/*.c" "${ksr_program_dir}/src/commands/arguments.cpp")
  set_source_files_properties(${alone} PROPERTIES SKIP_UNITY_BUILD_INCLUSION ON)
  add_executable(${target} "${main}")
  set_target_properties(${target} PROPERTIES OUTPUT_NAME ksr)
  target_link_libraries(${target} PRIVATE ${target}-parts)
  add_custom_command(TARGET ${target} POST_BUILD
    COMMAND "${CMAKE_COMMAND}" -E create_symlink ksr "$<TARGET_FILE_DIR:${target}>/ksr-watch" VERBATIM)
  add_custom_target(ksr-watch DEPENDS ${target})
endfunction()

# ksr_install_program(TARGET [ARGUMENT OF install()]...)
function(ksr_install_program target)
  install(TARGETS ${target} RUNTIME DESTINATION "${CMAKE_INSTALL_BINDIR}" ${ARGN})
  install(FILES "$<TARGET_FILE_DIR:${target}>/ksr-watch" DESTINATION "${CMAKE_INSTALL_BINDIR}" ${ARGN})
  install(FILES "${ksr_program_dir}/ksr.1" "${ksr_program_dir}/ksr-watch.1" DESTINATION "${CMAKE_INSTALL_MANDIR}/man1" ${ARGN})
endfunction()
