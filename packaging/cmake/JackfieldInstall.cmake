# Installs the host, its plugins and the example configuration: components Host, Plugins, Configuration. The plugin API package is
# plugin-api's (component PluginApi).
include(GNUInstallDirs)
include(CMakePackageConfigHelpers)

if(TARGET jackfield)
    install(TARGETS jackfield RUNTIME DESTINATION ${CMAKE_INSTALL_BINDIR} COMPONENT Host)
endif()
install(DIRECTORY ${PROJECT_BINARY_DIR}/plugins/ DESTINATION ${CMAKE_INSTALL_LIBDIR}/jackfield/plugins COMPONENT Plugins
        FILES_MATCHING PATTERN "*.so"
        REGEX "/plugins/[a-z_]+/[^/.]+$" EXCLUDE) # the build's own folders, one a plugin
install(DIRECTORY ${PROJECT_SOURCE_DIR}/configs/ DESTINATION ${CMAKE_INSTALL_SYSCONFDIR}/jackfield COMPONENT Configuration)
