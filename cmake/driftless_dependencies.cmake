# What driftless needs: read by its own CMakeLists.txt and by the installed package.
# Sets driftless_missing to a sentence when something required is not there.

set(driftless_missing)

find_package(Threads QUIET)
if(NOT TARGET Threads::Threads)
    set(driftless_missing "driftless needs a threads library (Debian package libc6-dev).")
endif()

find_package(Boost 1.71 QUIET)
if(NOT TARGET Boost::headers)
    set(driftless_missing "driftless needs the Boost headers, 1.71 or newer, for Boost.Hana (Debian package libboost-dev).")
endif()

# xxHash is used by its header alone: nothing is linked.
if(NOT TARGET driftless::xxhash_header)
    find_package(PkgConfig QUIET)
    if(PkgConfig_FOUND)
        pkg_check_modules(driftless_pc_xxhash QUIET libxxhash)
    endif()
    find_path(DRIFTLESS_XXHASH_INCLUDE_DIR xxhash.h HINTS ${driftless_pc_xxhash_INCLUDE_DIRS})
    mark_as_advanced(DRIFTLESS_XXHASH_INCLUDE_DIR)
    if(DRIFTLESS_XXHASH_INCLUDE_DIR)
        add_library(driftless::xxhash_header INTERFACE IMPORTED GLOBAL)
        target_include_directories(driftless::xxhash_header INTERFACE ${DRIFTLESS_XXHASH_INCLUDE_DIR})
    else()
        set(driftless_missing "driftless needs the header xxhash.h (Debian package libxxhash-dev).")
    endif()
endif()

# Optional components. For each: driftless_NAME_libraries (targets, empty when not found) and
# driftless_NAME_missing (the sentence to say then).
set(driftless_known_components range_v3 lz4 zstd sqlite)

# A C library that is a header and a file to link, as an imported target.
macro(driftless_find_library name header library package)
    set(driftless_${name}_missing "needs ${header} and its library, Debian package ${package}")
    find_path(DRIFTLESS_${name}_INCLUDE_DIR ${header})
    find_library(DRIFTLESS_${name}_LIBRARY ${library})
    mark_as_advanced(DRIFTLESS_${name}_INCLUDE_DIR DRIFTLESS_${name}_LIBRARY)
    if(DRIFTLESS_${name}_INCLUDE_DIR AND DRIFTLESS_${name}_LIBRARY)
        if(NOT TARGET driftless::${name}_library)
            add_library(driftless::${name}_library INTERFACE IMPORTED GLOBAL)
            target_include_directories(driftless::${name}_library SYSTEM INTERFACE ${DRIFTLESS_${name}_INCLUDE_DIR})
            target_link_libraries(driftless::${name}_library INTERFACE ${DRIFTLESS_${name}_LIBRARY})
        endif()
        set(driftless_${name}_libraries driftless::${name}_library)
    endif()
endmacro()

macro(driftless_find_component name)
    set(driftless_${name}_libraries)
    if("${name}" STREQUAL "range_v3")
        set(driftless_range_v3_missing "needs range-v3, Debian package librange-v3-dev")
        find_package(range-v3 QUIET)
        if(TARGET range-v3::range-v3)
            set(driftless_range_v3_libraries range-v3::range-v3)
        endif()
    elseif("${name}" STREQUAL "lz4")
        driftless_find_library(lz4 lz4.h lz4 liblz4-dev)
    elseif("${name}" STREQUAL "zstd")
        driftless_find_library(zstd zstd.h zstd libzstd-dev)
    elseif("${name}" STREQUAL "sqlite")
        driftless_find_library(sqlite sqlite3.h sqlite3 libsqlite3-dev)
    else()
        set(driftless_${name}_missing "there is no such component")
    endif()
endmacro()
