# SPDX-License-Identifier: Apache-2.0
# tests/renode/test_renode.py builds the firmware, says where it is, and what it must print.
*** Settings ***
Suite Setup         Setup
Suite Teardown      Teardown
Test Setup          Reset Emulation
Test Teardown       Test Teardown
Test Timeout        10 minutes
Resource            ${RENODEKEYWORDS}

*** Variables ***
${SCRIPT}           ${CURDIR}/../../boards/renode/stm32f746.resc
${UART}             sysbus.usart1
${FRAME_ADDRESS}    0xC0000000
# Seconds of the simulated board.
${TIMEOUT}          60
# Set with --variable.
${ELF}              ${EMPTY}
${FRAMES}           ${EMPTY}
${FIRST_ANSWER}     ${EMPTY}
${SECOND_ANSWER}    ${EMPTY}

*** Keywords ***
Start Board
    [Arguments]    ${elf}
    Execute Command    $elf=@${elf}
    Execute Command    include @${SCRIPT}
    Create Terminal Tester    ${UART}    timeout=${TIMEOUT}
    Start Emulation

The Model Should Compute Right
    Wait For Line On Uart    selftest: ok

Show Frame
    [Documentation]    Stopped while it is written: the firmware looks at the header first.
    [Arguments]    ${file}
    Execute Command    pause
    Execute Command    sysbus LoadBinary @${file} ${FRAME_ADDRESS}
    Execute Command    start

Pictures In Flash Should Be Answered
    Start Board    ${ELF}
    The Model Should Compute Right
    Wait For Line On Uart    ${FIRST_ANSWER}
    Wait For Line On Uart    ${SECOND_ANSWER}

Pictures In Memory Should Be Answered
    Start Board    ${ELF}
    The Model Should Compute Right
    Wait For Line On Uart    frames: put one at
    Show Frame    ${FRAMES}/1.bin
    Wait For Line On Uart    ${FIRST_ANSWER}
    Show Frame    ${FRAMES}/2.bin
    Wait For Line On Uart    ${SECOND_ANSWER}

*** Test Cases ***
Bare Firmware Answers Pictures In Flash
    [Tags]    bare-flash
    Pictures In Flash Should Be Answered

Bare Firmware Answers Pictures In Memory
    [Tags]    bare-memory
    Pictures In Memory Should Be Answered

Zephyr Firmware Answers Pictures In Flash
    [Tags]    zephyr-flash
    Pictures In Flash Should Be Answered

Zephyr Firmware Answers Pictures In Memory
    [Tags]    zephyr-memory
    Pictures In Memory Should Be Answered
