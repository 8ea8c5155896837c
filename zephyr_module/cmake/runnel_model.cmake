# SPDX-License-Identifier: Apache-2.0
#
# runnel_model(TARGET <target> NAME <name> FILE <model.tflite>
#              [BOARD <board>] [SRAM <size>] [FLASH <size>] [OBJECTIVE sram|latency|flash] [ARENA_SECTION <section>]
#              [INPUT stored|pulled] [INPUT_PASSES <count>] [MAX_OVERHEAD <percent>])
#
#   Compiles a model into a target: `app` or any library that has sources. The generator runs during the build, again
#   whenever the model, the board's file or the generator itself changes. The target can include "<name>.h".
#
#   BOARD          a board of Runnel, or the path of a .yaml file. Default: the one that stands for Zephyr's board.
#   SRAM, FLASH    limits, like 64K or 1M. Default: the devicetree's memories less CONFIG_RUNNEL_PRODUCT_SRAM and
#                  CONFIG_RUNNEL_PRODUCT_FLASH; the configure step prints them.
#   ARENA_SECTION  the linker section of the arena. Where it belongs to a memory region of the devicetree, the size of
#                  that region is the default of SRAM.
#   INPUT          stored: <name>_input() says where to write it. pulled: it is never stored; <name>_run_rows() asks a
#                  callback for its rows. Default: stored.
#   INPUT_PASSES   how many times a pulled input may be asked for. Default: 1.
#   MAX_OVERHEAD   multiply-accumulates that may be computed again to save SRAM, in percent. Default: 0.
#
# runnel_shared_arena(TARGET <target> NAME <name> MODELS <model>... [SECTION <section>])
#
#   One arena, as large as the largest, for models that never run at the same time and whose inputs and outputs nobody
#   needs while another one runs. Comes after the runnel_model() of each.
#
# RUNNEL_PYTHON (CMake or environment variable) is the Python that runs the generator. Default: Zephyr's.

include_guard(GLOBAL)

# Paths in depfiles are relative to where CMake says, whatever the application's cmake_minimum_required().
cmake_policy(SET CMP0116 NEW)

include(${CMAKE_CURRENT_LIST_DIR}/runnel_helpers.cmake)

function(runnel_model)
  cmake_parse_arguments(
    PARSE_ARGV 0 arg "" "TARGET;NAME;FILE;BOARD;SRAM;FLASH;OBJECTIVE;ARENA_SECTION;INPUT;INPUT_PASSES;MAX_OVERHEAD" ""
  )
  _runnel_check_call(runnel_model "TARGET;NAME;FILE")
  _runnel_check_streaming(${arg_NAME} "${arg_OBJECTIVE}" "${arg_INPUT}" "${arg_INPUT_PASSES}" "${arg_MAX_OVERHEAD}")
  get_filename_component(file ${arg_FILE} ABSOLUTE)
  _runnel_check_file(${arg_NAME} ${file})
  _runnel_claim_name(${arg_NAME} "the model ${file}")
  _runnel_board(board "${arg_BOARD}")
  _runnel_python(python ${arg_NAME} ${board})

  _runnel_check_section(${arg_NAME} "${arg_ARENA_SECTION}")
  _runnel_sram_limit(sram sram_from "${arg_SRAM}" "${arg_ARENA_SECTION}")
  _runnel_flash_limit(flash flash_from "${arg_FLASH}")
  _runnel_print_limits(${arg_NAME} ${board} "${sram}" "${sram_from}" "${flash}" "${flash_from}")

  set(folder ${CMAKE_CURRENT_BINARY_DIR}/runnel/${arg_NAME})
  set(options --board ${board} --name ${arg_NAME} --output ${folder} --depfile ${folder}.d --quiet)
  if(sram)
    list(APPEND options --sram ${sram} --sram-from "${sram_from}")
  endif()
  if(flash)
    list(APPEND options --flash ${flash} --flash-from "${flash_from}")
  endif()
  foreach(keyword OBJECTIVE ARENA_SECTION INPUT INPUT_PASSES MAX_OVERHEAD)
    if(DEFINED arg_${keyword})
      string(TOLOWER ${keyword} option)
      string(REPLACE "_" "-" option ${option})
      list(APPEND options --${option} ${arg_${keyword}})
    endif()
  endforeach()

  set(base ${folder}/${arg_NAME})
  set(outputs ${base}.c ${base}.h ${base}_constants.h ${base}_arena.c ${folder}/plan.json)
  get_filename_component(file_name ${file} NAME)
  add_custom_command(
    OUTPUT ${outputs}
    COMMAND ${python} ${RUNNEL_GENERATOR} compile ${file} ${options}
    DEPENDS ${file} ${RUNNEL_GENERATOR}
    DEPFILE ${folder}.d
    COMMENT "Runnel: compiling ${file_name} for ${board}"
    VERBATIM
  )

  _runnel_add_objects(runnel_${arg_NAME} ${arg_TARGET} ${folder} "${outputs}")
  target_sources(runnel_${arg_NAME} PRIVATE ${base}.c)
  if(CONFIG_RUNNEL_PROFILE)
    target_compile_definitions(runnel_${arg_NAME} PRIVATE RUNNEL_PROFILE)
  endif()
  # runnel_shared_arena() may come later and replace the arena of its own.
  set(shared $<BOOL:$<TARGET_PROPERTY:runnel_${arg_NAME},RUNNEL_SHARED_ARENA>>)
  target_sources(runnel_${arg_NAME} PRIVATE $<$<NOT:${shared}>:${base}_arena.c>)
  set_target_properties(runnel_${arg_NAME} PROPERTIES
    RUNNEL_PLAN ${folder}/plan.json
    RUNNEL_ARENA_SECTION "${arg_ARENA_SECTION}"
  )
  # Public: the header may be part of a library's interface.
  target_include_directories(${arg_TARGET} PUBLIC ${folder})
endfunction()

function(runnel_shared_arena)
  cmake_parse_arguments(PARSE_ARGV 0 arg "" "TARGET;NAME;SECTION" "MODELS")
  _runnel_check_call(runnel_shared_arena "TARGET;NAME;MODELS")
  _runnel_claim_name(${arg_NAME} "a shared arena")
  _runnel_python(python ${arg_NAME} "")
  _runnel_check_section(${arg_NAME} "${arg_SECTION}")

  set(plans)
  set(generated)
  foreach(model ${arg_MODELS})
    _runnel_share(${model} ${arg_NAME})
    get_target_property(plan runnel_${model} RUNNEL_PLAN)
    list(APPEND plans ${plan})
    list(APPEND generated runnel_${model}_generated)
  endforeach()

  set(folder ${CMAKE_CURRENT_BINARY_DIR}/runnel/${arg_NAME})
  set(options --name ${arg_NAME} --output ${folder}/${arg_NAME}.c)
  if(DEFINED arg_SECTION)
    list(APPEND options --section ${arg_SECTION})
  endif()
  list(JOIN arg_MODELS ", " models)
  add_custom_command(
    OUTPUT ${folder}/${arg_NAME}.c
    COMMAND ${python} ${RUNNEL_GENERATOR} arena ${plans} ${options}
    DEPENDS ${plans} ${generated} ${RUNNEL_GENERATOR}
    COMMENT "Runnel: one arena for ${models}"
    VERBATIM
  )
  _runnel_add_objects(runnel_${arg_NAME} ${arg_TARGET} ${folder} ${folder}/${arg_NAME}.c)
  target_sources(runnel_${arg_NAME} PRIVATE ${folder}/${arg_NAME}.c)
  target_include_directories(runnel_${arg_NAME} PRIVATE ${RUNNEL_MODULE}/include)
endfunction()
