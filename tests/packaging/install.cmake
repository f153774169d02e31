# cmake -DBUILD=... -DPREFIX=... -P install.cmake: the two components that a plugin's author has.
file(REMOVE_RECURSE ${PREFIX})
foreach(component PluginApi Host)
    execute_process(COMMAND ${CMAKE_COMMAND} --install ${BUILD} --component ${component} --prefix ${PREFIX}
                    COMMAND_ERROR_IS_FATAL ANY OUTPUT_QUIET)
endforeach()
