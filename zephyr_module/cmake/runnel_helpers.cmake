# SPDX-License-Identifier: Apache-2.0
# What runnel_model() and runnel_shared_arena() are made of. Nothing here is for applications.

include_guard(GLOBAL)

get_filename_component(module ${CMAKE_CURRENT_LIST_DIR} DIRECTORY)
set(RUNNEL_MODULE ${module} CACHE INTERNAL "Runnel's Zephyr module")
set(RUNNEL_GENERATOR ${CMAKE_CURRENT_LIST_DIR}/generator.py CACHE INTERNAL "Starts Runnel's generator")

# The options of generated code. Zephyr's own come from zephyr_interface; what is linked after it wins:
#   -O3       not Zephyr's -Os: the code is small anyway, and nearly all time is spent in it
#   -fhosted  Zephyr builds with -ffreestanding, where memcpy() of four bytes is a call instead of a load
#   -std=c11  Zephyr 3.5 builds with C99
add_library(runnel_options INTERFACE)
if(CMAKE_C_COMPILER_ID MATCHES "GNU|Clang")
  target_compile_options(runnel_options INTERFACE $<$<COMPILE_LANGUAGE:C>:-O3> $<$<COMPILE_LANGUAGE:C>:-fhosted>
    $<$<COMPILE_LANGUAGE:C>:-std=c11>)
endif()

# Stops unless the caller's arguments (arg_…) are complete. Reads the caller's variables: a macro.
macro(_runnel_check_call caller required)
  if(NOT CONFIG_RUNNEL)
    message(FATAL_ERROR "${caller}() needs CONFIG_RUNNEL=y: add it to the application's prj.conf")
  endif()
  if(DEFINED arg_UNPARSED_ARGUMENTS)
    message(FATAL_ERROR "${caller}() does not know: ${arg_UNPARSED_ARGUMENTS}")
  endif()
  if(DEFINED arg_KEYWORDS_MISSING_VALUES)
    message(FATAL_ERROR "${caller}(): no value after ${arg_KEYWORDS_MISSING_VALUES}")
  endif()
  foreach(keyword ${required})
    if(NOT DEFINED arg_${keyword})
      message(FATAL_ERROR "${caller}() needs ${keyword}")
    endif()
  endforeach()
  if(NOT TARGET ${arg_TARGET})
    message(FATAL_ERROR "${caller}(): there is no target ${arg_TARGET}; give `app` or a library that exists already")
  endif()
  get_target_property(arg_type ${arg_TARGET} TYPE)
  if(arg_type STREQUAL "INTERFACE_LIBRARY")
    message(FATAL_ERROR "${caller}(): ${arg_TARGET} is an interface library, which has no objects; give `app` or a "
      "library that has sources")
  endif()
endmacro()

function(_runnel_check_file name file)
  get_source_file_property(generated ${file} GENERATED)
  if(NOT EXISTS ${file} AND NOT generated)
    message(FATAL_ERROR "runnel_model(NAME ${name}): there is no file ${file}; FILE is a .tflite file, relative to "
      "${CMAKE_CURRENT_SOURCE_DIR}")
  endif()
endfunction()

# A name becomes C identifiers, macros in capitals and a folder: it must be one of its kind, whatever its case.
function(_runnel_claim_name name what)
  if(NOT name MATCHES "^[A-Za-z][A-Za-z0-9_]*$")
    message(FATAL_ERROR "Runnel: the name ${name} is not a C identifier: a letter, then letters, digits, underscores")
  endif()
  string(TOUPPER ${name} key)
  get_property(taken GLOBAL PROPERTY RUNNEL_NAME_${key})
  if(taken)
    message(FATAL_ERROR "Runnel: the name ${name} is there twice: for ${taken}, and for ${what}. "
      "Names of models and shared arenas become C symbols; give one of them another NAME")
  endif()
  set_property(GLOBAL PROPERTY RUNNEL_NAME_${key} "${what}")
endfunction()

# Zephyr's board with its qualifiers, unless the caller named one; a board file's path becomes absolute.
function(_runnel_board out board)
  if(board STREQUAL "")
    set(board ${BOARD}${BOARD_QUALIFIERS})
  elseif(board MATCHES "\\.ya?ml$")
    get_filename_component(board ${board} ABSOLUTE)
  endif()
  set(${out} ${board} PARENT_SCOPE)
endfunction()

# The Python that runs the generator, after a check that it can and that it knows `board` (none where empty).
function(_runnel_python out name board)
  zephyr_get(RUNNEL_PYTHON SYSBUILD GLOBAL)
  if(RUNNEL_PYTHON)
    set(python ${RUNNEL_PYTHON})
    set(whose "RUNNEL_PYTHON")
  else()
    set(python ${PYTHON_EXECUTABLE})
    set(whose "Zephyr's Python")
  endif()
  set(${out} ${python} PARENT_SCOPE)

  get_property(checked GLOBAL PROPERTY RUNNEL_CHECKED)
  if("${python} ${board}" IN_LIST checked)
    return()
  endif()
  execute_process(
    COMMAND ${python} ${RUNNEL_GENERATOR} --check ${board}
    RESULT_VARIABLE result OUTPUT_VARIABLE text ERROR_VARIABLE text OUTPUT_STRIP_TRAILING_WHITESPACE
  )
  if(result EQUAL 3)
    message(FATAL_ERROR "runnel_model(NAME ${name}): ${text}\n"
      "BOARD of runnel_model() says which one to take; without it Zephyr's board is looked up.")
  elseif(NOT result EQUAL 0)
    if(text STREQUAL "")
      set(text "${result}") # it could not even be started
    endif()
    message(FATAL_ERROR "Runnel's generator cannot run in ${whose}, ${python}: ${text}\n\n"
      "Another Python will do as well: -DRUNNEL_PYTHON=/path/to/python, or the environment variable RUNNEL_PYTHON.")
  endif()
  set_property(GLOBAL APPEND PROPERTY RUNNEL_CHECKED "${python} ${board}")
  set_property(GLOBAL PROPERTY "RUNNEL_BOARD ${board}" "${text}")
endfunction()

# Sections that Zephyr's linker script always puts into zephyr,sram.
set(RUNNEL_ZEPHYR_SECTIONS "^\\.(bss|noinit|data)(\\..*)?$" CACHE INTERNAL "Sections in zephyr,sram")

# Warns of a section that no memory of the devicetree has: a typo would not stop the linker. Any section will do on the
# host.
function(_runnel_check_section name section)
  if(NOT section OR CONFIG_ARCH_POSIX OR section MATCHES "${RUNNEL_ZEPHYR_SECTIONS}")
    return()
  endif()
  _runnel_region_size(bytes known ${section})
  if(NOT bytes)
    if(NOT known)
      set(known none)
    endif()
    message(WARNING "Runnel: ${name}: no memory region of the devicetree has the section ${section}. Unless a linker "
      "script of yours puts ${section} into RAM, Zephyr's linker puts it into flash, and the firmware fails when the "
      "model runs. Memory regions here: ${known}. Upper and lower case count")
  endif()
endfunction()

# size: what may be used, as the generator reads it (64K), empty where nobody knows; from: where that comes from.
function(_runnel_sram_limit out_size out_from given section)
  if(section MATCHES "${RUNNEL_ZEPHYR_SECTIONS}")
    set(section)
  endif()
  if(given)
    set(size ${given})
    set(from "SRAM of runnel_model")
  elseif(section)
    _runnel_region_size(bytes known ${section})
    _runnel_kib(size "${bytes}")
    set(from "memory region of section ${section}")
    if(NOT bytes)
      set(from "no memory region of the devicetree has the section ${section}")
    endif()
  else()
    _runnel_chosen_size(bytes zephyr,sram)
    _runnel_less_share(size from "${bytes}" zephyr,sram CONFIG_RUNNEL_PRODUCT_SRAM)
  endif()
  set(${out_size} ${size} PARENT_SCOPE)
  set(${out_from} "${from}" PARENT_SCOPE)
endfunction()

function(_runnel_flash_limit out_size out_from given)
  if(given)
    set(size ${given})
    set(from "FLASH of runnel_model")
  else()
    set(what zephyr,flash)
    _runnel_chosen_size(bytes zephyr,flash)
    foreach(part SIZE OFFSET) # numbers, for 0x0 is not false to CMake
      set(load_${part} 0)
      if(CONFIG_FLASH_LOAD_${part})
        math(EXPR load_${part} "${CONFIG_FLASH_LOAD_${part}}")
      endif()
    endforeach()
    if(NOT CONFIG_XIP)
      set(bytes) # constants are in SRAM then, and nobody knows how much of it is for them
    elseif(load_SIZE)
      set(bytes ${load_SIZE})
      set(what "CONFIG_FLASH_LOAD_SIZE")
    elseif(bytes AND load_OFFSET)
      math(EXPR bytes "${bytes} - ${load_OFFSET}")
      set(what "${what} behind CONFIG_FLASH_LOAD_OFFSET")
    endif()
    _runnel_less_share(size from "${bytes}" "${what}" CONFIG_RUNNEL_PRODUCT_FLASH)
  endif()
  set(${out_size} ${size} PARENT_SCOPE)
  set(${out_from} "${from}" PARENT_SCOPE)
endfunction()

function(_runnel_less_share out_size out_from bytes what share_name)
  if(NOT bytes)
    set(${out_size} PARENT_SCOPE)
    set(${out_from} "the devicetree does not say" PARENT_SCOPE)
    return()
  endif()
  set(share ${${share_name}})
  _runnel_kib(whole ${bytes})
  math(EXPR left "${bytes} - 1024 * ${share}")
  if(left LESS_EQUAL 0)
    message(FATAL_ERROR "Runnel: nothing is left for models: ${what} has ${whole}, ${share_name} keeps ${share}K of "
      "them. Set ${share_name} in prj.conf to what the product really needs")
  endif()
  _runnel_kib(size ${left})
  set(${out_size} ${size} PARENT_SCOPE)
  set(${out_from} "${what} ${whole} less ${share_name}=${share}" PARENT_SCOPE)
endfunction()

# 245760 becomes 240K; empty stays empty.
function(_runnel_kib out bytes)
  set(size ${bytes})
  if(size)
    math(EXPR rest "${size} % 1024")
    if(rest EQUAL 0)
      math(EXPR size "${size} / 1024")
      set(size ${size}K)
    endif()
  endif()
  set(${out} ${size} PARENT_SCOPE)
endfunction()

# One line of what the model is compiled for.
function(_runnel_print_limits name board sram sram_from flash flash_from)
  if(NOT sram)
    set(sram "as the board")
  endif()
  if(NOT flash)
    set(flash "as the board")
  endif()
  get_property(runnel_board GLOBAL PROPERTY "RUNNEL_BOARD ${board}")
  message(STATUS "Runnel: ${name} for ${runnel_board}; SRAM ${sram} (${sram_from}); flash ${flash} (${flash_from})")
endfunction()

# Bytes of a chosen memory of the devicetree; empty where there is none, and on the host, where it means nothing.
function(_runnel_chosen_size out property)
  set(size)
  if(NOT CONFIG_ARCH_POSIX)
    dt_chosen(path PROPERTY ${property})
    if(path)
      dt_reg_size(size PATH ${path})
    endif()
  endif()
  if(size)
    math(EXPR size "${size}")
  endif()
  set(${out} ${size} PARENT_SCOPE)
endfunction()

# Bytes of the memory that a section lies in: that of a zephyr,memory-region node (section DTCM or DTCM.anything), or
# the chosen zephyr,dtcm (.dtcm_bss, .dtcm_noinit) or zephyr,ccm (.ccm_bss, .ccm_noinit). Empty where it is another.
# out_known: the names of all zephyr,memory-region nodes, for people.
function(_runnel_region_size out out_known section)
  set(size)
  set(known)
  if(section MATCHES "^\\.(dtcm|ccm)_(bss|noinit)$")
    _runnel_chosen_size(size zephyr,${CMAKE_MATCH_1})
  endif()
  dt_comp_path(paths COMPATIBLE "zephyr,memory-region")
  foreach(path ${paths})
    dt_prop(region PATH ${path} PROPERTY "zephyr,memory-region")
    string(REGEX REPLACE "[^A-Za-z0-9_]" "_" region "${region}")
    list(APPEND known ${region})
    if(section MATCHES "^${region}(\\..*)?$")
      dt_reg_size(size PATH ${path})
      math(EXPR size "${size}")
    endif()
  endforeach()
  list(JOIN known ", " known)
  set(${out} ${size} PARENT_SCOPE)
  set(${out_known} "${known}" PARENT_SCOPE)
endfunction()

# An object library `name` in `folder` that `target` takes its objects from, once `outputs` are generated.
function(_runnel_add_objects name target folder outputs)
  add_custom_target(${name}_generated DEPENDS ${outputs})
  add_library(${name} OBJECT)
  target_link_libraries(${name} PRIVATE zephyr_interface runnel_options)
  target_include_directories(${name} BEFORE PRIVATE ${folder})
  add_dependencies(${name} ${name}_generated)
  target_sources(${target} PRIVATE $<TARGET_OBJECTS:${name}>)
  add_dependencies(${target} ${name}_generated)
endfunction()

# Takes a model's own arena away in favour of a shared one.
function(_runnel_share model arena)
  if(NOT TARGET runnel_${model})
    message(FATAL_ERROR "runnel_shared_arena(NAME ${arena}): there is no model ${model}; call runnel_model() for it first")
  endif()
  get_target_property(taken runnel_${model} RUNNEL_SHARED_ARENA)
  if(taken)
    message(FATAL_ERROR "runnel_shared_arena(NAME ${arena}): the model ${model} shares the arena ${taken} already")
  endif()
  get_target_property(section runnel_${model} RUNNEL_ARENA_SECTION)
  if(section)
    message(FATAL_ERROR "runnel_shared_arena(NAME ${arena}): the model ${model} has ARENA_SECTION ${section}; "
      "give SECTION to the shared arena instead")
  endif()
  set_target_properties(runnel_${model} PROPERTIES RUNNEL_SHARED_ARENA ${arena})
endfunction()
