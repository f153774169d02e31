# Installs the host, its plugins, the plugin API package and the example configuration.
include(GNUInstallDirs)
include(CMakePackageConfigHelpers)

if(TARGET jackfield)
    install(TARGETS jackfield RUNTIME DESTINATION ${CMAKE_INSTALL_BINDIR})
endif()
install(DIRECTORY ${PROJECT_BINARY_DIR}/plugins/ DESTINATION ${CMAKE_INSTALL_LIBDIR}/jackfield/plugins
        FILES_MATCHING PATTERN "*.so" PATTERN "CMakeFiles" EXCLUDE)
install(DIRECTORY ${PROJECT_SOURCE_DIR}/configs/ DESTINATION ${CMAKE_INSTALL_SYSCONFDIR}/jackfield)
