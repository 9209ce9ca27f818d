# Writes build_info.cpp with the present git hash; run at each build, rewritten only when
# it changes.
execute_process(COMMAND git -C ${SOURCE_DIR} rev-parse --short=12 HEAD
                OUTPUT_VARIABLE LMB_GIT_HASH OUTPUT_STRIP_TRAILING_WHITESPACE ERROR_QUIET
                RESULT_VARIABLE git_failed)
if(git_failed)
  set(LMB_GIT_HASH unknown)
endif()
configure_file(${SOURCE_DIR}/build_info.cpp.in ${OUTPUT} @ONLY)
